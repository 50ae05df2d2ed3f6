"""Configurations from files and from `--set`."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import yaml

from cli.telling import mistake

STDIN = Path("-")


def read_config(path: Path) -> dict[str, Any]:
    """The fields of a configuration in YAML or JSON; `-` is stdin.

    Raises:
        StudioError: `config_unreadable`.
    """
    remedy = "Give a file in YAML or JSON; `unisd presets NAME` prints one to start from."
    try:
        text = sys.stdin.read() if path == STDIN else path.read_text()
        found = yaml.safe_load(text)
    except OSError as error:
        raise mistake(
            "config_unreadable", f"{path} cannot be read: {error.strerror}.", remedy
        ) from error
    except (UnicodeDecodeError, yaml.YAMLError) as error:
        reason = " ".join(str(error).split())
        raise mistake("config_unreadable", f"{path} is not YAML: {reason}.", remedy) from error
    if not isinstance(found, dict):
        raise mistake("config_unreadable", f"{path} holds no fields.", remedy)
    return found


def parse_changes(given: Sequence[str]) -> dict[str, Any]:
    """Nested fields of `training.seed=1` and the like; the values are read as YAML.

    Raises:
        StudioError: `config_invalid`; one of them sets nothing.
    """
    changes: dict[str, Any] = {}
    for one in given:
        path, equals, text = one.partition("=")
        names = path.strip().split(".")
        if not equals or not all(names):
            raise mistake(
                "config_invalid", f"“{one}” sets nothing.", "Write FIELD=VALUE: training.seed=1."
            )
        place = changes
        for name in names[:-1]:
            inner = place.setdefault(name, {})
            if not isinstance(inner, dict):
                raise mistake(
                    "config_invalid", f"“{one}” sets a part of what is set whole.", "Leave one out."
                )
            place = inner
        place[names[-1]] = _value(text)
    return changes


def _value(text: str) -> object:
    try:
        return yaml.safe_load(text)
    except yaml.YAMLError:
        return text

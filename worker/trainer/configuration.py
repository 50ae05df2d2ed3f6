"""Reads `run.yaml` and tells every mistake in it at once."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import yaml

from core.config import RunConfig
from core.config_text import yaml_text
from core.validation import parse_config
from worker.trainer.failures import mistake


def load_config(path: Path) -> RunConfig:
    """Read and validate a run's configuration.

    Raises:
        StudioError: `config_unreadable`, or `config_invalid` with one problem per mistake.
    """
    remedy = "Start with `data:` and, below it, `path: worked-examples.jsonl`."
    return parse_config(read_yaml(path, remedy))


def read_yaml(path: Path, remedy: str) -> dict[str, Any]:
    """Read a mapping.

    Args:
        path: YAML or JSON.
        remedy: how to begin such a file.

    Raises:
        StudioError: `config_unreadable`, or `config_invalid` if it holds something else.
    """
    try:
        raw = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise mistake(
            "config_unreadable",
            f"The configuration {path} cannot be read: {_reason(error)}.",
            "Give a configuration as a YAML file in UTF-8.",
        ) from error
    if not isinstance(raw, dict):
        raise mistake(
            "config_invalid",
            f"{path} holds no configuration: a mapping of fields is needed.",
            remedy,
        )
    return raw


def dump_config(config: RunConfig) -> str:
    """The configuration as YAML with every field: it stays what it was when defaults move."""
    return yaml_text(config.model_dump(mode="json"))


def _reason(error: Exception) -> str:
    if isinstance(error, OSError):
        return error.strerror or str(error)
    return " ".join(str(error).split())

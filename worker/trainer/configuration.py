"""Reads `run.yaml` and tells every mistake in it at once."""

from __future__ import annotations

import difflib
from pathlib import Path
from typing import Any

import yaml
from pydantic import BaseModel, ValidationError

from core.config import RunConfig
from core.errors import Problem, StudioError
from worker.trainer.failures import mistake


def load_config(path: Path) -> RunConfig:
    """Read and validate a run's configuration.

    Raises:
        StudioError: `config_unreadable`, or `config_invalid` with one problem per mistake.
    """
    try:
        raw = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise mistake(
            "config_unreadable",
            f"The configuration {path} cannot be read: {_reason(error)}.",
            "Give a run's configuration as a YAML file in UTF-8.",
        ) from error
    if not isinstance(raw, dict):
        raise mistake(
            "config_invalid",
            f"{path} holds no configuration: a mapping of fields is needed.",
            "Start with `data:` and, below it, `path: worked-examples.jsonl`.",
        )
    return parse_config(raw)


def parse_config(raw: dict[str, Any]) -> RunConfig:
    """Validate a configuration.

    Raises:
        StudioError: `config_invalid` with one problem per mistake, each with its dotted field.
    """
    try:
        return RunConfig.model_validate(raw)
    except ValidationError as error:
        raise StudioError(*map(_problem, error.errors())) from error


def dump_config(config: RunConfig) -> str:
    """The configuration as YAML with every field: it stays what it was when defaults move."""
    return yaml.safe_dump(config.model_dump(mode="json"), sort_keys=False, allow_unicode=True)


def _reason(error: Exception) -> str:
    if isinstance(error, OSError):
        return error.strerror or str(error)
    return " ".join(str(error).split())


def _problem(error: Any) -> Problem:  # noqa: ANN401 - pydantic's ErrorDetails
    field = ".".join(map(str, error["loc"]))
    message, remedy = str(error["msg"]).removeprefix("Value error, "), "Correct this field."
    if error["type"] == "extra_forbidden":
        message, remedy = f"There is no field {field}.", _suggestion(error["loc"])
    elif error["type"] == "missing":
        message, remedy = f"The field {field} is missing.", "Add it; it has no default."
    else:
        message = f"{field or 'The configuration'}: {message} (given: {_shorten(error['input'])})."
    return Problem(code="config_invalid", message=message, remedy=remedy, field=field or None)


def _shorten(value: object) -> str:
    text = repr(value)
    return text if len(text) <= 80 else f"{text[:77]}..."


def _suggestion(location: tuple[str | int, ...]) -> str:
    """The field that was probably meant, or those that exist there."""
    part: Any = RunConfig
    for name in location[:-1]:
        part = part.model_fields[str(name)].annotation if _is_part(part) else None
    if not _is_part(part):
        return "Remove it."
    known = list(part.model_fields)
    close = difflib.get_close_matches(str(location[-1]), known, n=1)
    return f"Did you mean {close[0]}?" if close else f"Fields there: {', '.join(known)}."


def _is_part(part: Any) -> bool:  # noqa: ANN401
    return isinstance(part, type) and issubclass(part, BaseModel)

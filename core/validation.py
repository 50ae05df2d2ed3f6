"""Turns pydantic's complaints about a configuration into problems that a person can mend."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from difflib import get_close_matches
from typing import Any, Final, get_args

from pydantic import BaseModel, ValidationError

from core.config import RunConfig
from core.errors import Problem, StudioError
from core.objective_config import CombinationError
from core.presets import expand_preset

_SECRETS: Final = frozenset({"token"})
"""Fields whose value no complaint repeats."""
_NOT_BLANK: Final = r"\S"
_SPELLING: Final = {
    r"^[A-Za-z0-9][A-Za-z0-9._-]*$": "letters, digits and ._- after a letter or digit",
    r"^[a-z0-9][a-z0-9_.-]{0,99}$": "small letters, digits and ._- after a letter or digit",
    r"^[A-Za-z0-9][A-Za-z0-9_.+-]*$": "letters, digits and _.+- after a letter or digit",
    r"^[A-Za-z0-9][A-Za-z0-9_.:=/-]{0,62}$": "at most 63 letters, digits and _.:=/- after a letter "
    "or digit",
    r"^[0-9a-z]{1,12}:[0-9]{1,15}$": "RUN:CURSOR, an identifier and a number",
    r"^[A-Za-z0-9._-]+(/[A-Za-z0-9._-]+)?$": "`owner/name`, in letters, digits and ._-",
}


def parse_config(raw: Mapping[str, Any]) -> RunConfig:
    """Validate a configuration; its key `preset` may name what it starts from.

    Raises:
        StudioError: one problem (`config_invalid`) for each field at fault, or `preset_unknown`.
    """
    settings = expand_preset(raw)
    try:
        return RunConfig.model_validate(settings)
    except ValidationError as error:
        raise StudioError(*validation_problems(error.errors(include_url=False))) from None


def validation_problems(
    errors: Iterable[Mapping[str, Any]],
    prefix: Sequence[str] = (),
    model: type[BaseModel] = RunConfig,
) -> list[Problem]:
    """One problem for each of pydantic's errors.

    Args:
        errors: of one validation.
        prefix: cut off the fields' paths.
        model: what was validated, to suggest its fields.
    """
    found = list(errors)
    return [_problem(error, prefix, model) for error in found if not _follows(error, found)]


def _follows(error: Mapping[str, Any], others: Sequence[Mapping[str, Any]]) -> bool:
    """Whether a list is only too short because of mistakes in its items."""
    place = tuple(error["loc"])
    return error["type"] == "too_short" and any(
        len(other["loc"]) > len(place) and tuple(other["loc"][: len(place)]) == place
        for other in others
    )


def _problem(error: Mapping[str, Any], prefix: Sequence[str], model: type[BaseModel]) -> Problem:
    path = tuple(str(part) for part in error["loc"])
    if path[: len(prefix)] == tuple(prefix):
        path = path[len(prefix) :]
    field = ".".join(path)
    kind = str(error["type"])
    if kind == "extra_forbidden":
        return Problem(
            code="config_invalid",
            message=f"There is no field “{field}”.",
            remedy=_suggestion(path, model),
            field=field,
        )
    if kind == "missing":
        return Problem(
            code="config_invalid",
            message=f"The field “{field}” is missing.",
            remedy="Fill it in.",
            field=field,
        )
    if kind == "string_pattern_mismatch":
        return _misspelt(error, field, secret=not _SECRETS.isdisjoint(path))
    cause = error.get("ctx", {}).get("error")
    if isinstance(cause, CombinationError):
        message = str(cause)
        return Problem(
            code="config_invalid",
            message=f"{message[:1].upper()}{message[1:]}.",
            remedy=cause.remedy,
            field=cause.field,
        )
    reason = str(error["msg"]).removeprefix("Value error, ")
    reason = reason[:1].upper() + reason[1:]
    given = error.get("input")
    plain = isinstance(given, str | int | float | bool | None) and _SECRETS.isdisjoint(path)
    shown = f" (given: {given!r})" if plain else ""
    return Problem(
        code="config_invalid",
        message=f"{field or 'configuration'}: {reason}{shown[:200]}.",
        remedy="Change the value; the field's description gives its bounds.",
        field=field or None,
    )


def _misspelt(error: Mapping[str, Any], field: str, *, secret: bool) -> Problem:
    """Letters that are not allowed, in words: patterns are for programs."""
    pattern = str(error["ctx"]["pattern"])
    given = "What was given" if secret else f"“{str(error.get('input'))[:100]}”"
    if pattern == _NOT_BLANK:
        message, remedy = f"{field} is blank.", "Fill it in."
    else:
        message = f"{given} cannot stand in {field}."
        remedy = f"Allowed is: {_SPELLING.get(pattern, f'what matches {pattern}')}."
    return Problem(code="config_invalid", message=message, remedy=remedy, field=field or None)


def _suggestion(path: tuple[str, ...], root: type[BaseModel]) -> str:
    model = _model_at(path[:-1], root)
    if model is None:
        return "Remove it."
    known = list(model.model_fields)
    close = get_close_matches(path[-1], known, n=1, cutoff=0.5)
    if close:
        return f"Did you mean “{close[0]}”? Otherwise remove it."
    return f"Remove it. Known here: {', '.join(known)}."


def _model_at(path: tuple[str, ...], root: type[BaseModel]) -> type[BaseModel] | None:
    model = root
    for name in path:
        if name.isdecimal():  # the place in a list of such parts
            continue
        field = model.model_fields.get(name)
        if field is None:
            return None
        inner = next(
            (
                kind
                for kind in (field.annotation, *get_args(field.annotation))
                if isinstance(kind, type) and issubclass(kind, BaseModel)
            ),
            None,
        )
        if inner is None:
            return None
        model = inner
    return model

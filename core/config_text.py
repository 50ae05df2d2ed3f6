"""Configurations as text: written as YAML, and read with every mistake at its line and field."""

from __future__ import annotations

import json
from collections.abc import Iterator
from itertools import islice
from typing import Any, Final, NamedTuple

import yaml

from core.config import RunConfig
from core.errors import Problem, StudioError
from core.validation import parse_config

Lines = dict[tuple[str, ...], int]
_MOST_FIELDS: Final = 10_000
"""Aliases can make a short text stand for an endless configuration."""
_MOST_MISTAKES: Final = 100
_BEGIN: Final = "Start with `data:` and, below it, `path: worked-examples.jsonl`."


class _Dumper(yaml.SafeDumper):
    """Quotes texts whose line separators YAML would read as ordinary line ends."""


def _represent_text(dumper: yaml.SafeDumper, text: str) -> yaml.ScalarNode:
    style = '"' if any(letter in text for letter in "\x85\u2028\u2029") else None
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style)


_Dumper.add_representer(str, _represent_text)


def yaml_text(content: object, *, sort_keys: bool = False) -> str:
    """`content` as YAML that reads back as the same; letters of every script stay as they are."""
    text: str = yaml.dump(content, Dumper=_Dumper, sort_keys=sort_keys, allow_unicode=True)
    return text


class _Text(NamedTuple):
    """What a text holds, and the line of every field."""

    raw: dict[str, Any]
    lines: Lines


def config_from_text(text: str) -> RunConfig:
    """A configuration written in YAML or JSON.

    Raises:
        StudioError: `config_unreadable` or `config_invalid`, one problem for each mistake, each
            with its line.
    """
    read = _read(text)
    try:
        return parse_config(read.raw)
    except StudioError as error:
        raise StudioError(*(_placed(problem, read.lines) for problem in error.problems)) from None


def _read(text: str) -> _Text:
    try:
        node = yaml.compose(text, Loader=yaml.SafeLoader)
        raw = _content(text)
    except (yaml.YAMLError, RecursionError) as error:
        raise StudioError(_unreadable(error)) from error
    except ValueError as error:  # a date that does not exist, for example
        raise StudioError(_unreadable(error)) from error
    if not isinstance(raw, dict) or node is None:
        raise StudioError(
            Problem(
                code="config_invalid",
                message="The text holds no configuration: a mapping of fields is needed.",
                remedy=_BEGIN,
                line=1,
            )
        )
    lines: Lines = {}
    twice = list(islice(_walk(node, (), lines), _MOST_MISTAKES))
    if len(lines) > _MOST_FIELDS:
        raise StudioError(_unreadable(ValueError("it is too large with its aliases written out")))
    if twice:
        raise StudioError(*twice)
    return _Text(raw, lines)


def _content(text: str) -> Any:  # noqa: ANN401 - whatever the text holds
    """JSON is read as JSON: YAML takes its escapes of rarer letters for two letters."""
    try:
        return json.loads(text)
    except ValueError:
        return yaml.safe_load(text)


def _walk(node: yaml.Node, path: tuple[str, ...], lines: Lines) -> Iterator[Problem]:
    """Note every field's line; a field that stands there twice would be lost."""
    if len(lines) > _MOST_FIELDS:
        return
    if isinstance(node, yaml.SequenceNode):
        for place, item in enumerate(node.value):
            lines[*path, str(place)] = item.start_mark.line + 1
            yield from _walk(item, (*path, str(place)), lines)
    if not isinstance(node, yaml.MappingNode):
        return
    for key, value in node.value:
        name, line = str(key.value), key.start_mark.line + 1
        if (*path, name) in lines:
            yield Problem(
                code="config_invalid",
                message=f"The field “{'.'.join([*path, name])}” stands here a second time.",
                remedy=f"Remove it here or in line {lines[*path, name]}.",
                field=".".join([*path, name]),
                line=line,
            )
        lines[*path, name] = line
        yield from _walk(value, (*path, name), lines)


def _placed(problem: Problem, lines: Lines) -> Problem:
    """The problem at the line of its field, or of the nearest part around it that is there."""
    path = tuple(problem.field.split(".")) if problem.field else ()
    for length in range(len(path), 0, -1):
        line = lines.get(path[:length])
        if line is not None:
            return problem.model_copy(update={"line": line})
    return problem.model_copy(update={"line": 1})


def _unreadable(error: Exception) -> Problem:
    mark = getattr(error, "problem_mark", None)
    reason = getattr(error, "problem", None) or str(error) or "it is nested too deeply"
    return Problem(
        code="config_unreadable",
        message=f"The text cannot be read as YAML: {' '.join(str(reason).split())}.",
        remedy="Check indentation, colons and quotes there.",
        line=mark.line + 1 if mark else 1,
    )

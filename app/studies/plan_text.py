"""Plans as people write them, YAML or JSON, and the line at which each mistake stands."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final, NamedTuple

import yaml

from core.errors import Problem, StudioError
from core.study import StudyPlan, parse_plan

_MOST_CHARACTERS: Final = 5_000_000
"""Of all paths together: aliases can make a short text stand for an endless plan."""


class PlanText(NamedTuple):
    """A plan and where its parts stand.

    Attributes:
        plan: what was written.
        lines: dotted path of a field to its line, counted from 1.
    """

    plan: StudyPlan
    lines: dict[str, int]


def read_plan(text: str, name: str = "The plan") -> PlanText:
    """Read a plan.

    Args:
        text: YAML or JSON.
        name: what messages call it.

    Raises:
        StudioError: `study_unreadable`, or one problem (`study_invalid`) for each mistake.
    """
    raw, lines = _parse(text, name)
    try:
        return PlanText(parse_plan(raw), lines)
    except StudioError as error:
        raise StudioError(*(at_line(problem, lines) for problem in error.problems)) from None


def at_line(problem: Problem, lines: Mapping[str, int]) -> Problem:
    """The problem with the line of its field, or of what ought to hold that field."""
    path = problem.field or ""
    while path and path not in lines:
        path = path.rpartition(".")[0]
    return problem.model_copy(update={"line": lines.get(path)}) if path else problem


def _parse(text: str, name: str) -> tuple[dict[str, Any], dict[str, int]]:
    try:
        loader = _PlanLoader(text)
        node = loader.get_single_node()
        if not isinstance(node, yaml.MappingNode):
            raise _unreadable(f"{name} holds no plan: a mapping of fields is needed.", 1)
        lines: dict[str, int] = {}
        characters = 0
        for path, line in _places(node):
            characters += len(path) + 1
            if characters > _MOST_CHARACTERS:
                raise _unreadable(f"{name} is too large once its aliases are written out.", None)
            lines.setdefault(path, line)
        return loader.construct_document(node), lines
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        reason = getattr(error, "problem", None) or str(error)
        broken = mark.line + 1 if mark else None
        where = f", line {broken}" if broken else ""
        told = f"{name} cannot be read{where}: {' '.join(str(reason).split())}."
        raise _unreadable(told, broken) from error
    except RecursionError as error:
        raise _unreadable(f"{name} cannot be read: it is nested too deeply.", None) from error
    except ValueError as error:  # a date that is none, for one
        raise _unreadable(f"{name} cannot be read: {error}.", None) from error


def _places(root: yaml.Node) -> Iterator[tuple[str, int]]:
    """Every value's path and the line of its key; what aliases repeat comes as often."""
    waiting: list[tuple[str, int, yaml.Node]] = [("", root.start_mark.line + 1, root)]
    while waiting:
        path, line, node = waiting.pop()
        yield path, line
        children: list[tuple[str, yaml.Node, yaml.Node]] = []
        if isinstance(node, yaml.MappingNode):
            children = [(str(key.value), key, value) for key, value in node.value]
        elif isinstance(node, yaml.SequenceNode):
            children = [(str(index), value, value) for index, value in enumerate(node.value)]
        for key, at, value in reversed(children):
            inner = f"{path}.{key}" if path else key
            waiting.append((inner, at.start_mark.line + 1, value))


def _unreadable(message: str, line: int | None) -> StudioError:
    return StudioError(
        Problem(
            code="study_unreadable",
            message=message,
            remedy="A plan is YAML or JSON; see docs/studies.md.",
            line=line,
        )
    )


class _PlanLoader(yaml.SafeLoader):
    """YAML whose `on` and `off` are words, as levels are often called, and all keys are text."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:  # noqa: FBT001, FBT002 - the library's signature
        """Take keys as they are written."""
        for key, _ in node.value:
            if isinstance(key, yaml.ScalarNode) and key.tag != "tag:yaml.org,2002:merge":
                key.tag = "tag:yaml.org,2002:str"
        return super().construct_mapping(node, deep)


_BOOLEAN = "tag:yaml.org,2002:bool"
_PlanLoader.yaml_implicit_resolvers = {
    first: [
        (tag, pattern)
        for tag, pattern in resolvers
        if tag != _BOOLEAN or first in "tTfF"  # `true` and `false` alone
    ]
    for first, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
}

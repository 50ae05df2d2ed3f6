"""Which runs stand together in a column. Pure."""

from __future__ import annotations

import copy
import json
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any, Final, NamedTuple

from core.states import RunKind

_SEED_IN_NAME: Final = re.compile(r"[\s,;·_/-]*\bseeds?\b[\s=:_-]*\d+|[\s,;·_/-]+s\d+$", re.I)


class Member(NamedTuple):
    """What grouping looks at of a run."""

    id: str
    name: str
    kind: RunKind
    config: Mapping[str, Any]


class Group(NamedTuple):
    """Runs of a column by their seeds, lowest first.

    Attributes:
        key: stays the same whatever else is compared.
        label: unlike that of every other group.
        runs: identifiers of its runs.
    """

    key: str
    label: str
    runs: list[str]


def seed_of(kind: RunKind, config: Mapping[str, Any]) -> int:
    """The seed that a run was started with."""
    part = config if kind is RunKind.EVALUATION else config["training"]
    return int(part["seed"])


def group(members: Sequence[Member], *, by_seed: bool) -> list[Group]:
    """Columns in the order of their first runs.

    Runs with equal configurations but for the seed stand together. A run that repeats a seed
    differs in nothing from another: it is no further sample, and begins a column of its own.
    """
    found: dict[tuple[str, int], list[Member]] = {}
    seen: Counter[tuple[str, int]] = Counter()
    for member in members:
        seed = seed_of(member.kind, member.config)
        alike = _without_seed(member) if by_seed else member.id
        found.setdefault((alike, seen[alike, seed]), []).append(member)
        seen[alike, seed] += 1
    columns = [
        sorted(column, key=lambda one: (seed_of(one.kind, one.config), one.id))
        for column in found.values()
    ]
    labels = _labels(columns)
    return [
        Group(min(one.id for one in column), label, [one.id for one in column])
        for column, label in zip(columns, labels, strict=True)
    ]


def _without_seed(member: Member) -> str:
    config = copy.deepcopy(dict(member.config))
    part = config if member.kind is RunKind.EVALUATION else config["training"]
    part.pop("seed", None)
    return json.dumps([member.kind.value, config], sort_keys=True)


def _labels(columns: Sequence[Sequence[Member]]) -> list[str]:
    labels = [_label(column) for column in columns]
    twice = {label for label, count in Counter(labels).items() if count > 1}
    return [
        f"{label} ({column[0].id[:4]})" if label in twice else label
        for label, column in zip(labels, columns, strict=True)
    ]


def _label(column: Sequence[Member]) -> str:
    if len(column) == 1:
        return column[0].name
    return _SEED_IN_NAME.sub("", column[0].name).strip(" ,;·_/-") or column[0].name

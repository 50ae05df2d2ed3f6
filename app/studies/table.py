"""A study's cells as a table of two sides, for studies of any number of factors.

Each factor stands at the rows, at the columns, is fixed at one of its levels, or is averaged over.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import product
from typing import Final, NamedTuple

from pydantic import BaseModel, ConfigDict, Field

from app.statistics import Interval, mean_interval
from app.studies.report import Cost, Course, Gap, Result, cost_of, gaps_of
from core.errors import Problem, StudioError
from core.states import RunStatus
from core.study import StudyPlan, assignments

_WIDEST: Final = 6
"""Columns that are still read at a glance."""


class Layout(NamedTuple):
    """Where factors stand; those that are named nowhere are averaged over."""

    rows: tuple[str, ...]
    columns: tuple[str, ...]
    fixed: dict[str, str]


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True)


class TableCell(_Part):
    """All runs whose levels are those of a row, a column and the fixed factors."""

    levels: dict[str, str]
    final: Interval = Field(
        description="Of the metric's last value: mean over the averaged factors within each seed, "
        "all combinations with equal weight, then over seeds with a t interval."
    )
    gain: Interval = Field(description="Likewise for the last value less the first.")
    combinations: int = Field(description="Combinations of levels of the plan in here.")
    counted: int = Field(description="Those of them that have a value.")
    runs: list[str] = Field(description="The runs, in the plan's order.")
    states: dict[str, int] = Field(description="Runs by state.")
    cost: Cost
    gaps: list[Gap]
    baseline: bool = Field(description="Whether every level here is its factor's baseline.")


class StudyTable(_Part):
    """Cells by rows and columns."""

    metric: str
    row_factors: list[str]
    column_factors: list[str]
    averaged: list[str]
    fixed: dict[str, str]
    rows: list[dict[str, str]] = Field(description="Levels of each row.")
    columns: list[dict[str, str]] = Field(description="Levels of each column.")
    cells: list[list[TableCell | None]] = Field(
        description="Row by row; null where the plan excludes every combination."
    )


def default_layout(plan: StudyPlan) -> Layout:
    """The factor with most levels at the rows; columns while they are few; the rest averaged."""
    sizes = {factor: len(levels) for factor, levels in plan.factors.items()}
    if not sizes:
        return Layout((), (), {})
    first = max(sizes, key=lambda factor: sizes[factor])
    columns: list[str] = []
    width = 1
    for factor, size in sizes.items():
        if factor != first and width * size <= max(_WIDEST, size if not columns else 0):
            columns.append(factor)
            width *= size
    return Layout((first,), tuple(columns), {})


def check_layout(plan: StudyPlan, layout: Layout) -> None:
    """Refuse factors and levels that the plan does not have, and a factor in two places.

    Raises:
        StudioError: `study_layout`.
    """
    placed = [*layout.rows, *layout.columns, *layout.fixed]
    for factor in placed:
        if factor not in plan.factors:
            raise _refused(f"The study has no factor “{factor}”.", f"It has {_list(plan.factors)}.")
    for factor, level in layout.fixed.items():
        if level not in plan.factors[factor]:
            known = _list(plan.factors[factor])
            raise _refused(f"“{factor}” has no level “{level}”.", f"It has {known}.")
    if len(set(placed)) < len(placed):
        raise _refused("A factor stands in two places.", "Name each once.")


def build_table(
    plan: StudyPlan, results: Sequence[Result], metric: str, layout: Layout
) -> StudyTable:
    """Group the runs by rows and columns.

    Raises:
        StudioError: `study_layout`.
    """
    check_layout(plan, layout)
    rows, columns = (list(_sides(plan, side)) for side in (layout.rows, layout.columns))
    groups = _group(plan, results, layout)
    return StudyTable(
        metric=metric,
        row_factors=list(layout.rows),
        column_factors=list(layout.columns),
        averaged=[
            factor
            for factor in plan.factors
            if factor not in {*layout.rows, *layout.columns, *layout.fixed}
        ],
        fixed=layout.fixed,
        rows=rows,
        columns=columns,
        cells=[
            [_cell(plan, metric, layout, row | column, groups) for column in columns]
            for row in rows
        ],
    )


_Groups = dict[tuple[str, ...], list[list[Result]]]
"""Levels at rows and columns to the combinations there, each with its runs."""


def _sides(plan: StudyPlan, factors: Sequence[str]) -> Iterator[dict[str, str]]:
    for levels in product(*(plan.factors[factor] for factor in factors)):
        yield dict(zip(factors, levels, strict=True))


def _group(plan: StudyPlan, results: Sequence[Result], layout: Layout) -> _Groups:
    of_levels: dict[tuple[str, ...], list[Result]] = {}
    for result in results:
        levels = tuple(result.levels[factor] for factor in plan.factors)
        of_levels.setdefault(levels, []).append(result)
    groups: _Groups = {}
    for combination in assignments(plan):
        if layout.fixed.items() <= combination.items():
            key = tuple(combination[factor] for factor in (*layout.rows, *layout.columns))
            groups.setdefault(key, []).append(of_levels.get(tuple(combination.values()), []))
    return groups


def _cell(
    plan: StudyPlan, metric: str, layout: Layout, levels: dict[str, str], groups: _Groups
) -> TableCell | None:
    combinations = groups.get(tuple(levels.values()))
    if combinations is None:
        return None
    runs = [result for group in combinations for result in group]
    states: dict[str, int] = {}
    for result in runs:
        states[result.state] = states.get(result.state, 0) + 1
    final, counted = _average(combinations, metric, lambda course: course.last)
    left_out = _left_out(plan, layout, len(combinations))
    gain, _ = _average(combinations, metric, _gain)
    shown = levels | layout.fixed
    return TableCell(
        levels=shown,
        final=_noted(final, left_out),
        gain=_noted(gain, left_out),
        combinations=len(combinations),
        counted=counted,
        runs=[result.run_id for result in runs if result.run_id],
        states=states,
        cost=cost_of(runs),
        gaps=gaps_of(runs, [metric]),
        baseline=shown.items() <= plan.baselines.items(),
    )


def _left_out(plan: StudyPlan, layout: Layout, combinations: int) -> str:
    """Says where a cell averages over less than its neighbours do."""
    placed = {*layout.rows, *layout.columns, *layout.fixed}
    whole = math.prod(
        len(levels) for factor, levels in plan.factors.items() if factor not in placed
    )
    lacking = whole - combinations
    return f"the plan leaves out {lacking} of {whole} combinations" if lacking else ""


def _noted(interval: Interval, *notes: str) -> Interval:
    return interval.model_copy(update={"note": "; ".join(filter(None, (interval.note, *notes)))})


def _gain(course: Course) -> float | None:
    if course.first is None or course.last is None:
        return None
    return course.last - course.first


def _average(
    combinations: Sequence[Sequence[Result]],
    metric: str,
    read: Callable[[Course], float | None],
) -> tuple[Interval, int]:
    """Mean over combinations within each seed, then over seeds; and how many combinations count.

    Combinations without any value are left out, then seeds that not all others have: what is left
    compares like with like, and the note says what is not in it.
    """
    known = [values for group in combinations if (values := _by_seed(group, metric, read))]
    if not known:
        return mean_interval([]), 0
    shared = sorted(set.intersection(*(set(values) for values in known)))
    every = sorted(set().union(*known))
    found = mean_interval([sum(values[seed] for values in known) / len(known) for seed in shared])
    notes = []
    if len(known) < len(combinations):
        notes.append(f"only {len(known)} of {len(combinations)} combinations have a value")
    if lost := [seed for seed in every if seed not in shared]:
        notes.append(f"without seed {_list(lost)}, which not every combination has")
    return _noted(found, *notes), len(known)


def _by_seed(
    group: Sequence[Result], metric: str, read: Callable[[Course], float | None]
) -> dict[int, float]:
    return {
        result.seed: value
        for result in group
        if result.state == RunStatus.SUCCEEDED.value
        and metric in result.metrics
        and (value := read(result.metrics[metric])) is not None
    }


def _list(names: Mapping[str, object] | Sequence[object]) -> str:
    return ", ".join(map(str, names))


def _refused(message: str, remedy: str) -> StudioError:
    return StudioError(Problem(code="study_layout", message=message, remedy=remedy))

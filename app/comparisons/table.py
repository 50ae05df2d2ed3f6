"""Metrics by column and against the baseline. Pure.

Intervals need several seeds. Where both columns have the same seeds, what is looked at is the
difference seed by seed; a single run on one side is taken as it is; else both vary on their own.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from fnmatch import fnmatchcase
from typing import Final, Literal, NamedTuple

from app.comparisons.schemas import Cell, MetricRow, Statistic
from app.metrics.repository import Newest
from app.statistics import Interval, mean_interval, welch
from core.events import NonFinite

_HIGHER: Final = ("eval/*/accuracy", "eval/*/extracted", "eval/*/partial", "*/base_logprob")
_LOWER: Final = (
    *("train/loss", "train/loss/*", "eval/*/truncated", "eval/*/retention/*/jsd"),
    *("*/nll", "*/perplexity"),
)

_LARGEST: Final = 1e150
"""Squares of what is larger are no numbers any more."""
_TOO_LARGE: Final = "too large for a mean"


class Value(NamedTuple):
    """A metric's value in a run."""

    seed: int
    value: float | None
    non_finite: NonFinite | None = None


def better(name: str) -> Literal["higher", "lower"] | None:
    """Which way a metric improves, where that does not depend."""
    if any(fnmatchcase(name, pattern) for pattern in _HIGHER):
        return "higher"
    return "lower" if any(fnmatchcase(name, pattern) for pattern in _LOWER) else None


def rows(
    columns: Sequence[Sequence[tuple[str, int]]],
    found: Mapping[str, Mapping[str, Newest]],
    statistic: Statistic,
) -> list[MetricRow]:
    """Every metric that a run reported.

    Args:
        columns: of each column, the baseline's first, the runs with their seeds.
        found: metrics by run.
        statistic: which of a metric's values is looked at.
    """
    names = sorted({name for of_run in found.values() for name in of_run})
    return [
        MetricRow(
            name=name,
            better=better(name),
            cells=_cells([_values(column, found, name, statistic) for column in columns], columns),
        )
        for name in names
    ]


def _values(
    column: Sequence[tuple[str, int]],
    found: Mapping[str, Mapping[str, Newest]],
    name: str,
    statistic: Statistic,
) -> list[Value]:
    """Of the column's runs that reported the metric."""
    values = []
    for run_id, seed in column:
        newest = found.get(run_id, {}).get(name)
        if newest is None:
            continue
        if statistic == "last":
            values.append(Value(seed, newest["last"], newest["non_finite"]))
        else:
            values.append(Value(seed, newest["min" if statistic == "min" else "max"]))
    return values


def _cells(
    values: Sequence[Sequence[Value]], columns: Sequence[Sequence[tuple[str, int]]]
) -> list[Cell | None]:
    cells = [
        _cell(of, len(column)) if of else None for of, column in zip(values, columns, strict=True)
    ]
    for cell, of in zip(cells[1:], values[1:], strict=True):
        if cell and cells[0] and cell.value is not None and cells[0].value is not None:
            _compare(cell, difference(_by_seed(values[0]), _by_seed(of)))
    return cells


def _cell(values: Sequence[Value], runs: int) -> Cell:
    lacking = [one for one in values if one.value is None]
    if lacking:
        note = f"not finite in {len(lacking)} of {len(values)} runs" if len(values) > 1 else ""
        return Cell(value=None, n=len(values), non_finite=lacking[0].non_finite, note=note)
    mean = _mean([one.value for one in values if one.value is not None])
    return Cell(
        value=mean.estimate,
        low=mean.low,
        high=mean.high,
        n=mean.n,
        note=f"reported by {mean.n} of {runs} runs" if mean.n < runs else "",
    )


def _by_seed(values: Sequence[Value]) -> dict[int, float]:
    return {one.seed: one.value for one in values if one.value is not None}


def difference(baseline: Mapping[int, float], other: Mapping[int, float]) -> Interval:
    """Mean of the other's values less the baseline's, both by seed and finite.

    Neither may be empty.
    """
    ones, others = list(baseline.values()), list(other.values())
    if len(ones) == len(others) == 1:
        note = "one run on each side: no interval"
        return Interval(estimate=_finite(others[0] - ones[0]), n=1, note=note)
    if len(ones) == 1:
        found = _mean([value - ones[0] for value in others])
        return _noted(found, "the baseline is one run, taken as it is")
    if len(others) == 1:
        found = _mean([others[0] - value for value in ones])
        return _noted(found, "this is one run, taken as it is")
    if baseline.keys() == other.keys():
        found = _mean([other[seed] - value for seed, value in baseline.items()])
        return _noted(found, "seed by seed")
    if max(map(abs, [*ones, *others])) > _LARGEST:
        return Interval(estimate=None, n=len(ones) + len(others), note=_TOO_LARGE)
    return _noted(welch(ones, others), "other seeds: both vary on their own")


def _mean(values: Sequence[float]) -> Interval:
    if max(map(abs, values)) > _LARGEST and len(values) > 1:
        return Interval(estimate=None, n=len(values), note=_TOO_LARGE)
    return mean_interval(values)


def _finite(value: float) -> float | None:
    return value if math.isfinite(value) else None


def _noted(found: Interval, note: str) -> Interval:
    return found.model_copy(update={"note": f"{note}; {found.note}" if found.note else note})


def _compare(cell: Cell, found: Interval) -> None:
    cell.delta, cell.delta_low, cell.delta_high = found.estimate, found.low, found.high
    cell.note = f"{cell.note}; {found.note}" if cell.note else found.note

"""What a study's runs tell together: cells, effects, interactions and cost.

Pure functions over results, wherever those were read from: the API takes them from SQL, the command
line from the runs' event logs.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from fnmatch import fnmatchcase
from typing import NamedTuple

from pydantic import BaseModel, ConfigDict, Field

from app.effects import Effect, Observation, effects
from app.statistics import Interval, mean_interval
from core.errors import Problem
from core.states import RunStatus
from core.study import StudyPlan


class Course(NamedTuple):
    """A metric's first and last value by step; None where it was not finite."""

    first: float | None
    last: float | None


class Result(NamedTuple):
    """What one run of a study has come to.

    Attributes:
        name: of the cell and seed.
        levels: factor to level.
        seed: the run's seed.
        state: a `RunStatus`, or another word for where it stands.
        problem: why it failed.
        metrics: course of each metric.
        seconds: wall-clock time of all attempts; None if unknown.
        tokens: tokens put through the network in training; None if unknown.
        devices: that it trains on at once.
        run_id: of the run in the studio, if it is one.
    """

    name: str
    levels: dict[str, str]
    seed: int
    state: str
    problem: Problem | None
    metrics: dict[str, Course]
    seconds: float | None
    tokens: float | None
    devices: int = 1
    run_id: str | None = None


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True)


class Outcome(_Part):
    """A metric in one cell."""

    final: Interval = Field(description="Mean over seeds of the last value, with a t interval.")
    gain: Interval = Field(description="Likewise for the last value less the first.")


class Cost(_Part):
    """What runs took, whatever became of them; null where nothing is known."""

    seconds: float | None = Field(description="Wall-clock time of all attempts.")
    device_seconds: float | None = Field(
        description="The same, each device of a run counted by itself."
    )
    tokens: float | None = Field(description="Tokens put through the network in training.")


class CellReport(_Part):
    """One combination of levels, over its seeds."""

    levels: dict[str, str]
    seeds: list[int] = Field(description="Seeds of the runs that succeeded.")
    states: dict[str, int] = Field(description="Runs by state.")
    outcomes: dict[str, Outcome] = Field(description="By metric; of runs that succeeded.")
    cost: Cost = Field(description="Of all runs of the cell together.")


class MetricEffects(_Part):
    """Effects on one metric's last value."""

    metric: str
    effects: list[Effect]


class Gap(_Part):
    """A run that the comparisons lack."""

    run: str
    metric: str | None = Field(description="Null if the run did not succeed.")
    reason: str
    run_id: str | None = Field(default=None, description="The run in the studio, if it is there.")


class StudyReport(_Part):
    """A study's table, effects and interactions."""

    name: str
    factors: dict[str, list[str]]
    baselines: dict[str, str]
    metrics: list[str]
    cells: list[CellReport]
    effects: list[MetricEffects]
    cost: Cost
    gaps: list[Gap] = Field(description="What did not run or has no value.")


def build_report(plan: StudyPlan, results: Sequence[Result]) -> StudyReport:
    """Put results together. Only runs that succeeded count as outcomes; all count as cost."""
    done = [result for result in results if result.state == RunStatus.SUCCEEDED.value]
    metrics = _metrics(plan.metrics, done)
    factors = {factor: list(levels) for factor, levels in plan.factors.items()}
    return StudyReport(
        name=plan.name,
        factors=factors,
        baselines=plan.baselines,
        metrics=metrics,
        cells=[_cell(group, metrics) for group in _by_levels(results)],
        effects=[
            MetricEffects(
                metric=metric, effects=effects(_observed(done, metric), factors, plan.baselines)
            )
            for metric in metrics
        ],
        cost=cost_of(results),
        gaps=gaps_of(results, metrics),
    )


def _metrics(wanted: Sequence[str], done: Sequence[Result]) -> list[str]:
    known = sorted({name for result in done for name in result.metrics})
    found: dict[str, None] = {}
    for pattern in wanted:
        matching = [name for name in known if fnmatchcase(name, pattern)]
        # A plain name is asked for, so that it is missing must be seen.
        found |= dict.fromkeys(matching or ([] if "*" in pattern else [pattern]))
    return list(found)


def _by_levels(results: Sequence[Result]) -> list[list[Result]]:
    groups: dict[tuple[tuple[str, str], ...], list[Result]] = {}
    for result in results:
        groups.setdefault(tuple(result.levels.items()), []).append(result)
    return list(groups.values())


def _cell(group: list[Result], metrics: Sequence[str]) -> CellReport:
    done = [result for result in group if result.state == RunStatus.SUCCEEDED.value]
    return CellReport(
        levels=group[0].levels,
        seeds=[result.seed for result in done],
        states=dict(Counter(result.state for result in group)),
        outcomes={metric: _outcome(done, metric) for metric in metrics},
        cost=cost_of(group),
    )


def _outcome(done: Sequence[Result], metric: str) -> Outcome:
    courses = [result.metrics[metric] for result in done if metric in result.metrics]
    return Outcome(
        final=mean_interval([course.last for course in courses if course.last is not None]),
        gain=mean_interval(
            [
                course.last - course.first
                for course in courses
                if course.last is not None and course.first is not None
            ]
        ),
    )


def _observed(done: Sequence[Result], metric: str) -> list[Observation]:
    return [
        Observation(result.levels, result.seed, value)
        for result in done
        if metric in result.metrics and (value := result.metrics[metric].last) is not None
    ]


def cost_of(results: Sequence[Result]) -> Cost:
    """What runs took together, as far as it is known."""
    timed = [(one.seconds, one.devices) for one in results if one.seconds is not None]
    tokens = [result.tokens for result in results if result.tokens is not None]
    return Cost(
        seconds=sum(seconds for seconds, _ in timed) if timed else None,
        device_seconds=sum(seconds * devices for seconds, devices in timed) if timed else None,
        tokens=sum(tokens) if tokens else None,
    )


def gaps_of(results: Sequence[Result], metrics: Sequence[str]) -> list[Gap]:
    """Every run without an outcome, or without one of the metrics, and why."""
    gaps: list[Gap] = []
    for result in results:
        if result.state != RunStatus.SUCCEEDED.value:
            reason = f"{result.state}: {result.problem.message}" if result.problem else result.state
            gaps.append(Gap(run=result.name, metric=None, reason=reason, run_id=result.run_id))
            continue
        for metric in metrics:
            if metric not in result.metrics:
                reason = "never reported"
            elif result.metrics[metric].last is None:
                reason = "not finite at the end"
            else:
                continue
            gaps.append(Gap(run=result.name, metric=metric, reason=reason, run_id=result.run_id))
    return gaps

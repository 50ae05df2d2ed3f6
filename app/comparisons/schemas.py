"""What the routes of comparisons give."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Literal

from pydantic import Field

from app.schemas import Schema
from app.statistics import Interval
from core.events import NonFinite
from core.states import RunKind, RunStatus

Statistic = Literal["last", "min", "max"]
Axis = Literal["step", "tokens", "epoch", "time", "wall"]
Spread = Literal["sd", "range", "interval"]
Source = Literal["config", "environment"]


class ComparedRun(Schema):
    """A run that is compared."""

    id: str
    project_id: str
    name: str
    kind: RunKind
    status: RunStatus
    model: str
    seed: int
    step: int
    total_steps: int | None
    attempt: int
    created_at: datetime


class ComparedColumn(Schema):
    """A run, or several that differ only in their seeds."""

    key: str = Field(description="Identifier of its first run; stays whatever else is compared.")
    label: str
    baseline: bool
    runs: list[ComparedRun]


class ConfigRow(Schema):
    """One field of what the runs were made with, by column."""

    source: Source = Field(
        description="`config`: what was asked for. `environment`: what the run found on its worker."
    )
    path: str
    differs: bool
    present: list[bool] = Field(description="By column: whether its runs have this field.")
    values: list[Any] = Field(
        description="By column; the seed of a column of several runs is a list."
    )


class Cell(Schema):
    """A metric in one column, and against the baseline."""

    value: float | None = Field(description="Of one run, or the mean of a column's runs.")
    low: float | None = Field(default=None, description="Interval of the mean (Student's t).")
    high: float | None = None
    n: int = Field(description="Runs that have a value.")
    non_finite: NonFinite | None = Field(
        default=None, description="What a run's newest value is, if it is no number."
    )
    delta: float | None = Field(default=None, description="Less the baseline's value.")
    delta_low: float | None = None
    delta_high: float | None = None
    note: str = Field(default="", description="What the figures leave out or rest on.")


class MetricRow(Schema):
    """A metric by column."""

    name: str
    better: Literal["higher", "lower"] | None = Field(description="Null where that depends.")
    cells: list[Cell | None] = Field(description="Null where no run of the column reported it.")


class EvaluationResult(Schema):
    """The newest result of a run's model on a set."""

    name: str = Field(description="`RUN:CURSOR`, as the routes of evaluations take it.")
    run_id: str = Field(description="The compared run.")
    made_by: str = Field(description="The run that made it: the same, or an evaluation of it.")
    seed: int
    step: int | None = Field(description="Optimizer steps done; null if made after the run.")
    questions: int | None
    answers: int | None


class EvaluationPair(Schema):
    """What to ask `GET /api/evaluations/compare` for."""

    first: list[str] = Field(description="The baseline's results.")
    second: list[str] = Field(description="The column's, seed by seed.")


class EvaluationCell(Schema):
    """A set's results in one column."""

    results: list[EvaluationResult]
    accuracy: Interval = Field(description="Wilson interval of one run, t interval of several.")
    jsd: Interval = Field(description="Forward JSD to the base, nats per token; mean over seeds.")
    base_logprob: Interval = Field(
        description="Log-probability of the answers under the base, nats per token."
    )
    pair: EvaluationPair | None = Field(description="Null where there is nothing to pair.")
    reason: str = Field(description="Why there is nothing to pair; empty for the baseline.")
    note: str = Field(description="What the pairs leave out or rest on.")


class EvaluationRow(Schema):
    """A set of questions by column."""

    set: str
    chance: float | None
    cells: list[EvaluationCell]


class RunComparison(Schema):
    """Runs against a baseline. Differences are the column's less the baseline's."""

    baseline: str | None = Field(description="The run that is compared against.")
    missing: list[str] = Field(description="Runs that were asked for and do not exist.")
    columns: list[ComparedColumn] = Field(
        description="The baseline's first, the others as asked for."
    )
    config: list[ConfigRow] = Field(description="Every field; `differs` marks the differences.")
    metrics: list[MetricRow]
    evaluations: list[EvaluationRow]


class NonFiniteAt(Schema):
    """A value that JSON has no number for."""

    x: float
    value: NonFinite


class Curve(Schema):
    """A metric's course in one column.

    Of several runs: their mean and spread at each step. Where there are more points than asked for,
    those of a bucket become their mean, with the lowest and the highest as the band, so that no
    spike is lost. A smaller range therefore shows more detail.
    """

    key: str = Field(description="Of its column.")
    x: list[float]
    steps: list[int]
    values: list[float | None] = Field(description="Null where no value was finite.")
    low: list[float | None] | None = Field(description="Null where there is no band.")
    high: list[float | None] | None
    counts: list[int] = Field(description="Steps that each point stands for.")
    runs: list[int] | None = Field(description="Fewest runs behind each point; null of one run.")
    non_finite: list[NonFiniteAt] = Field(description="The first 100.")
    points: int = Field(description="Steps in the range.")


class CurveSet(Schema):
    """A metric's curves, a column each; columns that lack it, or the axis, are absent."""

    name: str
    axis: Axis
    items: list[Curve]

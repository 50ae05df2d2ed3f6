"""What runs are filtered, sorted and grouped by, as SQL over `Run`.

Besides the names here there are `metric:PATH`, a metric's newest value (`@min` or `@max` after it:
its extremes), and `param:PATH`, a field of the configuration.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final

from sqlalchemy import ColumnElement, Float, SQLColumnExpression, Text, case, cast, func, select
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.orm import InstrumentedAttribute
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.functions import FunctionElement

from app.models import MetricName, Project, Run, RunMetric, RunTag, Study, Worker
from app.models.base import database_epoch
from app.runs.parameters import parameters
from core.errors import Problem, StudioError
from core.methods import MECHANISMS
from core.states import RunKind, RunStatus

Column = SQLColumnExpression[Any]
Condition = ColumnElement[bool]
BY_METRIC: Final = "metric:"
BY_PARAMETER: Final = "param:"
_EXTREMES: Final[dict[str, Column]] = {
    "last": RunMetric.last.expression,
    "min": RunMetric.minimum.expression,
    "max": RunMetric.maximum.expression,
}


class Kind(StrEnum):
    """How a field's values are compared."""

    TEXT = "text"
    NUMBER = "number"
    FLAG = "flag"
    TIME = "time"
    CHOICE = "choice"
    """One of a few words."""
    NAMED = "named"
    """Another thing, known by its identifier and its name."""
    TAG = "tag"
    """Any number of words."""
    MECHANISM = "mechanism"


@dataclass(frozen=True)
class Field:
    """A field of runs.

    Attributes:
        value: what is compared, shown and sorted by.
        key: what tells groups apart, where that is not the value.
        choices: all values there are, in their order; empty where there is no end of them.
        metric: path and column of what stands in rows of its own, by an index on its values.
    """

    kind: Kind
    value: Column
    key: Column | None = None
    choices: Sequence[str] = ()
    metric: tuple[str, Column] | None = None

    def holds(self, test: Callable[[Column], Condition]) -> Condition:
        """That a run's value passes the test."""
        if self.metric is None:
            return test(self.value)
        name, column = self.metric
        passing = select(RunMetric.run_id).where(RunMetric.name_id == _known(name), test(column))
        return Run.id.in_(passing)

    @property
    def order(self) -> Column:
        """What runs are sorted by."""
        if self.kind is Kind.CHOICE:
            places = {choice: place for place, choice in enumerate(self.choices)}
            return case(places, value=self.value)
        if self.kind in {Kind.TEXT, Kind.NAMED, Kind.TAG, Kind.MECHANISM}:
            return sortable(self.value)
        return self.value


class sortable(FunctionElement[str]):  # noqa: N801 - used like an SQL function
    """Text in an order that does not depend on the database's language; case does not matter."""

    type = Text()
    inherit_cache = True


class epoch(FunctionElement[float]):  # noqa: N801 - used like an SQL function
    """A time's seconds since the Unix epoch."""

    type = Float()
    inherit_cache = True


@compiles(sortable, "sqlite")
def _sqlite_sortable(element: Any, compiler: SQLCompiler, **more: Any) -> str:  # noqa: ANN401
    return f"lower({compiler.process(element.clauses, **more)})"


@compiles(sortable, "postgresql")
def _postgresql_sortable(element: Any, compiler: SQLCompiler, **more: Any) -> str:  # noqa: ANN401
    return f'(lower({compiler.process(element.clauses, **more)}) COLLATE "C")'


@compiles(epoch, "sqlite")
def _sqlite_epoch(element: Any, compiler: SQLCompiler, **more: Any) -> str:  # noqa: ANN401
    return f"((julianday({compiler.process(element.clauses, **more)}) - 2440587.5) * 86400.0)"


@compiles(epoch, "postgresql")
def _postgresql_epoch(element: Any, compiler: SQLCompiler, **more: Any) -> str:  # noqa: ANN401
    inner = compiler.process(element.clauses, **more)
    return f"extract(epoch from {inner})::double precision"


def _named(table: type[Any], key: InstrumentedAttribute[Any]) -> Field:
    name = select(table.name).where(table.id == key).correlate(Run).scalar_subquery()
    return Field(Kind.NAMED, name, key)


_FIRST_TAG = (
    select(func.min(RunTag.tag)).where(RunTag.run_id == Run.id).correlate(Run).scalar_subquery()
)
_END = func.coalesce(epoch(Run.finished_at), database_epoch())

FIELDS: Final[dict[str, Field]] = {
    "name": Field(Kind.TEXT, Run.name),
    "status": Field(Kind.CHOICE, Run.status, choices=tuple(RunStatus)),
    "kind": Field(Kind.CHOICE, Run.kind, choices=tuple(RunKind)),
    "method": Field(Kind.TEXT, Run.method),
    "mechanism": Field(Kind.MECHANISM, Run.mechanisms, choices=MECHANISMS),
    "model": Field(Kind.TEXT, Run.model),
    "data": Field(Kind.TEXT, Run.data),
    "seed": Field(Kind.NUMBER, Run.seed),
    "tag": Field(Kind.TAG, _FIRST_TAG),
    "study": _named(Study, Run.study_id),
    "worker": _named(Worker, Run.worker_id),
    "project": _named(Project, Run.project_id),
    "attempt": Field(Kind.NUMBER, Run.attempt_count),
    "priority": Field(Kind.NUMBER, Run.priority),
    "step": Field(Kind.NUMBER, Run.step),
    "progress": Field(Kind.NUMBER, cast(Run.step, Float) / func.nullif(Run.total_steps, 0)),
    "last_loss": Field(Kind.NUMBER, Run.last_loss),
    "duration": Field(Kind.NUMBER, _END - epoch(Run.started_at)),
    "created_at": Field(Kind.TIME, Run.created_at),
    "started_at": Field(Kind.TIME, Run.started_at),
    "finished_at": Field(Kind.TIME, Run.finished_at),
}

GROUPS: Final = ("status", "kind", "method", "model", "data", "seed", "study", "tag", "worker")
"""Fields that runs can be grouped by, besides `project` and those of the configuration."""


def field_of(name: str, where: str) -> Field:
    """A field by its name, `metric:` and `param:` included.

    Raises:
        StudioError: `field_unknown`, at the query parameter `where`.
    """
    if name.startswith(BY_METRIC):
        metric, which = metric_of(name)
        column = _EXTREMES[which]
        return Field(Kind.NUMBER, _metric(metric, column), metric=(metric, column))
    if name.startswith(BY_PARAMETER):
        return _parameter(name.removeprefix(BY_PARAMETER), where)
    if name in FIELDS:
        return FIELDS[name]
    raise _unknown(f"Runs have no field “{name}”.", f"There are {', '.join(FIELDS)}.", where)


def metric_of(name: str) -> tuple[str, str]:
    """Path, and which of its values: `metric:train/loss@min` → `train/loss`, `min`."""
    path = name.removeprefix(BY_METRIC)
    head, at, which = path.rpartition("@")
    return (head, which) if at and head and which in _EXTREMES else (path, "last")


def _known(metric: str) -> ColumnElement[int | None]:
    return select(MetricName.id).where(MetricName.name == metric).scalar_subquery()


def _metric(metric: str, column: Column) -> Column:
    return (
        select(column)
        .where(RunMetric.run_id == Run.id, RunMetric.name_id == _known(metric))
        .correlate(Run)
        .scalar_subquery()
    )


def _parameter(path: str, where: str) -> Field:
    kind = parameters().get(path)
    value = Run.config[tuple(path.split("."))]
    if kind == "text":
        return Field(Kind.TEXT, value.as_string())
    if kind == "number":
        return Field(Kind.NUMBER, value.as_float())
    if kind == "flag":
        return Field(Kind.FLAG, value.as_boolean())
    told = "`GET /api/runs/fields` lists them, such as `training.learning_rate`."
    raise _unknown(f"Configurations have no plain field “{path}”.", told, where)


def _unknown(message: str, remedy: str, where: str) -> StudioError:
    return StudioError(Problem(code="field_unknown", message=message, remedy=remedy, field=where))

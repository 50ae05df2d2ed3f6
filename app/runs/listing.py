"""All SQL that lists runs: which, in what order and groups, and their rows without ballast."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final, NamedTuple

from sqlalchemy import ColumnElement, Row, Select, SQLColumnExpression, exists, func, select
from sqlalchemy.orm import Session

from app.metrics import repository as metrics
from app.models import MetricName, Project, Run, RunMetric, RunTag, Study, Worker
from app.runs.fields import BY_METRIC, Field, Kind, field_of, metric_of
from core.states import RunKind, RunStatus

_NONE: Final = ""
"""Stands for the group of those without a value, as in filters."""


@dataclass(frozen=True)
class RunFilter:
    """Which runs a list shows; `more` are conditions of `app.runs.filters`."""

    project_id: str | None = None
    experiment_id: str | None = None
    statuses: Sequence[RunStatus] = ()
    text: str | None = None
    kind: RunKind | None = None
    ids: Sequence[str] = ()
    id_prefix: str | None = None
    more: Sequence[ColumnElement[bool]] = ()


def count(session: Session, wanted: RunFilter) -> int:
    """How many runs there are."""
    statement = select(func.count()).select_from(Run).where(*_conditions(wanted))
    return session.execute(statement).scalar_one()


def list_ids(
    session: Session, wanted: RunFilter, *, sort: str, limit: int, offset: int
) -> list[str]:
    """Identifiers of a page of runs; what is sorted are those alone, as whole rows are heavy.

    `sort` is a field; `-` before it sorts downwards. Runs without a value come last.
    """
    conditions = _conditions(wanted)
    name = sort.removeprefix("-")
    down = sort.startswith("-")
    if name.startswith(BY_METRIC):
        metric, which = metric_of(name)
        if which == "last":
            return _by_metric(session, conditions, metric, down=down, limit=limit, offset=offset)
    last = Run.id.desc() if down else Run.id.asc()
    page = select(Run.id).where(*conditions).order_by(_order(name, down=down), last)
    return list(session.scalars(page.limit(limit).offset(offset)))


def _order(name: str, *, down: bool) -> ColumnElement[Any]:
    field = field_of(name, "sort")
    order: ColumnElement[Any] = field.order.desc() if down else field.order.asc()
    # What always has a value may be read in the order of an index.
    return order if name in _ALWAYS else order.nulls_last()


_ALWAYS: Final = frozenset({"created_at", "name", "status", "kind"})


def _by_metric(
    session: Session,
    conditions: list[ColumnElement[bool]],
    name: str,
    *,
    down: bool,
    limit: int,
    offset: int,
) -> list[str]:
    """A page of runs in the order of an index on the metric's values, then those without one."""
    mine = (
        RunMetric.name_id == metrics.name_ids(session, [name]).get(name),
        RunMetric.last.is_not(None),
        RunMetric.run_id == Run.id,
    )
    order = [RunMetric.last, RunMetric.run_id]
    valued = select(RunMetric.run_id).join(Run, Run.id == RunMetric.run_id)
    valued = valued.where(*mine, *conditions)
    page = valued.order_by(*(column.desc() if down else column for column in order))
    ids = list(session.scalars(page.limit(limit).offset(offset)))
    if len(ids) == limit:
        return ids
    before = session.scalar(select(func.count()).select_from(valued.subquery())) or 0
    others = select(Run.id).where(~exists().where(*mine), *conditions).order_by(Run.id)
    others = others.limit(limit - len(ids)).offset(max(0, offset - before))
    return [*ids, *session.scalars(others)]


def _conditions(wanted: RunFilter) -> list[ColumnElement[bool]]:
    conditions: list[ColumnElement[bool]] = [Run.deleting.is_(False), *wanted.more]
    if wanted.project_id:
        conditions.append(Run.project_id == wanted.project_id)
    if wanted.experiment_id:
        conditions.append(Run.experiment_id == wanted.experiment_id)
    if wanted.kind:
        conditions.append(Run.kind == wanted.kind)
    else:  # exports are shown beside the run that they are made of
        conditions.append(Run.kind != RunKind.EXPORT)
    if wanted.statuses:
        conditions.append(Run.status.in_(wanted.statuses))
    if wanted.id_prefix:
        conditions.append(Run.id.startswith(wanted.id_prefix, autoescape=True))
    if wanted.text:
        conditions.append(Run.name.icontains(wanted.text, autoescape=True))
    if wanted.ids:
        conditions.append(Run.id.in_(wanted.ids))
    return conditions


_COLUMNS: Final = (
    Run.id,
    Run.project_id,
    Project.name.label("project"),
    Run.experiment_id,
    Run.kind,
    Run.name,
    Run.status,
    Run.phase,
    Run.phase_detail,
    Run.phase_current,
    Run.phase_total,
    Run.step,
    Run.total_steps,
    Run.step_seconds,
    Run.model,
    Run.data,
    Run.seed,
    Run.method,
    Run.mechanisms,
    Run.study_id,
    Study.name.label("study"),
    Run.attempt_count,
    Worker.name.label("worker"),
    Run.version,
    Run.queue,
    Run.priority,
    Run.stop_mode,
    Run.not_before,
    Run.created_at,
    Run.started_at,
    Run.finished_at,
    Run.last_loss,
    Run.problem,
)


def rows(session: Session, ids: Sequence[str], *, with_config: bool) -> list[Row[Any]]:
    """What lists show of these runs, in their order; those that are gone are left out."""
    columns = (*_COLUMNS, Run.config) if with_config else _COLUMNS
    statement = (
        select(*columns)
        .join(Project, Project.id == Run.project_id)
        .outerjoin(Study, Study.id == Run.study_id)
        .outerjoin(Worker, Worker.id == Run.worker_id)
        .where(Run.id.in_(ids))
    )
    found = {row.id: row for row in session.execute(statement)}
    return [found[run_id] for run_id in ids if run_id in found]


def tags(session: Session, ids: Sequence[str]) -> dict[str, list[str]]:
    """Tags in their order, by run."""
    statement = select(RunTag.run_id, RunTag.tag).where(RunTag.run_id.in_(ids))
    found: dict[str, list[str]] = {}
    for run_id, tag in session.execute(statement.order_by(RunTag.tag)):
        found.setdefault(run_id, []).append(tag)
    return found


class Pick(NamedTuple):
    """What one must know of a run to decide about it."""

    id: str
    name: str
    kind: RunKind
    status: RunStatus
    attempt: int
    version: int


def picks(session: Session, ids: Sequence[str]) -> list[Pick]:
    """These runs, in their order."""
    columns = (Run.id, Run.name, Run.kind, Run.status, Run.attempt_count, Run.version)
    found: dict[str, Pick] = {}
    for start in range(0, len(ids), 1000):
        statement = select(*columns).where(Run.id.in_(ids[start : start + 1000]))
        found |= {row[0]: Pick(*row) for row in session.execute(statement)}
    return [found[run_id] for run_id in ids if run_id in found]


@dataclass(frozen=True)
class Spread:
    """A metric's newest values in a group."""

    count: int
    mean: float
    lowest: float
    highest: float


@dataclass
class Group:
    """Runs with the same value of a field; `value` is empty where they have none."""

    value: str
    label: str
    states: dict[RunStatus, int]
    metrics: dict[str, Spread]

    @property
    def count(self) -> int:
        """How many they are."""
        return sum(self.states.values())


def groups(
    session: Session, wanted: RunFilter, by: str, metric_names: Sequence[str]
) -> list[Group]:
    """The groups in the order of their labels, those without a value last.

    A run with several tags is in several groups.
    """
    field = field_of(by, "by")
    key = _key(field)
    label = field.value if field.kind is Kind.NAMED else key
    conditions = _conditions(wanted)
    counted = _grouped(select(key, label, Run.status, func.count()), field, conditions)
    found: dict[str, Group] = {}
    for value, words, status, number in session.execute(counted.group_by(key, label, Run.status)):
        name = _text(value)
        group = found.setdefault(name, Group(name, _text(words), {}, {}))
        group.states[status] = number
    if metric_names:
        _add_spreads(session, found, field, conditions, metric_names)
    return sorted(found.values(), key=lambda group: _place(field, group))


def _add_spreads(
    session: Session,
    found: dict[str, Group],
    field: Field,
    conditions: list[ColumnElement[bool]],
    names: Sequence[str],
) -> None:
    key, last = _key(field), RunMetric.last
    figures = (func.count(last), func.avg(last), func.min(last), func.max(last))
    statement = (
        _grouped(select(key, MetricName.name, *figures), field, conditions)
        .join(RunMetric, RunMetric.run_id == Run.id)
        .join(MetricName, MetricName.id == RunMetric.name_id)
        .where(MetricName.name.in_(names), last.is_not(None))
        .group_by(key, MetricName.name)
    )
    for value, name, *spread in session.execute(statement):
        if group := found.get(_text(value)):
            group.metrics[name] = Spread(*spread)


def _grouped(
    statement: Select[Any], field: Field, conditions: list[ColumnElement[bool]]
) -> Select[Any]:
    statement = statement.select_from(Run).where(*conditions)
    if field.kind is Kind.TAG:
        statement = statement.outerjoin(RunTag, RunTag.run_id == Run.id)
    return statement


def _key(field: Field) -> SQLColumnExpression[Any]:
    if field.kind is Kind.TAG:
        return RunTag.tag
    return field.value if field.key is None else field.key


def _text(value: object) -> str:
    """A value as filters name it."""
    if value is None:
        return _NONE
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return str(value)


def _place(field: Field, group: Group) -> tuple[bool, float, str]:
    number = 0.0
    if field.kind is Kind.NUMBER and group.value != _NONE:
        number = float(group.value)
    elif field.kind is Kind.CHOICE:
        number = float(field.choices.index(group.value))
    return group.value == _NONE, number, group.label.lower()

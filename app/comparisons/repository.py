"""All SQL of comparisons."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.metrics.points import Points, join, unpack
from app.metrics.repository import Newest
from app.models import Attempt, MetricChunk, MetricName, Run, RunEvent, RunMetric
from app.storage.keys import key_of_weights
from core.states import RunKind


class Result(NamedTuple):
    """An evaluation's result on one set."""

    run_id: str
    cursor: int
    attempt: int
    step: int
    time: float
    payload: dict[str, object]


def find_runs(session: Session, run_ids: Sequence[str]) -> dict[str, Run]:
    """Those of the runs that exist; exports have nothing to compare."""
    statement = select(Run).where(
        Run.id.in_(run_ids), Run.deleting.is_(False), Run.kind != RunKind.EXPORT
    )
    return {run.id: run for run in session.scalars(statement)}


def newest(session: Session, run_ids: Sequence[str]) -> dict[str, dict[str, Newest]]:
    """Newest values of everything that runs reported, by run and metric."""
    statement = (
        select(
            RunMetric.run_id,
            MetricName.name,
            RunMetric.last,
            RunMetric.last_name,
            RunMetric.minimum,
            RunMetric.maximum,
        )
        .join(MetricName, MetricName.id == RunMetric.name_id)
        .where(RunMetric.run_id.in_(run_ids))
    )
    found: dict[str, dict[str, Newest]] = {run_id: {} for run_id in run_ids}
    for run_id, name, last, last_name, minimum, maximum in session.execute(statement):
        found[run_id][name] = {
            "last": last,
            "non_finite": last_name,
            "min": minimum,
            "max": maximum,
        }
    return found


def results(session: Session, run_ids: Sequence[str]) -> list[Result]:
    """All results of runs' evaluations, in the order in which they were made."""
    statement = (
        select(
            RunEvent.run_id,
            RunEvent.cursor,
            RunEvent.attempt_number,
            RunEvent.step,
            RunEvent.time,
            RunEvent.payload,
        )
        .where(RunEvent.run_id.in_(run_ids), RunEvent.kind == "evaluation")
        .order_by(RunEvent.time, RunEvent.cursor)
    )
    return [Result(*row) for row in session.execute(statement)]


def evaluations_of(session: Session, runs: Sequence[Run]) -> dict[str, str]:
    """Evaluations of their own of the adapters that runs ended with: evaluation to run."""
    adapter = Run.config["adapter"].as_string()
    statement = select(Run.id, adapter).where(
        Run.kind == RunKind.EVALUATION,
        Run.deleting.is_(False),
        Run.project_id.in_({run.project_id for run in runs}),
        adapter.is_not(None),
    )
    wanted = {run.id for run in runs}
    found = {}
    for evaluation, path in session.execute(statement):
        key = key_of_weights(path)
        _, run_id, _, folder, *_ = key.split("/") if key else ("", "", "", "")
        if run_id in wanted and folder == "adapter":
            found[evaluation] = run_id
    return found


def series(
    session: Session,
    run_ids: Sequence[str],
    name: str,
    from_step: int | None = None,
    to_step: int | None = None,
) -> dict[str, list[tuple[int, Points]]]:
    """A metric of several runs: of each attempt, in order, its first step and its points.

    The points are those of all chunks that the range touches.
    """
    firsts = _first_steps(session, run_ids, name)
    statement = (
        select(
            MetricChunk.attempt_id,
            MetricChunk.points,
            MetricChunk.first_step,
            MetricChunk.last_step,
            MetricChunk.data,
        )
        .join(MetricName, MetricName.id == MetricChunk.name_id)
        .where(MetricChunk.attempt_id.in_(list(firsts)), MetricName.name == name)
        .order_by(MetricChunk.attempt_id, MetricChunk.number)
    )
    if from_step is not None:
        statement = statement.where(MetricChunk.last_step >= from_step)
    if to_step is not None:
        statement = statement.where(MetricChunk.first_step <= to_step)
    chunks: dict[int, list[Points]] = {}
    for attempt_id, count, first, last, data in session.execute(statement):
        chunks.setdefault(attempt_id, []).append(unpack(data, count, first, last))
    found: dict[str, list[tuple[int, Points]]] = {}
    for attempt_id, (run_id, first) in firsts.items():
        found.setdefault(run_id, []).append((first, join(chunks.get(attempt_id, []))))
    return found


def _first_steps(session: Session, run_ids: Sequence[str], name: str) -> dict[int, tuple[str, int]]:
    """Attempts that reported a metric, each run's in order, with their runs and first steps."""
    statement = (
        select(Attempt.id, Attempt.run_id, MetricChunk.first_step)
        .join(MetricChunk, MetricChunk.attempt_id == Attempt.id)
        .join(MetricName, MetricName.id == MetricChunk.name_id)
        .where(Attempt.run_id.in_(run_ids), MetricName.name == name, MetricChunk.number == 0)
        .order_by(Attempt.run_id, Attempt.number)
    )
    return {attempt: (run_id, first) for attempt, run_id, first in session.execute(statement)}

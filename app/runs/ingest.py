"""Copies what a trainer wrote into SQL, in batches, each exactly once.

The file position and the rows of a batch are written in one transaction, under the run's row lock;
an event whose number is already known is passed over. So a batch may be read again after a crash,
by anyone, without loss or doubles.
"""

from __future__ import annotations

import logging
import re
from typing import NamedTuple

from pydantic import ValidationError
from sqlalchemy import func, insert, select
from sqlalchemy.orm import Session

from app import notify
from app.db import JsonText, after_commit
from app.exports import repository as exports
from app.metrics import store as metrics
from app.models import Artifact, Attempt, Run, RunEvent, Trajectory
from app.runs.lifecycle import change_status, lock, next_cursors
from core.errors import Problem
from core.events import (
    ArtifactEvent,
    DatasetEvent,
    ExportEvent,
    FinishedEvent,
    MetricsEvent,
    MetricValue,
    PhaseEvent,
    ResumedEvent,
    StartedEvent,
    TrainEvent,
    TrajectoryEvent,
    train_event_adapter,
)
from core.states import LEASED, Cause, RunKind, RunStatus

_log = logging.getLogger(__name__)
_LOSS = "train/loss"
_WORK = frozenset({"training", "evaluating", "exporting"})
"""Phases in which a run does what it was made for."""
# Weight of the past in the moving mean of a step's duration.
_STEP_SECONDS_MEMORY = 0.8


# How the trainer's lines of metrics begin. What follows was checked and can be kept as it is.
_METRICS_HEAD = re.compile(rb'\{"v":1,"seq":\d+,"time":[-+.\dEe]+,"kind":"metrics",')


class _Reported(NamedTuple):
    """An event, and the line that it was read from."""

    event: TrainEvent
    line: bytes


class Position(NamedTuple):
    """Where a reader of an attempt's file has got to."""

    bytes: int
    finished: FinishedEvent | None


def ingest(session: Session, attempt_id: int, offset: int, lines: list[bytes], end: int) -> None:
    """Write a batch of complete lines.

    Args:
        session: A write transaction; the caller commits.
        attempt_id: Attempt whose file was read.
        offset: File position at which `lines` begin; ignored unless it is the known one.
        lines: Complete lines, each one event.
        end: File position after them.
    """
    attempt = session.get_one(Attempt, attempt_id)
    run = lock(session, attempt.run_id)
    session.refresh(attempt)
    if attempt.ingested_bytes != offset:
        return  # someone else was faster; the caller reads the position anew
    attempt.ingested_bytes = end
    session.flush()
    reported = _unknown(session, attempt_id, _parse(lines))
    if not reported:
        return
    _insert_events(session, run, attempt, reported)
    events = [event for event, _ in reported]
    _insert_details(session, run.id, attempt_id, events)
    for event in events:
        if isinstance(event, ResumedEvent):
            attempt.resumed = event.model_dump(include={"step", "exact", "reason"})
    if attempt.number == run.attempt_count:
        for event in events:
            _project(session, run, event)
    run_id = run.id
    session.flush()
    after_commit(session, lambda: notify.publish(run_id))


def position(session: Session, attempt_id: int) -> Position:
    """How far an attempt's file is known, and its last event if it has ended."""
    attempt = session.get_one(Attempt, attempt_id)
    payload = session.execute(
        select(RunEvent.payload).where(
            RunEvent.run_id == attempt.run_id,
            RunEvent.kind == "finished",
            RunEvent.attempt_id == attempt_id,
        )
    ).scalar_one_or_none()
    finished = None
    if payload is not None:
        finished = FinishedEvent.model_validate({**payload, "seq": 0, "time": 0.0})
    return Position(attempt.ingested_bytes, finished)


def _parse(lines: list[bytes]) -> list[_Reported]:
    reported: list[_Reported] = []
    for line in map(_without_nul, lines):
        try:
            reported.append(_Reported(train_event_adapter.validate_json(line), line))
        except ValidationError as error:
            # Only another version of the trainer or a damaged disk writes such lines.
            _log.error("unreadable event %r: %s", line[:200], error.errors()[0]["msg"])
    return reported


def _without_nul(line: bytes) -> bytes:
    """PostgreSQL cannot hold U+0000 in text, and a model may sample it."""
    return line.replace(b"\\u0000", b"\\ufffd") if b"\\u0000" in line else line


def _unknown(session: Session, attempt_id: int, reported: list[_Reported]) -> list[_Reported]:
    known = session.execute(
        select(func.max(RunEvent.seq)).where(RunEvent.attempt_id == attempt_id)
    ).scalar_one()
    return [one for one in reported if known is None or one.event.seq > known]


def _insert_events(session: Session, run: Run, attempt: Attempt, reported: list[_Reported]) -> None:
    first = next_cursors(session, run.id, len(reported))
    session.execute(
        insert(RunEvent),
        [
            {
                "run_id": run.id,
                "cursor": first + index,
                "attempt_id": attempt.id,
                "attempt_number": attempt.number,
                "seq": event.seq,
                "kind": event.kind,
                "step": getattr(event, "step", None),
                "time": event.time,
                "payload": _payload(event, line),
            }
            for index, (event, line) in enumerate(reported)
        ],
    )


def _payload(event: TrainEvent, line: bytes) -> JsonText:
    """The event without what other columns hold."""
    head = _METRICS_HEAD.match(line)
    if head is not None:
        return JsonText("{" + line[head.end() :].decode())
    return JsonText(event.model_dump_json(exclude={"v", "seq", "time", "kind"}))


def _insert_details(
    session: Session, run_id: str, attempt_id: int, events: list[TrainEvent]
) -> None:
    trajectories, artifacts = [], []
    for event in events:
        if isinstance(event, TrajectoryEvent):
            fields = event.model_dump(exclude={"v", "time", "kind"})
            trajectories.append({"run_id": run_id, "attempt_id": attempt_id, **fields})
        elif isinstance(event, ArtifactEvent):
            fields = event.model_dump(exclude={"v", "time", "kind", "artifact"})
            artifacts.append(
                {"run_id": run_id, "attempt_id": attempt_id, "kind": event.artifact, **fields}
            )
    metrics.append(
        session, run_id, attempt_id, (one for one in events if isinstance(one, MetricsEvent))
    )
    if trajectories:
        session.execute(insert(Trajectory), trajectories)
    if artifacts:
        session.execute(insert(Artifact), artifacts)


def _project(session: Session, run: Run, event: TrainEvent) -> None:
    """Bring the run's row up to date with one event of its current attempt."""
    if isinstance(event, PhaseEvent):
        if run.status not in LEASED:
            return  # written by a trainer that nobody waits for any more
        if run.kind is RunKind.EXPORT and (run.phase, run.phase_detail) != (
            event.phase,
            event.detail[:500],
        ):
            exports.began_phase(session, run, event.time)
        run.phase, run.phase_detail = event.phase, event.detail[:500]
        run.phase_current, run.phase_total = event.current, event.total
        if event.phase in _WORK and run.status is RunStatus.STARTING:
            session.flush()
            change_status(
                session,
                run,
                RunStatus.RUNNING,
                Cause.WORK_BEGAN,
                actor=f"worker {run.worker_id}",
            )
    elif isinstance(event, MetricsEvent):
        _project_metrics(run, event)
    elif isinstance(event, DatasetEvent):
        run.dataset = event.model_dump(exclude={"v", "seq", "time", "kind"})
    elif isinstance(event, StartedEvent):
        run.started_on = event.model_dump(exclude={"v", "seq", "time", "kind"})
        if run.kind is RunKind.EXPORT:
            exports.unmake(session, run.id)
    elif isinstance(event, ExportEvent):
        exports.made(session, run, event)


def _project_metrics(run: Run, event: MetricsEvent) -> None:
    run.step, run.total_steps = max(run.step, event.step), event.total_steps
    if _LOSS in event.values:
        run.last_loss = _finite(event.values[_LOSS])
    duration = _finite(event.values.get("time/step"))
    if duration is not None:
        past = run.step_seconds
        run.step_seconds = (
            duration
            if past is None
            else _STEP_SECONDS_MEMORY * past + (1 - _STEP_SECONDS_MEMORY) * duration
        )


def _finite(value: MetricValue) -> float | None:
    return value if isinstance(value, float) else None


def final_status(
    finished: FinishedEvent | None, run_status: RunStatus
) -> tuple[RunStatus, Problem | None] | None:
    """What a finished attempt makes of its run; None if it was interrupted from outside."""
    if finished is None:
        return None
    if finished.outcome == "succeeded":
        return RunStatus.SUCCEEDED, None
    if finished.outcome == "failed":
        return RunStatus.FAILED, finished.problem
    return (RunStatus.STOPPED, None) if run_status is RunStatus.STOPPING else None

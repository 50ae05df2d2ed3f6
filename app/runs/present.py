"""Rows as the API shows them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from pathlib import PurePosixPath
from typing import Any

import numpy as np
from sqlalchemy import Row
from sqlalchemy.orm import Session

from app.metrics import repository as metrics
from app.metrics.downsample import bands, downsample
from app.metrics.points import Floats, Ints, Points
from app.models import Attempt, Run, RunEvent
from app.runs import lifecycle, listing, placement, repository
from app.runs.schemas import (
    AlarmOut,
    ArtifactOut,
    AttemptOut,
    Contact,
    DatasetReport,
    GpuMemory,
    LogLine,
    NonFinitePoint,
    Resumed,
    RunDetail,
    RunSummary,
    Series,
    TransitionOut,
    Waiting,
)
from app.settings import Settings
from core.config import RunConfig
from core.evaluation_job import EvaluationJob
from core.events import name_of
from core.export_job import ExportJob
from core.states import LEASED, RunKind, RunStatus

_ALARMS_SHOWN = 100
_LOSS = "train/loss"
_ABSENT = object()


def summaries(session: Session, runs: Sequence[Run]) -> list[RunSummary]:
    """Runs as lists show them; a few queries in all."""
    ids = [run.id for run in runs]
    return [RunSummary.model_validate(row) for row in rows(session, ids)]


def rows(
    session: Session,
    ids: Sequence[str],
    *,
    params: Sequence[str] = (),
    metric_names: Sequence[str] = (),
) -> list[dict[str, Any]]:
    """`RunRow`s in plain data: checking thousands of values anew costs more than reading them."""
    found = listing.rows(session, ids, with_config=bool(params))
    numbers = metrics.name_ids(session, list({*metric_names, _LOSS}))
    lines = metrics.sketches(session, ids, numbers.get(_LOSS))
    wanted = {name: numbers[name] for name in metric_names if name in numbers}
    newest = metrics.newest(session, ids, wanted) if wanted else {}
    tags = listing.tags(session, ids)
    now = lifecycle.now(session)
    paths = {path: path.split(".") for path in params}
    return [
        {
            **_summary(row, lines.get(row.id, []), tags.get(row.id, []), now),
            "params": _params(row.config, paths) if paths else {},
            "metrics": newest.get(row.id, {}),
        }
        for row in found
    ]


def _params(config: dict[str, Any], paths: Mapping[str, list[str]]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for path, keys in paths.items():
        value: Any = config
        for key in keys:
            value = value.get(key, _ABSENT) if isinstance(value, dict) else _ABSENT
        if value is not _ABSENT:
            found[path] = value
    return found


def detail(session: Session, run: Run, settings: Settings) -> RunDetail:
    """A run with everything but its series."""
    attempts = repository.attempts(session, run.id)
    worker_ids = {attempt.worker_id for attempt in attempts}
    names = repository.worker_names(session, {name for name in worker_ids if name})
    latest = attempts[-1] if attempts else None
    (row,) = rows(session, [run.id])
    summary = {name: row[name] for name in RunSummary.model_fields}
    started = run.started_on or {}
    alarms, alarm_count = repository.alarm_events(session, run.id, _ALARMS_SHOWN)
    return RunDetail(
        **summary,
        config=_config(run),
        labels=run.labels,
        gpu_memory_bytes=run.gpu_memory_bytes,
        time_limit_seconds=run.time_limit_seconds,
        used_seconds=run.used_seconds,
        waiting=_waiting(session, run, settings),
        contact=_contact(session, run, settings),
        attempts=[_attempt(attempt, names) for attempt in attempts],
        max_attempts=run.max_attempts + run.interruptions,
        artifacts=_artifacts(session, run, attempts),
        alarm_count=alarm_count,
        alarms=[
            AlarmOut(
                cursor=event.cursor, attempt=event.attempt_number, time=event.time, **event.payload
            )
            for event in alarms
        ],
        dataset=DatasetReport.model_validate(run.dataset) if run.dataset else None,
        device=started.get("device"),
        dtype=started.get("dtype"),
        versions=started.get("versions"),
        environment=started.get("environment", {}),
        metric_names=metrics.names(session, latest.id) if latest else [],
        cursor=run.event_cursor,
    )


def series(name: str, points: Points, limit: int) -> Series:
    """A metric's points, thinned out to `limit`."""
    kept = downsample(points, limit)
    gaps = kept.values[~np.isfinite(kept.values)]
    return Series(
        name=name,
        steps=kept.steps.tolist(),
        values=_numbers(kept.values),
        times=kept.times.tolist(),
        points=len(points.steps),
        non_finite=_named(kept.steps[~np.isfinite(kept.values)], gaps),
    )


def banded(name: str, points: Points, limit: int) -> Series:
    """A metric's points in at most `limit` buckets, each with its mean, lowest and highest."""
    kept = bands(points, limit)
    whole = len(kept.counts) == len(points.steps)
    return Series(
        name=name,
        steps=kept.points.steps.tolist(),
        values=_numbers(kept.points.values),
        times=kept.points.times.tolist(),
        points=len(points.steps),
        non_finite=_named(kept.gaps.steps, kept.gaps.values),
        low=None if whole else _numbers(kept.low),
        high=None if whole else _numbers(kept.high),
        counts=None if whole else kept.counts.tolist(),
    )


def _numbers(values: Floats) -> list[float | None]:
    """As JSON has them: null where a value is not finite."""
    listed: list[float | None] = values.tolist()
    for place in np.flatnonzero(~np.isfinite(values)).tolist():
        listed[place] = None
    return listed


def _named(steps: Ints, values: Floats) -> list[NonFinitePoint]:
    pairs = zip(steps.tolist(), values.tolist(), strict=True)
    return [NonFinitePoint(step=step, value=name_of(value)) for step, value in pairs]


def _summary(
    run: Row[Any], line: list[float | None], tags: list[str], now: datetime
) -> dict[str, Any]:
    end = run.finished_at or now
    return {
        "id": run.id,
        "project_id": run.project_id,
        "project": run.project,
        "experiment_id": run.experiment_id,
        "kind": run.kind,
        "name": run.name,
        "status": run.status,
        "phase": run.phase,
        "phase_detail": run.phase_detail,
        "progress": progress(run),
        "model": run.model or "",
        "data": run.data or "",
        "seed": run.seed,
        "method": run.method,
        "mechanisms": (run.mechanisms or "").split(),
        "study_id": run.study_id,
        "study": run.study,
        "tags": tags,
        "attempt": run.attempt_count,
        "worker": run.worker,
        "version": run.version,
        "queue": run.queue,
        "priority": run.priority,
        "stop_mode": run.stop_mode,
        "retry_at": run.not_before,
        "created_at": run.created_at,
        "started_at": run.started_at,
        "finished_at": run.finished_at,
        "duration_seconds": (end - run.started_at).total_seconds() if run.started_at else None,
        "last_loss": run.last_loss,
        "sparkline": line,
        "problem": run.problem,
    }


def _waiting(session: Session, run: Run, settings: Settings) -> Waiting | None:
    place = placement.places(session, [run], settings.stale_seconds).get(run.id)
    return Waiting(position=place.position, reasons=place.reasons) if place else None


def _contact(session: Session, run: Run, settings: Settings) -> Contact | None:
    if run.status not in LEASED or run.lease_expires_at is None:
        return None
    now = lifecycle.now(session).timestamp()
    left = run.lease_expires_at - now
    heard = max(0.0, settings.lease_seconds - left)
    return Contact(
        heard=heard,
        stale=heard > settings.stale_seconds,
        lease_left=max(0.0, left),
        wish_pending=run.status is RunStatus.STOPPING and run.kill_at is None,
        kill_in=None if run.kill_at is None else max(0.0, run.kill_at - now),
    )


def log_line(event: RunEvent) -> LogLine:
    """A line that the trainer reported, or lines that it printed."""
    told = event.payload
    printed = event.kind == "output"
    return LogLine(
        cursor=event.cursor,
        attempt=event.attempt_number,
        time=event.time,
        source=event.kind,
        level="info" if printed else told["level"],
        message=told["text"] if printed else told["message"],
    )


def transition(event: RunEvent) -> TransitionOut:
    """A change of state, or by a person, as the history shows it."""
    told = event.payload
    return TransitionOut(
        cursor=event.cursor,
        time=event.time,
        actor=told.get("actor", ""),
        status=told.get("status"),
        previous=told.get("previous"),
        cause=told.get("cause"),
        attempt=event.attempt_number,
        problem=told.get("problem"),
        changes=told.get("changes", {}),
    )


def progress(run: Row[Any]) -> dict[str, Any]:
    """How far a run is and how long it still takes: a `Progress` in plain data."""
    eta = None
    total, seconds = run.total_steps, run.step_seconds
    if run.status is RunStatus.RUNNING and total is not None and seconds is not None:
        eta = max(0, total - run.step) * seconds
    return {
        "step": run.step,
        "total_steps": run.total_steps,
        "phase_current": run.phase_current,
        "phase_total": run.phase_total,
        "eta_seconds": eta,
    }


def _config(run: Run) -> RunConfig | EvaluationJob | ExportJob:
    if run.kind is RunKind.EXPORT:
        return ExportJob.model_validate(run.config)
    if run.kind is RunKind.EVALUATION:
        return EvaluationJob.model_validate(run.config)
    return RunConfig.model_validate(run.config)


def _attempt(attempt: Attempt, workers: dict[str, str]) -> AttemptOut:
    return AttemptOut(
        number=attempt.number,
        worker=workers.get(attempt.worker_id or ""),
        hostname=attempt.hostname,
        directory=attempt.directory,
        started_at=attempt.started_at,
        ended_at=attempt.ended_at,
        outcome=attempt.outcome,
        exit_code=attempt.exit_code,
        resumed=Resumed.model_validate(attempt.resumed) if attempt.resumed else None,
        gpu_memory=GpuMemory.model_validate(attempt.gpu_memory) if attempt.gpu_memory else None,
    )


def _artifacts(session: Session, run: Run, attempts: list[Attempt]) -> list[ArtifactOut]:
    by_id = {attempt.id: attempt for attempt in attempts}
    return [
        ArtifactOut(
            id=artifact.id,
            attempt=by_id[artifact.attempt_id].number,
            kind=artifact.kind,
            directory=str(PurePosixPath(by_id[artifact.attempt_id].directory) / artifact.path),
            bytes=artifact.bytes,
            sha256=artifact.sha256,
            created_at=artifact.created_at,
        )
        for artifact in repository.artifacts(session, run.id)
    ]

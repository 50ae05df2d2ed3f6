"""How fast earlier runs were: measured, per worker and model; nothing is guessed."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, NamedTuple

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from app.models import Attempt, MetricChunk, MetricName, Run, RunEvent
from core.config import RunConfig
from core.states import RunKind

_RUNS: Final = 30
"""Newest runs with the model that are looked at."""
_OF_WORKER: Final = 5
_LEAST_STEPS: Final = 3
_PARTS: Final = ("rollout", "teacher", "student")
_METRICS: Final = (
    "time/step",
    "train/completion_length",
    *(f"{kind}/{part}" for kind in ("time", "tokens") for part in _PARTS),
)
_DOING: Final = {
    "negatives": "Writing negative demonstrations",
    "instructions": "Inducing instructions",
    "embeddings": "Embedding the prompts",
    "completions": "Sampling the base model's completions",
}


class Pace(NamedTuple):
    """What runs with a model measured on a worker, mean per step.

    Attributes:
        runs: how many.
        rates: tokens per second of each part of a step that was measured.
        rest: seconds of a step outside these parts.
        completion: tokens of a completion; None where none was measured.
    """

    runs: int
    rates: dict[str, float]
    rest: float
    completion: float | None


class Work(NamedTuple):
    """Tokens of one step, without the completions' length.

    Attributes:
        sequences: per step and device.
        prompts: mean tokens of the student's prompt.
        views: mean tokens of all teacher views' prompts together.
        teachers: number of these views.
        sampled: share of completions that the student samples.
        longest: tokens of a completion at most.
        reference: mean tokens of a completion that the data give; None where none is used.
    """

    sequences: int
    prompts: float
    views: float
    teachers: int
    sampled: float
    longest: int
    reference: float | None


def recent_runs(session: Session, config: RunConfig) -> list[Run]:
    """Newest training runs of the model that measured some steps."""
    model = Run.config["model"]["name"].as_string()
    statement = (
        select(Run)
        .where(
            Run.kind == RunKind.TRAINING,
            Run.deleting.is_(False),
            Run.step >= _LEAST_STEPS,
            model == config.model.name,
        )
        .order_by(Run.created_at.desc(), Run.id)
        .limit(_RUNS)
    )
    return list(session.scalars(statement))


def paces(session: Session, runs: Sequence[Run]) -> dict[str, Pace]:
    """The pace of each worker that executed some of the runs."""
    by_worker: dict[str, list[str]] = {}
    for run in runs:
        if run.worker_id is not None and len(by_worker.get(run.worker_id, ())) < _OF_WORKER:
            by_worker.setdefault(run.worker_id, []).append(run.id)
    means = _means(session, [run_id for ids in by_worker.values() for run_id in ids])
    found = {
        worker_id: _pace([means[run_id] for run_id in ids if run_id in means])
        for worker_id, ids in by_worker.items()
    }
    return {worker_id: pace for worker_id, pace in found.items() if pace is not None}


def _means(session: Session, run_ids: Sequence[str]) -> dict[str, dict[str, float]]:
    """Mean per step of what the runs measured."""
    statement = (
        select(
            Attempt.run_id,
            MetricName.name,
            func.sum(MetricChunk.total) / func.sum(MetricChunk.points),
        )
        .join(Attempt, Attempt.id == MetricChunk.attempt_id)
        .join(MetricName, MetricName.id == MetricChunk.name_id)
        .where(Attempt.run_id.in_(run_ids), MetricName.name.in_(_METRICS))
        .group_by(Attempt.run_id, MetricName.name)
    )
    found: dict[str, dict[str, float]] = {}
    for run_id, name, mean in session.execute(statement):
        found.setdefault(run_id, {})[name] = float(mean)
    return found


def _pace(runs: Sequence[dict[str, float]]) -> Pace | None:
    """Of several runs: all their tokens by all their seconds."""
    timed = [run for run in runs if "time/step" in run]
    if not timed:
        return None
    rates: dict[str, float] = {}
    for part in _PARTS:
        having = [run for run in timed if run.get(f"tokens/{part}") and run.get(f"time/{part}")]
        seconds = sum(run[f"time/{part}"] for run in having)
        if seconds:
            rates[part] = sum(run[f"tokens/{part}"] for run in having) / seconds
    parts = [sum(run.get(f"time/{part}", 0.0) for part in _PARTS) for run in timed]
    rests = [max(0.0, run["time/step"] - spent) for run, spent in zip(timed, parts, strict=True)]
    lengths = [run["train/completion_length"] for run in timed if "train/completion_length" in run]
    return Pace(
        runs=len(timed),
        rates=rates,
        rest=sum(rests) / len(rests),
        completion=sum(lengths) / len(lengths) if lengths else None,
    )


def step_seconds(pace: Pace, work: Work) -> float | None:
    """Seconds of a step at a measured pace; None where a part of it was never measured."""
    sampled_length = min(pace.completion or work.longest, work.longest)
    given_length = sampled_length if work.reference is None else work.reference
    completion = work.sampled * sampled_length + (1 - work.sampled) * given_length
    tokens = {
        "rollout": work.sampled * (work.prompts + sampled_length),
        "teacher": work.views + work.teachers * completion,
        "student": work.prompts + completion,
    }
    seconds = pace.rest
    for part, count in tokens.items():
        if not count:
            continue
        if part not in pace.rates:
            return None
        seconds += work.sequences * count / pace.rates[part]
    return seconds


def making_rate(session: Session, runs: Sequence[Run], kind: str) -> tuple[float, str] | None:
    """Results per second of the newest run that made such things, and the run's name."""
    names = {run.id: run.name for run in runs}
    if not names:
        return None
    statement = (
        select(RunEvent.run_id, RunEvent.attempt_id, RunEvent.time, RunEvent.payload)
        .where(RunEvent.run_id.in_(names), RunEvent.kind == "phase")
        .order_by(RunEvent.time.desc())
        .limit(5_000)
    )
    points: dict[tuple[str, int | None], list[tuple[float, int]]] = {}
    for run_id, attempt_id, time, payload in session.execute(statement):
        if payload.get("detail") == _DOING[kind] and payload.get("current") is not None:
            points.setdefault((run_id, attempt_id), []).append((time, payload["current"]))
    for (run_id, _), of_run in points.items():
        (last_time, last), (first_time, first) = max(of_run), min(of_run)
        if last > first and last_time > first_time:
            return (last - first) / (last_time - first_time), names[run_id]
    return None

"""Runs as they are when they are compared: configured, measured, evaluated."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from app.db import Database
from app.metrics import store
from app.models import Attempt, Project, Run, RunEvent
from core.config import RunConfig
from core.events import MetricsEvent, written
from core.states import RunKind, RunStatus

Reported = Mapping[int, Mapping[str, float]]
"""Step to metric to value."""


def make_config(seed: int, **training: Any) -> dict[str, Any]:
    wanted = {"data": {"path": "d"}, "training": {"seed": seed, **training}}
    return RunConfig.model_validate(wanted).model_dump(mode="json")


def make_run(
    database: Database,
    name: str,
    *attempts: Reported,
    config: dict[str, Any] | None = None,
    kind: RunKind = RunKind.TRAINING,
) -> str:
    with database.write() as session:
        session.add(session.get(Project, "p") or Project(id="p", name="P"))
        session.flush()
        run = Run(
            project_id="p",
            name=name,
            kind=kind,
            config=config or make_config(1),
            status=RunStatus.SUCCEEDED,
        )
        session.add(run)
        session.flush()
        for number, reported in enumerate(attempts, start=1):
            attempt = Attempt(run_id=run.id, number=number, hostname="h", directory="/d")
            session.add(attempt)
            session.flush()
            store.append(session, run.id, attempt.id, [_event(*one) for one in reported.items()])
    return run.id


def _event(step: int, values: Mapping[str, float]) -> MetricsEvent:
    return MetricsEvent(
        seq=step,
        time=1000.0 + step,
        step=step,
        total_steps=10**6,
        epoch=0.0,
        values={name: written(value) for name, value in values.items()},
    )


def make_evaluation(
    database: Database,
    run_id: str,
    name: str,
    right: list[bool],
    *,
    step: int = 5,
    time: float = 1.0,
    folder: Path | None = None,
    words: str = "",
    jsd: float | None = None,
) -> None:
    """A result as a trainer reports it; with its answers where there is a folder."""
    accuracy = float(np.mean(right))
    summary: dict[str, Any] = {"questions": len(right), "answers": len(right), "extracted": 1.0}
    summary["accuracy"] = accuracy
    if jsd is not None and folder is not None:
        kept = {"jsd": {"mean": jsd}, "base_logprob": {"mean": -1.0}}
        summary["retention"] = {"examples": len(right), "forward": kept}
    if folder is not None:
        folder.mkdir(parents=True)
        rows = [_answer(index, correct, words) for index, correct in enumerate(right)]
        lines = ["{}", *map(json.dumps, rows), ""]
        (folder / "answers.jsonl").write_text("\n".join(lines))
        if jsd is not None:
            kept_rows = [json.dumps(_kept(index, jsd)) for index in range(len(right))]
            (folder / "retention.jsonl").write_text("\n".join(["{}", *kept_rows, ""]))
    with database.write() as session:
        run = session.get_one(Run, run_id)
        attempt = session.query(Attempt).filter_by(run_id=run_id).one_or_none()
        attempt = attempt or Attempt(run_id=run_id, number=1, hostname="h", directory="/d")
        if folder is not None:
            attempt.directory = str(folder.parent)
        session.add(attempt)
        session.flush()
        run.event_cursor += 1
        session.add(
            RunEvent(
                run_id=run_id,
                cursor=run.event_cursor,
                attempt_id=attempt.id,
                attempt_number=1,
                seq=run.event_cursor,
                kind="evaluation",
                step=step,
                time=time,
                payload={"set": name, "step": step, "path": str(folder), "summary": summary},
            )
        )


def _answer(index: int, correct: bool, words: str) -> dict[str, Any]:
    return {
        "index": index,
        "sample": 0,
        "id": f"q{index}",
        "line": index + 1,
        "task": "choice",
        "prompt": f"{words}{index}?",
        "reference": "A",
        "answer": "A",
        "tokens": 1,
        "truncated": False,
        "extracted": "A",
        "correct": correct,
        "partial": None,
        "detail": None,
    }


def _kept(index: int, jsd: float) -> dict[str, Any]:
    strip = {"tokens": 1, "base_logprob": -1.0, "tuned_logprob": -0.5, "jsd": jsd + index / 1000}
    return {
        "index": index,
        "sample": 0,
        "base_answer": "A",
        "base_correct": True,
        "forward": strip,
        "reverse": None,
        "gold": None,
    }

"""All SQL of retention."""

from __future__ import annotations

from typing import NamedTuple

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.models import Run, RunEvent
from app.storage.keys import key_of_weights
from core.states import RunKind


class Weights(NamedTuple):
    """Which weights of a run an evaluation of its own asks.

    Attributes:
        run_id: the run that trained them.
        folder: `adapter`, `ema_adapter` or `checkpoints`.
        step: of a checkpoint; None for what the run ended with.
    """

    run_id: str
    folder: str
    step: int | None


def weights_of(evaluation: Run) -> Weights | None:
    """Which run's weights an evaluation asks; None for a base, or an adapter from elsewhere."""
    key = key_of_weights(evaluation.config.get("adapter") or "")
    if key is None:
        return None
    _, run_id, _, folder, *rest = key.split("/")
    return Weights(run_id, folder, int(rest[0].removeprefix("step-")) if rest else None)


def evaluations_of(session: Session, run_id: str) -> list[Run]:
    """Evaluations of their own of a run's weights, oldest first."""
    statement = (
        select(Run)
        .where(
            Run.kind == RunKind.EVALUATION,
            Run.deleting.is_(False),
            Run.config["adapter"].as_string().contains(f"/runs/{run_id}/"),
        )
        .order_by(Run.created_at, Run.id)
    )
    return [
        run
        for run in session.scalars(statement)
        if (weights := weights_of(run)) is not None and weights.run_id == run_id
    ]


def results(session: Session, run_ids: list[str]) -> list[RunEvent]:
    """The results that runs told of, oldest first."""
    statement = (
        select(RunEvent)
        .where(RunEvent.run_id.in_(run_ids), RunEvent.kind == "evaluation")
        .order_by(RunEvent.time, RunEvent.cursor)
    )
    return list(session.scalars(statement))

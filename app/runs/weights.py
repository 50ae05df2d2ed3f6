"""Where a run's adapters and checkpoints are, as its workers' hosts name them."""

from __future__ import annotations

from pathlib import Path, PurePath

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.errors import ConflictError
from app.models import Artifact, Attempt, Run
from app.settings import Settings
from app.storage.keys import attempt_key
from app.storage.reading import checkpoint_steps


def find_adapter(session: Session, run_id: str, kind: str) -> str | None:
    """Folder of the run's newest adapter of a kind, `adapter` or `ema_adapter`."""
    found = session.execute(
        select(Artifact.path, Attempt.directory)
        .join(Attempt, Attempt.id == Artifact.attempt_id)
        .where(Artifact.run_id == run_id, Artifact.kind == kind)
        .order_by(Artifact.id.desc())
        .limit(1)
    ).one_or_none()
    return None if found is None else str(PurePath(found.directory) / found.path)


def adapter_folder(session: Session, run: Run, kind: str) -> str:
    """The same.

    Raises:
        ConflictError: there is none yet.
    """
    found = find_adapter(session, run.id, kind)
    if found is None:
        raise ConflictError(
            f"The run has no {kind.replace('_', ' ')}.",
            "Wait until it has ended, or evaluate its base.",
        )
    return found


def checkpoints(session: Session, run_id: str, settings: Settings) -> dict[int, str]:
    """Folders of the whole checkpoints by step, each of the newest attempt that has it.

    Raises:
        UnavailableError: the store does not answer.
    """
    statement = select(Attempt).where(Attempt.run_id == run_id).order_by(Attempt.number)
    found: dict[int, str] = {}
    for attempt in session.scalars(statement):
        key = attempt_key(run_id, attempt.number)
        for step in checkpoint_steps(settings, key, Path(attempt.directory)):
            found[step] = str(PurePath(attempt.directory) / "checkpoints" / f"step-{step:08d}")
    return found


def checkpoint_folder(session: Session, run: Run, step: int, settings: Settings) -> str:
    """Folder of a checkpoint of the run's newest attempt that still has it.

    Raises:
        ConflictError: none has it.
        UnavailableError: the store does not answer.
    """
    kept = checkpoints(session, run.id, settings)
    if step in kept:
        return kept[step]
    there = ", ".join(map(str, sorted(kept))) or "none"
    raise ConflictError(
        f"The run has no checkpoint after step {step}.", f"Choose one that is kept: {there}."
    )

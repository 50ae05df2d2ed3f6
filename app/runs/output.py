"""What a trainer prints, copied into its run's events as it appears."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from sqlalchemy.orm import Session

from app import notify
from app.db import after_commit
from app.models import Attempt, RunEvent
from app.models.base import database_epoch
from app.runs.lifecycle import lock, next_cursors

_CHUNK_BYTES: Final = 32 * 1024
MAX_BYTES: Final = 4 * 2**20
"""So much of an attempt's output is copied; all of it stays in its file."""


def copy_output(session: Session, attempt_id: int, path: Path, *, whole: bool = False) -> bool:
    """Copy the next lines of a trainer's output; returns whether there were any.

    The position and the lines are written together under the run's lock, so each line comes once.

    Args:
        session: a write transaction; the caller commits.
        attempt_id: attempt whose output it is.
        path: of the file.
        whole: take a last line that has no end, since nothing follows.
    """
    attempt = session.get_one(Attempt, attempt_id)
    offset = attempt.output_bytes
    if offset >= MAX_BYTES or not has_more(path, offset):
        return False
    run = lock(session, attempt.run_id)
    session.refresh(attempt)
    if attempt.output_bytes != offset:
        return True  # someone else was faster
    with path.open("rb") as file:
        file.seek(offset)
        data = file.read(_CHUNK_BYTES)
    # A line longer than a chunk is cut; one that is still being written is left for later.
    end = len(data) if whole or len(data) == _CHUNK_BYTES else data.rfind(b"\n") + 1
    if not end:
        return False
    attempt.output_bytes = offset + end
    text = _readable(data[:end])
    if attempt.output_bytes >= MAX_BYTES:
        text += f"\n(No more is copied here; the rest is in {path}.)"
    session.add(
        RunEvent(
            run_id=run.id,
            cursor=next_cursors(session, run.id, 1),
            attempt_number=attempt.number,
            kind="output",
            time=database_epoch(),
            payload={"text": text},
        )
    )
    run_id = run.id
    session.flush()
    after_commit(session, lambda: notify.publish(run_id))
    return True


def has_more(path: Path, offset: int) -> bool:
    """Whether a file goes on after a position."""
    try:
        return path.stat().st_size > offset
    except OSError:
        return False


def _readable(data: bytes) -> str:
    """Text as a terminal would leave it: of a progress bar only its last state."""
    lines = data.decode(errors="replace").replace("\x00", "\ufffd").split("\n")
    return "\n".join(line.rstrip("\r").rpartition("\r")[2] for line in lines).rstrip("\n")

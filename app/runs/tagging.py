"""Tags: words that people put on runs."""

from __future__ import annotations

from collections.abc import Collection

from sqlalchemy import delete
from sqlalchemy.orm import Session

from app.errors import ConflictError
from app.models import Run, RunTag
from app.runs import lifecycle, listing
from app.runs.service import get_run

MOST = 50


def set_tags(session: Session, run_id: str, tags: Collection[str], *, actor: str) -> Run:
    """Give a run these tags and no others."""
    run = lifecycle.lock(session, get_run(session, run_id).id)
    return _change(session, run, set(tags), actor=actor)


def change_tags(
    session: Session, run: Run, add: Collection[str], remove: Collection[str], *, actor: str
) -> Run:
    """Put tags on a run that is locked, and take others off it."""
    before = listing.tags(session, [run.id]).get(run.id, [])
    return _change(session, run, (set(before) - set(remove)) | set(add), actor=actor)


def _change(session: Session, run: Run, wanted: set[str], *, actor: str) -> Run:
    before = listing.tags(session, [run.id]).get(run.id, [])
    if len(wanted) > MOST:
        raise ConflictError(f"A run has at most {MOST} tags.", "Take some off first.")
    if wanted == set(before):
        return run
    gone = RunTag.tag.in_(set(before) - wanted)
    session.execute(delete(RunTag).where(RunTag.run_id == run.id, gone))
    session.add_all(RunTag(run_id=run.id, tag=tag) for tag in sorted(wanted - set(before)))
    session.flush()
    lifecycle.record_steering(session, run, actor, {"tags": [before, sorted(wanted)]})
    return run

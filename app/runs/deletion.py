"""Removes what runs that people deleted left behind: first files, then rows.

Both can be cut off at any point and are taken up again in the next round: the run's own row, which
says that it is to go, goes last.
"""

from __future__ import annotations

from typing import Final

from sqlalchemy import delete, func, select
from sqlalchemy.orm import Session

from app.db import Database
from app.models import Run, RunEvent
from app.settings import Settings
from app.storage.deletion import delete_run_files

_EVENTS: Final = 5000
"""Events that one transaction removes, so that nobody waits long for the database."""


def remove_deleted(database: Database, settings: Settings) -> None:
    """Remove all runs that are marked.

    Raises:
        OSError: files of one could not be removed; its rows stay until they are.
        StoreError: the artifact store does not answer; the same.
    """
    with database.read() as session:
        marked = list(session.scalars(select(Run.id).where(Run.deleting.is_(True))))
    for run_id in marked:
        delete_run_files(settings, run_id)
        more = True
        while more:
            with database.write() as session:
                more = _remove_events(session, run_id)
        with database.write() as session:
            session.execute(delete(Run).where(Run.id == run_id))


def _remove_events(session: Session, run_id: str) -> bool:
    """Remove the oldest events; returns whether there were any."""
    first = session.execute(
        select(func.min(RunEvent.cursor)).where(RunEvent.run_id == run_id)
    ).scalar_one()
    if first is None:
        return False
    oldest = (RunEvent.run_id == run_id) & (RunEvent.cursor < first + _EVENTS)
    session.execute(delete(RunEvent).where(oldest))
    return True

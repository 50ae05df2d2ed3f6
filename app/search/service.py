"""Finds things by what people remember of them."""

from __future__ import annotations

from pathlib import PurePath

from sqlalchemy.orm import Session

from app.models import Run
from app.search import repository
from app.search.schemas import Hit
from core.states import RunKind


def search(session: Session, text: str, limit: int) -> list[Hit]:
    """Runs, data sets, studies and workers; without a text, the newest of each."""
    return [
        *(_run(run) for run in repository.runs(session, text, limit)),
        *(
            Hit(kind="dataset", id=one.id, name=one.name, detail="", status=None)
            for one in repository.datasets(session, text, limit)
        ),
        *(
            Hit(kind="study", id=one.id, name=one.name, detail="", status=None)
            for one in repository.studies(session, text, limit)
        ),
        *(
            Hit(kind="worker", id=one.id, name=one.name, detail=one.hostname, status=None)
            for one in repository.workers(session, text, limit)
        ),
    ]


def _run(run: Run) -> Hit:
    """A run, told from its namesakes by what it does and its model."""
    model = PurePath(run.config.get("model", {}).get("name", "")).name
    does = "" if run.kind is RunKind.TRAINING else run.kind.value
    detail = ", ".join(word for word in (does, model) if word)
    return Hit(kind="run", id=run.id, name=run.name, detail=detail, status=run.status)

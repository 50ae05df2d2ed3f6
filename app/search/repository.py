"""The SQL of the search."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Select, case, select
from sqlalchemy.orm import InstrumentedAttribute, Session

from app.models import Dataset, Run, Study, Worker

_Text = InstrumentedAttribute[str]


def runs(session: Session, text: str, limit: int) -> list[Run]:
    """Runs by name or identifier, newest first."""
    statement = select(Run).where(Run.deleting.is_(False), _matches(text, Run.name, Run.id))
    return list(session.scalars(_ranked(statement, text, Run.name, Run.created_at, limit)))


def datasets(session: Session, text: str, limit: int) -> list[Dataset]:
    """Data sets by name or identifier, newest first."""
    statement = select(Dataset).where(_matches(text, Dataset.name, Dataset.id))
    return list(session.scalars(_ranked(statement, text, Dataset.name, Dataset.created_at, limit)))


def studies(session: Session, text: str, limit: int) -> list[Study]:
    """Studies by name or identifier, newest first."""
    statement = select(Study).where(_matches(text, Study.name, Study.id))
    return list(session.scalars(_ranked(statement, text, Study.name, Study.created_at, limit)))


def workers(session: Session, text: str, limit: int) -> list[Worker]:
    """Workers by name, host or identifier; those alive first."""
    found = _matches(text, Worker.name, Worker.id) | Worker.hostname.icontains(
        text, autoescape=True
    )
    order = (Worker.gone, Worker.last_seen.desc(), Worker.id)
    return list(session.scalars(select(Worker).where(found).order_by(*order).limit(limit)))


def _matches(text: str, name: _Text, identifier: _Text) -> ColumnElement[bool]:
    return name.icontains(text, autoescape=True) | (identifier == text)


def _ranked(
    statement: Select[Any],
    text: str,
    name: _Text,
    created_at: InstrumentedAttribute[datetime],
    limit: int,
) -> Select[Any]:
    begins = case((name.istartswith(text, autoescape=True), 0), else_=1)
    return statement.order_by(begins, created_at.desc(), name).limit(limit)

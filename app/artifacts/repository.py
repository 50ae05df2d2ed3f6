"""The SQL of lists over adapters and exports alike."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, NamedTuple

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    Integer,
    String,
    Subquery,
    cast,
    func,
    literal,
    null,
    select,
)
from sqlalchemy import Text as SqlText
from sqlalchemy.orm import Session, aliased

from app.models import Artifact, Attempt, Export, Run

SORTS: Final = ("created_at", "bytes", "kind", "run_name")
_Source = aliased(Run)


class Entry(NamedTuple):
    """An adapter of a run, or an export."""

    source: str
    id: str
    kind: str
    run_id: str
    run_name: str
    project_id: str
    attempt: int | None
    bytes: int | None
    sha256: str | None
    created_at: datetime


@dataclass(frozen=True)
class ArtifactFilter:
    """Which a list shows."""

    run_id: str | None = None
    project_id: str | None = None
    kind: str | None = None
    source: str | None = None
    text: str | None = None


def list_entries(
    session: Session, wanted: ArtifactFilter, *, sort: str, limit: int, offset: int
) -> tuple[list[Entry], int, int]:
    """A page, how many there are, and the bytes of all of them."""
    every = _every()
    conditions = _conditions(every, wanted)
    size = func.coalesce(func.sum(every.c.bytes), 0)
    total, held = session.execute(
        select(func.count(), size).select_from(every).where(*conditions)
    ).one()
    name = sort.removeprefix("-")
    column: ColumnElement[Any] = every.c[name]
    if name == "run_name":
        column = func.lower(column)
    order = column.desc().nulls_last() if sort.startswith("-") else column.asc().nulls_last()
    page = select(every).where(*conditions).order_by(order, every.c.id)
    rows = session.execute(page.limit(limit).offset(offset))
    return [Entry(*row) for row in rows], int(total), int(held)


def _conditions(every: Subquery, wanted: ArtifactFilter) -> list[Any]:
    conditions = [
        every.c[name] == value
        for name, value in (
            ("run_id", wanted.run_id),
            ("project_id", wanted.project_id),
            ("kind", wanted.kind),
            ("source", wanted.source),
        )
        if value
    ]
    if wanted.text:
        named = every.c.run_name.icontains(wanted.text, autoescape=True)
        conditions.append(named | (every.c.run_id == wanted.text) | (every.c.id == wanted.text))
    return conditions


def _every() -> Subquery:
    adapters = (
        select(
            literal("run").label("source"),
            cast(Artifact.id, String(20)).label("id"),
            Artifact.kind.label("kind"),
            Run.id.label("run_id"),
            Run.name.label("run_name"),
            Run.project_id.label("project_id"),
            cast(Attempt.number, Integer).label("attempt"),
            cast(Artifact.bytes, BigInteger).label("bytes"),
            Artifact.sha256.label("sha256"),
            Artifact.created_at.label("created_at"),
        )
        .join(Run, Run.id == Artifact.run_id)
        .join(Attempt, Attempt.id == Artifact.attempt_id)
        .where(Run.deleting.is_(False))
    )
    exports = (
        select(
            literal("export"),
            Export.id,
            Export.kind,
            _Source.id,
            _Source.name,
            _Source.project_id,
            cast(null(), Integer),
            Export.bytes,
            cast(null(), SqlText),
            Run.created_at,
        )
        .join(Run, Run.id == Export.id)
        .join(_Source, _Source.id == Export.run_id)
        .where(Run.deleting.is_(False))
    )
    return adapters.union_all(exports).subquery("every")


def export_bytes(session: Session, run_id: str) -> int:
    """Bytes of the files of a run's exports."""
    statement = (
        select(func.coalesce(func.sum(Export.bytes), 0))
        .join(Run, Run.id == Export.id)
        .where(Export.run_id == run_id, Run.deleting.is_(False))
    )
    return int(session.execute(statement).scalar_one() or 0)

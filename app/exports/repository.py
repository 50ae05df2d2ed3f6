"""All SQL of exports."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final, NamedTuple

from sqlalchemy import ColumnElement, Select, SQLColumnExpression, func, select
from sqlalchemy.orm import Session, aliased

from app.models import Export, Run
from app.storage.keys import attempt_key, joined
from core.events import ExportEvent
from core.states import TERMINAL

Source = aliased(Run)
"""The run that an export is of, beside the one that makes it."""


class Row(NamedTuple):
    """An export, the run that makes it, and the name of the run that it is of."""

    export: Export
    job: Run
    run_name: str


SORTS: Final[dict[str, SQLColumnExpression[Any]]] = {
    "created_at": Run.created_at,
    "bytes": func.coalesce(Export.bytes, 0),
    "kind": Export.kind,
    "run": func.lower(Source.name),
    "status": Run.status,
}


@dataclass(frozen=True)
class ExportFilter:
    """Which exports a list shows."""

    run_id: str | None = None
    project_id: str | None = None
    kind: str | None = None
    text: str | None = None
    open_only: bool = False


def list_exports(
    session: Session, wanted: ExportFilter, *, sort: str, limit: int, offset: int
) -> tuple[list[Row], int, int]:
    """A page of exports, how many there are, and the bytes of all of them."""
    conditions = _conditions(wanted)
    counted = select(func.count(), func.coalesce(func.sum(Export.bytes), 0)).select_from(Export)
    counted = counted.join(Run, Run.id == Export.id).join(Source, Source.id == Export.run_id)
    total, size = session.execute(counted.where(*conditions)).one()
    column = SORTS[sort.removeprefix("-")]
    order = column.desc() if sort.startswith("-") else column.asc()
    page = _rows().where(*conditions).order_by(order, Export.id).limit(limit).offset(offset)
    return [Row(*row) for row in session.execute(page)], total, int(size or 0)


def find(session: Session, export_id: str) -> Row | None:
    """One export."""
    row = session.execute(
        _rows().where(Export.id == export_id, Run.deleting.is_(False))
    ).one_or_none()
    return Row(*row) if row else None


def find_many(session: Session, export_ids: Sequence[str]) -> list[Row]:
    """Some exports, in no order."""
    return [Row(*row) for row in session.execute(_rows().where(Export.id.in_(export_ids)))]


def of_run(session: Session, run_id: str) -> Sequence[Run]:
    """The runs that make or made exports of a run."""
    statement = select(Run).join(Export, Export.id == Run.id)
    return session.scalars(
        statement.where(Export.run_id == run_id, Run.deleting.is_(False)).order_by(Run.id)
    ).all()


def _rows() -> Select[Export, Run, str]:
    return (
        select(Export, Run, Source.name)
        .join(Run, Run.id == Export.id)
        .join(Source, Source.id == Export.run_id)
    )


def _conditions(wanted: ExportFilter) -> list[ColumnElement[bool]]:
    conditions: list[ColumnElement[bool]] = [Run.deleting.is_(False)]
    if wanted.run_id:
        conditions.append(Export.run_id == wanted.run_id)
    if wanted.project_id:
        conditions.append(Run.project_id == wanted.project_id)
    if wanted.kind:
        conditions.append(Export.kind == wanted.kind)
    if wanted.open_only:
        conditions.append(Run.status.not_in(TERMINAL))
    if wanted.text:
        text = wanted.text
        conditions.append(
            Source.name.icontains(text, autoescape=True)
            | Run.name.icontains(text, autoescape=True)
            | (Export.id == text)
            | (Export.run_id == text)
        )
    return conditions


def made(session: Session, run: Run, event: ExportEvent) -> None:
    """An export's worker told what it made of it."""
    export = session.get(Export, run.id)
    if export is None:
        return
    export.check = event.check.model_dump(mode="json")
    export.url, export.licence = event.url, event.licence
    export.files = [file.model_dump(mode="json") for file in event.files]
    kept = event.path is not None
    export.bytes = sum(file.bytes for file in event.files) if kept else 0
    key = attempt_key(run.id, run.attempt_count)
    export.directory = joined(key, event.path) if event.path else None


def unmake(session: Session, run_id: str) -> None:
    """Forget the files that an attempt told of: they are removed, or another one makes them anew.

    What was pushed stays known; it is on the hub.
    """
    export = session.get(Export, run_id)
    if export is not None:
        export.check = export.files = export.bytes = export.directory = None


def began_phase(session: Session, run: Run, time: float) -> None:
    """An export entered a phase, from whose course the time that is left is told."""
    export = session.get(Export, run.id)
    if export is not None:
        export.progress_since = time

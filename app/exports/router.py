"""Routes of exports."""

from __future__ import annotations

from typing import Annotated, Literal

from fastapi import APIRouter, Query, Request, Response, status

from app.deps import Actor, Limit, Offset, ReadSession, SettingsDep, WriteSession
from app.errors import documented
from app.exports import options, present, repository, service
from app.exports.schemas import ExportCreate, ExportList, ExportOptions, ExportOut
from app.once import OnceDep
from app.storage.ranges import RANGED_OR_ARCHIVE, send
from app.storage.store import artifact_store
from core.export_job import ExportKind

router = APIRouter(tags=["exports"])
Sort = Literal[
    "created_at",
    "-created_at",
    "bytes",
    "-bytes",
    "kind",
    "-kind",
    "run",
    "-run",
    "status",
    "-status",
]


@router.get("/runs/{run_id}/exports/options", responses=documented(404, 409))
def get_export_options(session: ReadSession, settings: SettingsDep, run_id: str) -> ExportOptions:
    """What can be exported of a run, how large it will be, and what is missing for the rest."""
    return options.options(session, service.get_source(session, run_id), settings)


@router.post(
    "/runs/{run_id}/exports",
    status_code=status.HTTP_202_ACCEPTED,
    responses=documented(404, 409, 422),
)
def create_export(
    session: WriteSession,
    settings: SettingsDep,
    actor: Actor,
    once: OnceDep,
    run_id: str,
    wanted: ExportCreate,
) -> ExportOut:
    """Have a worker make files of a run's weights, and check that they answer like the original.

    A hub token is used once by that worker; it is never stored whole, nor written to any log.
    """
    if earlier := once.earlier(session, f"export of {run_id}", wanted):
        return present.exports(session, [service.get_export(session, earlier)], settings)[0]
    row = service.create_export(session, run_id, wanted, settings, actor=actor)
    once.remember(session, row.export.id)
    return present.exports(session, [row], settings)[0]


@router.get("/exports", responses=documented(422))
def list_exports(
    session: ReadSession,
    settings: SettingsDep,
    run_id: Annotated[str | None, Query(description="Only those of this run.")] = None,
    project_id: Annotated[str | None, Query(description="Only those of this project.")] = None,
    kind: Annotated[ExportKind | None, Query(description="Only of this kind.")] = None,
    q: Annotated[str | None, Query(max_length=200, description="Text in the run's name.")] = None,
    open_only: Annotated[
        bool | None, Query(description="Only those that wait or are being made.")
    ] = None,
    sort: Annotated[Sort, Query(description="`-` sorts downwards.")] = "-created_at",
    limit: Limit = 50,
    offset: Offset = 0,
) -> ExportList:
    """Exports with their progress."""
    wanted = repository.ExportFilter(
        run_id, project_id, kind.value if kind else None, q, bool(open_only)
    )
    rows, total, size = repository.list_exports(
        session, wanted, sort=sort, limit=limit, offset=offset
    )
    items = present.exports(session, rows, settings)
    return ExportList(items=items, total=total, total_bytes=size, limit=limit, offset=offset)


@router.get("/exports/{export_id}", responses=documented(404))
def get_export(session: ReadSession, settings: SettingsDep, export_id: str) -> ExportOut:
    """One export. Its log and events are those of the run of the same identifier."""
    row = service.get_export(session, export_id)
    return present.exports(session, [row], settings)[0]


@router.post("/exports/{export_id}/cancel", responses=documented(404, 409))
def cancel_export(
    session: WriteSession, settings: SettingsDep, actor: Actor, export_id: str
) -> ExportOut:
    """End an export that is not over. Nothing of it is kept."""
    row = service.cancel_export(session, export_id, actor=actor)
    return present.exports(session, [row], settings)[0]


@router.delete(
    "/exports/{export_id}", status_code=status.HTTP_202_ACCEPTED, responses=documented(404, 409)
)
def delete_export(session: WriteSession, actor: Actor, export_id: str) -> None:
    """Remove an export that is over or waits, with its files. It disappears at once."""
    service.delete_export(session, export_id, actor=actor)


@router.get(
    "/exports/{export_id}/download",
    response_class=Response,
    responses={**RANGED_OR_ARCHIVE, **documented(404, 409, 422)},
)
@router.head("/exports/{export_id}/download", include_in_schema=False)
def download_export(
    request: Request,
    session: ReadSession,
    settings: SettingsDep,
    export_id: str,
    file: Annotated[
        str | None,
        Query(max_length=500, description="One of its files. Absent: all, as a ZIP archive."),
    ] = None,
) -> Response:
    """The files, resumable: `Range` with `If-Range` goes on where a download was cut.

    The archive is uncompressed and always has the same bytes for the same files.
    """
    found = present.download(service.get_export(session, export_id), settings, file)
    return send(request, artifact_store(settings), found)

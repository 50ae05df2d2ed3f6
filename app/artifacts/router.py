"""Routes of the files that runs and exports made."""

from __future__ import annotations

from typing import Annotated, Literal

from fastapi import APIRouter, Path, Query, Request, Response

from app.artifacts import repository, service
from app.artifacts.schemas import ArtifactList, ArtifactRow, RunFiles
from app.deps import Limit, Offset, ReadSession, SettingsDep
from app.errors import documented
from app.exports import present as present_exports
from app.exports import repository as exports
from app.runs.service import get_run
from app.storage.ranges import RANGED, send
from app.storage.store import artifact_store
from core.export_job import ExportKind

router = APIRouter(tags=["artifacts"])
Sort = Literal[
    "created_at",
    "-created_at",
    "bytes",
    "-bytes",
    "kind",
    "-kind",
    "run_name",
    "-run_name",
]


@router.get("/artifacts", responses=documented(422))
def list_artifacts(
    session: ReadSession,
    settings: SettingsDep,
    run_id: Annotated[str | None, Query(description="Only those of this run.")] = None,
    project_id: Annotated[str | None, Query(description="Only those of this project.")] = None,
    kind: Annotated[ExportKind | None, Query(description="Only of this kind.")] = None,
    source: Annotated[
        Literal["run", "export"] | None, Query(description="Only what runs, or exports, made.")
    ] = None,
    q: Annotated[str | None, Query(max_length=200, description="Text in the run's name.")] = None,
    sort: Annotated[Sort, Query(description="`-` sorts downwards.")] = "-created_at",
    limit: Limit = 50,
    offset: Offset = 0,
) -> ArtifactList:
    """Adapters that runs wrote, and exports, of all runs."""
    wanted = repository.ArtifactFilter(run_id, project_id, kind.value if kind else None, source, q)
    entries, total, held = repository.list_entries(
        session, wanted, sort=sort, limit=limit, offset=offset
    )
    ids = [entry.id for entry in entries if entry.source == "export"]
    rows = exports.find_many(session, ids)
    shown = {one.id: one for one in present_exports.exports(session, rows, settings)}
    items = [ArtifactRow(**entry._asdict(), export=shown.get(entry.id)) for entry in entries]
    return ArtifactList(items=items, total=total, total_bytes=held, limit=limit, offset=offset)


@router.get("/runs/{run_id}/files", responses=documented(404))
def list_run_files(session: ReadSession, settings: SettingsDep, run_id: str) -> RunFiles:
    """The adapters and checkpoints that a run wrote, file by file."""
    return service.run_files(session, get_run(session, run_id), settings)


@router.get(
    "/runs/{run_id}/files/{path:path}",
    response_class=Response,
    responses={**RANGED, **documented(404)},
)
@router.head("/runs/{run_id}/files/{path:path}", include_in_schema=False)
def download_run_file(
    request: Request,
    session: ReadSession,
    settings: SettingsDep,
    run_id: str,
    path: Annotated[str, Path(max_length=500, description="As the list of files has it.")],
) -> Response:
    """One file of an adapter or a checkpoint, resumable by `Range` and `If-Range`."""
    found = service.run_file(get_run(session, run_id), settings, path)
    return send(request, artifact_store(settings), found)

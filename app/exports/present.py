"""Exports as the API shows them."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence

from sqlalchemy.orm import Session

from app.errors import ConflictError, NotFoundError
from app.exports.repository import Row
from app.exports.schemas import ExportFile, ExportOut, ExportProgress
from app.exports.service import source_folder_name
from app.models import Run
from app.runs import lifecycle, placement
from app.runs.repository import worker_names
from app.settings import Settings
from app.storage.archive import Member, Segment, layout
from app.storage.keys import joined
from app.storage.ranges import ARCHIVE, Download
from app.storage.reading import ArtifactNotThereYetError, store_unavailable
from app.storage.store import StoreError, artifact_store
from core.errors import Problem
from core.export_job import UNIT_BYTES, ExportCheck, ExportedFile
from core.states import LEASED, RunStatus


def exports(session: Session, rows: Sequence[Row], settings: Settings) -> list[ExportOut]:
    """Exports for a list; a few queries in all."""
    jobs = [row.job for row in rows]
    names = worker_names(session, {job.worker_id for job in jobs if job.worker_id})
    waiting = placement.places(session, jobs, settings.stale_seconds)
    now = lifecycle.now(session).timestamp()
    return [
        _export(
            row,
            worker=names.get(row.job.worker_id or ""),
            waiting=place.reasons if (place := waiting.get(row.job.id)) else [],
            now=now,
        )
        for row in rows
    ]


def _export(row: Row, *, worker: str | None, waiting: list[str], now: float) -> ExportOut:
    export, job = row.export, row.job
    config = job.config
    return ExportOut(
        id=export.id,
        run_id=export.run_id,
        run_name=row.run_name,
        project_id=job.project_id,
        name=job.name,
        kind=config["kind"],
        content=config["content"],
        weights=config["weights"],
        checkpoint=export.checkpoint,
        gguf_type=config["gguf_type"] if config["content"] == "gguf" else None,
        repository=config["hub"]["repository"] if config["hub"] else None,
        status=job.status,
        progress=_progress(job, export.progress_since, now),
        waiting=waiting,
        worker=worker,
        estimate_bytes=export.estimate_bytes,
        bytes=export.bytes,
        files=[ExportFile.model_validate(one) for one in export.files or ()],
        check=ExportCheck.model_validate(export.check) if export.check else None,
        licence=export.licence,
        url=export.url,
        downloadable=job.status is RunStatus.SUCCEEDED and export.directory is not None,
        problem=Problem.model_validate(job.problem) if job.problem else None,
        created_at=job.created_at,
        started_at=job.started_at,
        finished_at=job.finished_at,
    )


def _progress(job: Run, since: float | None, now: float) -> ExportProgress:
    done, total = job.phase_current, job.phase_total
    left = None
    if job.status in LEASED and done and total and since is not None:
        left = max(0.0, now - since) * (total - done) / done
    return ExportProgress(
        phase=job.phase,
        detail=job.phase_detail,
        bytes=None if done is None else done * UNIT_BYTES,
        total_bytes=None if total is None else total * UNIT_BYTES,
        eta_seconds=left,
    )


def download(row: Row, settings: Settings, path: str | None) -> Download:
    """An export's files as one archive, or one of them as it is.

    Raises:
        ConflictError: there are no files to fetch.
        NotFoundError: there is no such file among them.
        ArtifactNotThereYetError: their worker still copies them into the store.
        UnavailableError: the store does not answer.
    """
    export, name = row.export, source_folder_name(row)
    if row.job.status is not RunStatus.SUCCEEDED or not export.directory:
        raise _nothing_to_fetch(row)
    files = [ExportedFile.model_validate(one) for one in export.files or ()]
    members = [
        Member(file.path, joined(export.directory, file.path), file.bytes, file.crc32)
        for file in files
    ]
    hashes = {file.path: file.sha256 for file in files}
    if path is not None:
        member = next((one for one in members if one.name == path), None)
        if member is None:
            raise NotFoundError(
                f"The export has no file “{path}”.", "Its page lists the files that it has."
            )
        _see(settings, [member])
        segment = Segment(member.size, key=member.key)
        return Download([segment], hashes[path], path.rpartition("/")[2])
    _see(settings, members)
    told = json.dumps(sorted(hashes.items())).encode()
    etag = hashlib.sha256(told).hexdigest()
    return Download(layout(members), etag, f"{name}.zip", ARCHIVE)


def _nothing_to_fetch(row: Row) -> ConflictError:
    if row.export.url:
        return ConflictError("The files were pushed and not kept here.", f"See {row.export.url}.")
    if row.job.status is RunStatus.SUCCEEDED:
        return ConflictError("The export has no files.", "Make another one.")
    return ConflictError(
        f"The export is {row.job.status}: there is nothing to download.",
        "Wait for its end, or make another one.",
    )


def _see(settings: Settings, members: Sequence[Member]) -> None:
    """See that the store has the files before the first byte leaves."""
    try:
        store = artifact_store(settings)
        for member in members:
            found = store.find(member.key)
            if found is None or found.size != member.size:
                raise ArtifactNotThereYetError(member.key)
    except StoreError as error:
        raise store_unavailable(error) from error

"""Creates, cancels and deletes exports."""

from __future__ import annotations

from pathlib import PurePath
from typing import Final

from sqlalchemy.orm import Session

from app.errors import ConflictError, NotFoundError
from app.exports import options, repository, secrets
from app.exports.repository import Row
from app.exports.schemas import ExportCreate
from app.models import Export, Run
from app.models.base import new_id
from app.runs import lifecycle
from app.runs.service import get_run
from app.runs.weights import checkpoint_folder, checkpoints, find_adapter
from app.settings import Settings
from core.config import RunConfig
from core.export_job import ExportJob, ExportKind, HubTarget, Weights
from core.gguf import HOW_TO_GET
from core.schedule import Queue, Schedule
from core.states import LEASED, TERMINAL, Cause, RunKind, RunStatus, StopMode

NAMES: Final = {
    ExportKind.ADAPTER: "Adapter",
    ExportKind.EMA_ADAPTER: "EMA adapter",
    ExportKind.MERGED: "Merged model",
    ExportKind.GGUF: "GGUF",
    ExportKind.HUB: "Push to the hub",
}


def get_export(session: Session, export_id: str) -> Row:
    """An export, or `NotFoundError`."""
    row = repository.find(session, export_id)
    if row is None:
        raise NotFoundError(f"There is no export “{export_id}”.", "It may have been deleted.")
    return row


def get_source(session: Session, run_id: str) -> Run:
    """A run that has weights of its own.

    Raises:
        ConflictError: it only evaluates or exports.
    """
    run = get_run(session, run_id)
    if run.kind is not RunKind.TRAINING:
        raise ConflictError(
            "Only a run that trains has weights of its own.", "Name the run that it is of."
        )
    return run


def create_export(
    session: Session, run_id: str, wanted: ExportCreate, settings: Settings, *, actor: str
) -> Row:
    """Store an export as a run of its own, and have it sent after the commit.

    Raises:
        NotFoundError: there is no such run.
        ConflictError: the run has no such weights, or no worker can make this.
        UnavailableError: the store or Redis do not answer.
    """
    run = get_source(session, run_id)
    job = _job(session, run, wanted, settings)
    if job.content == "gguf" and not options.can_convert(session, settings):
        raise ConflictError("No connected worker has a converter to GGUF.", HOW_TO_GET)
    made = Run(
        id=new_id(),
        project_id=run.project_id,
        kind=RunKind.EXPORT,
        name=f"{NAMES[job.kind]} · {run.name}"[:200],
        config=job.model_dump(mode="json"),
        queue=Queue.INTERACTIVE.value,
    )
    # A token is given to the first attempt alone.
    schedule = Schedule(
        labels=tuple(run.labels), max_attempts=1 if job.kind is ExportKind.HUB else None
    )
    # Whoever deletes the run meanwhile comes before, or waits and finds this one needs its files.
    if lifecycle.lock(session, run.id).deleting:
        raise NotFoundError(f"There is no run “{run.id}”.", "It was deleted.")
    lifecycle.submit(session, made, schedule, settings, actor=actor)
    export = Export(
        id=made.id,
        run_id=run.id,
        kind=job.kind.value,
        content=job.content,
        checkpoint=job.checkpoint,
        estimate_bytes=options.estimate(session, run, settings, job.content, job.gguf_type),
    )
    if wanted.hub is not None:
        export.secret_half = secrets.keep(made.id, wanted.hub.token.get_secret_value())
    session.add(export)
    session.flush()
    return Row(export, made, run.name)


def _job(session: Session, run: Run, wanted: ExportCreate, settings: Settings) -> ExportJob:
    config = RunConfig.model_validate(run.config)
    weights: Weights = "ema" if wanted.content == "ema_adapter" else wanted.weights
    if weights == "ema" and config.teacher.weights != "ema":
        raise ConflictError(
            "The run keeps no moving average of its weights.", "Export the student's weights."
        )
    folder, checkpoint = _folder(session, run, wanted.checkpoint, weights, settings)
    return ExportJob(
        kind=wanted.kind,
        content=wanted.content,
        weights=weights,
        checkpoint=checkpoint,
        adapter=folder,
        model=config.model,
        config=config,
        facts=options.card_facts(session, run, checkpoint),
        prompt=wanted.prompt or options.prompt_of(session, run.id),
        gguf_type=wanted.gguf_type,
        hub=None
        if wanted.hub is None
        else HubTarget(
            repository=wanted.hub.repository,
            private=wanted.hub.private,
            branch=wanted.hub.branch,
        ),
        device=config.training.device,
    )


def _folder(
    session: Session, run: Run, step: int | None, weights: Weights, settings: Settings
) -> tuple[str, int | None]:
    """Folder of the weights on their worker, and the checkpoint's step if it is one."""
    if step is not None:
        return checkpoint_folder(session, run, step, settings), step
    kind = "ema_adapter" if weights == "ema" else "adapter"
    adapter = find_adapter(session, run.id, kind)
    if adapter is not None:
        return adapter, None
    kept = checkpoints(session, run.id, settings)
    if not kept:
        raise ConflictError(
            "The run has written neither adapter nor checkpoint yet.",
            "Wait for its first checkpoint, or for its end.",
        )
    return kept[max(kept)], max(kept)


def cancel_export(session: Session, export_id: str, *, actor: str) -> Row:
    """End an export that is not over; nothing of it is kept.

    Raises:
        NotFoundError: there is no such export.
        ConflictError: it is over.
    """
    row = get_export(session, export_id)
    job = lifecycle.lock(session, export_id)
    if job.status in TERMINAL:
        raise ConflictError(
            f"The export is already {job.status}.", "Delete it, or make another one."
        )
    if job.status is RunStatus.QUEUED and not job.attempt_count:
        lifecycle.change_status(session, job, RunStatus.CANCELLED, Cause.CANCELLED, actor=actor)
    elif job.stop_mode is None:
        lifecycle.request_stop(session, job, StopMode.DISCARD, actor=actor)
    secrets.forget(session, row.export)
    session.refresh(job)
    return get_export(session, export_id)


def delete_export(session: Session, export_id: str, *, actor: str) -> None:
    """Hide an export and have its files removed.

    Raises:
        NotFoundError: there is no such export.
        ConflictError: it is under way.
    """
    row = get_export(session, export_id)
    job = lifecycle.lock(session, export_id)
    if job.status in LEASED:
        raise ConflictError(f"The export is {job.status}.", "Cancel it first, then delete it.")
    secrets.forget(session, row.export)
    lifecycle.mark_deleted(session, job, actor=actor)


def source_folder_name(row: Row) -> str:
    """What a download's file is called, without its ending."""
    config = row.job.config
    step = "" if row.export.checkpoint is None else f"-step-{row.export.checkpoint}"
    model = PurePath(config["model"]["name"]).name
    plain = "".join(char if char.isalnum() or char in "-._" else "-" for char in row.run_name)
    return f"{plain.strip('-.') or model}-{row.export.content}{step}"[:150]

"""One wish about many runs: each in its own transaction, so that a refusal costs no other."""

from __future__ import annotations

from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError
from sqlalchemy.orm import Session

from app.config_in import ConfigIn
from app.db import Database
from app.deps import writing
from app.errors import AppError, ConflictError
from app.models import Run
from app.runs import lifecycle, service, steering, tagging
from app.runs.schemas import BulkOutcome, BulkRun, BulkWish, RunCreate
from app.settings import Settings
from core.errors import Problem, StudioError
from core.schedule import Schedule
from core.states import RunKind, RunStatus


def carry_out(
    database: Database, wish: BulkWish, settings: Settings, *, actor: str
) -> list[BulkOutcome]:
    """Do it to every run that allows it; says of each what became of it."""
    if wish.action == "tag" and not wish.add and not wish.remove:
        message, remedy = "There are no tags.", "Name some to put on, or to take off."
        raise StudioError(Problem(code="invalid", message=message, remedy=remedy, field="add"))
    return [_one(database, seen, wish, settings, actor=actor) for seen in wish.runs]


def _one(
    database: Database, seen: BulkRun, wish: BulkWish, settings: Settings, *, actor: str
) -> BulkOutcome:
    name: str | None = None
    try:
        with writing(database) as session:
            run = service.get_run(session, seen.id)
            name = run.name
            created = _do(session, run, seen, wish, settings, actor=actor)
        return BulkOutcome(id=seen.id, name=name, created_id=created, problem=None)
    except StudioError as error:
        problem = error.problem
    except AppError as error:
        problem = Problem(code=error.code, message=error.detail, remedy=error.remedy)
    except (DBAPIError, PoolTimeoutError):
        message = "The database did not answer in time. Nothing was changed."
        problem = Problem(code="database_busy", message=message, remedy="Try again.")
    return BulkOutcome(id=seen.id, name=name, created_id=None, problem=problem)


def _do(
    session: Session, run: Run, seen: BulkRun, wish: BulkWish, settings: Settings, *, actor: str
) -> str | None:
    match wish.action:
        case "stop" if run.status is RunStatus.QUEUED and not run.attempt_count:
            steering.cancel_run(session, run.id, version=seen.version, actor=actor)
        case "stop":
            steering.stop_run(session, run.id, wish.mode, version=seen.version, actor=actor)
        case "resume":
            steering.resume_run(session, run.id, version=seen.version, actor=actor)
        case "delete":
            steering.delete_run(session, run.id, version=seen.version, actor=actor)
        case "tag":
            locked = lifecycle.lock(session, run.id)
            tagging.change_tags(session, locked, wish.add, wish.remove, actor=actor)
        case "clone":
            return _clone(session, run, settings, actor=actor)
    return None


def _clone(session: Session, run: Run, settings: Settings, *, actor: str) -> str:
    if run.kind is not RunKind.TRAINING:
        raise ConflictError("Only trainings can be cloned.", "Start the evaluation anew.")
    wanted = RunCreate(
        project_id=run.project_id,
        name=f"{run.name[:192]} (clone)",
        config=ConfigIn.model_validate(run.config),
        schedule=Schedule(
            priority=run.priority,
            queue=run.queue,
            labels=run.labels,
            gpu_memory_bytes=run.gpu_memory_bytes,
            time_limit_seconds=run.time_limit_seconds,
            max_attempts=run.max_attempts,
        ),
    )
    created, _ = service.create_run(session, wanted, settings, actor=actor)
    return created.id

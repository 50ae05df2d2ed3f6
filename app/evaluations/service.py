"""Creates evaluations and reads their results: summaries from SQL, examples from the files."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path, PurePath
from typing import Final

from pydantic import ValidationError
from sqlalchemy import Row, select
from sqlalchemy.orm import Session

from app.datasets.references import Resolver, placed
from app.errors import ConflictError, NotFoundError
from app.evaluations.comparison import rate_intervals
from app.evaluations.files import Kept, read_stored_examples
from app.evaluations.schemas import EvaluationCreate, EvaluationOut, Example
from app.models import Attempt, Run, RunEvent
from app.preflight.check import Findings, check_job
from app.projects.service import default_project, get_project
from app.runs import lifecycle
from app.runs.service import get_run
from app.runs.weights import adapter_folder, checkpoint_folder
from app.settings import Settings
from app.storage.keys import key_of_results
from core.config import ModelConfig, RunConfig
from core.errors import Problem, StudioError
from core.evaluation_job import EvaluationJob
from core.schedule import Queue
from core.states import RunKind
from core.validation import validation_problems

_SMALL_ANSWERS: Final = 256
"""An evaluation with so many answers at most need not wait behind training."""


def create_evaluation(
    session: Session, wanted: EvaluationCreate, settings: Settings, *, actor: str
) -> tuple[Run, Findings]:
    """Check everything, store the evaluation as a run, and have it sent after the commit.

    Raises:
        StudioError: it cannot run; nothing was stored.
        NotFoundError: run, adapter or project do not exist.
        ConflictError: the run has no such adapter yet.
    """
    source = get_run(session, wanted.run_id) if wanted.run_id else None
    job = _job(session, wanted, source, settings)
    if wanted.project_id is not None:
        project_id = get_project(session, wanted.project_id).id
    else:
        project_id = source.project_id if source else default_project(session).id
    resolver = Resolver(session, settings, project_id)
    findings = check_job(resolver.resolve(job), settings)
    if findings.errors:
        raise StudioError(*(placed(problem, job) for problem in findings.errors))
    findings.warnings.extend(resolver.warnings)
    run = Run(
        project_id=project_id,
        kind=RunKind.EVALUATION,
        name=(wanted.name or _default_name(job, source)).strip(),
        config=job.model_dump(mode="json"),
        queue=(Queue.INTERACTIVE if _is_small(job) else Queue.GPU).value,
    )
    lifecycle.submit(session, run, wanted.schedule, settings, actor=actor)
    resolver.remember(run)
    session.refresh(run)
    return run, findings


def _is_small(job: EvaluationJob) -> bool:
    """Whether somebody can wait for it: few enough answers, known beforehand."""
    answers = sum((one.limit or _SMALL_ANSWERS + 1) * one.samples for one in job.sets)
    return answers <= _SMALL_ANSWERS


def _job(
    session: Session, wanted: EvaluationCreate, source: Run | None, settings: Settings
) -> EvaluationJob:
    model, adapter, prompt = wanted.model, wanted.adapter, wanted.system_prompt
    if source is not None:
        if source.kind is not RunKind.TRAINING:
            raise ConflictError(
                "Only a run that trains has a model of its own to evaluate.",
                "Name the run that trained the model, or give `model` and `adapter`.",
            )
        if adapter is not None or model is not None:
            raise StudioError(
                Problem(
                    code="config_invalid",
                    message="A run has its own model and adapters.",
                    remedy="Leave out `model` and `adapter`, or leave out `run_id`.",
                    field="run_id",
                )
            )
        config = RunConfig.model_validate(source.config)
        model = config.model
        prompt = config.data.system_prompt if prompt is None else prompt
        adapter = None
        if wanted.weights != "base" and wanted.checkpoint is not None:
            adapter = checkpoint_folder(session, source, wanted.checkpoint, settings)
        elif wanted.weights != "base":
            adapter = adapter_folder(session, source, wanted.weights)
    try:
        return EvaluationJob(
            model=model or ModelConfig(),
            adapter=adapter,
            weights="ema" if wanted.weights == "ema_adapter" else "student",
            sets=tuple(wanted.sets),
            system_prompt=prompt,
            seed=wanted.seed,
            device=wanted.device,
        )
    except ValidationError as error:
        problems = validation_problems(error.errors(include_url=False), model=EvaluationJob)
        raise StudioError(*problems) from None


def _default_name(job: EvaluationJob, source: Run | None) -> str:
    of = source.name if source else PurePath(job.adapter or job.model.name).name
    return f"{of} · {', '.join(one.name for one in job.sets)}"[:200]


def list_evaluations(session: Session, run_id: str) -> list[EvaluationOut]:
    """A run's results, in the order in which they were made."""
    rows = session.execute(
        select(RunEvent, Attempt.directory)
        .join(Attempt, Attempt.id == RunEvent.attempt_id)
        .where(RunEvent.run_id == run_id, RunEvent.kind == "evaluation")
        .order_by(RunEvent.cursor)
    )
    return [_evaluation(event, directory) for event, directory in rows]


def _find(session: Session, run_id: str, cursor: int) -> Row[RunEvent, str]:
    row = session.execute(
        select(RunEvent, Attempt.directory)
        .join(Attempt, Attempt.id == RunEvent.attempt_id)
        .where(RunEvent.run_id == run_id, RunEvent.cursor == cursor, RunEvent.kind == "evaluation")
    ).one_or_none()
    if row is None:
        raise NotFoundError(
            f"The run has no evaluation {cursor}.", "Choose one of the run's evaluations."
        )
    return row


def get_kept(session: Session, settings: Settings, run_id: str, cursor: int) -> Kept:
    """All examples of one result, and where their tokens are.

    Raises:
        NotFoundError: there is no such result.
        ArtifactNotThereYetError: their worker has not copied them into the store yet.
        UnavailableError: the files are not on this host, or the store does not answer.
    """
    row = _find(session, run_id, cursor)
    path = row.RunEvent.payload["path"]
    return read_stored_examples(
        settings,
        key_of_results(run_id, row.directory, path),
        Path(row.directory, path),
        row.RunEvent.payload["summary"],
    )


def get_examples(
    session: Session, settings: Settings, run_id: str, cursor: int
) -> Sequence[Example]:
    """All examples of one result, without the values of tokens; raises as `get_kept`."""
    return get_kept(session, settings, run_id, cursor).items


def find_result(session: Session, name: str) -> Row[RunEvent, str]:
    """The result named `RUN:CURSOR` with its attempt's folder, or `NotFoundError`."""
    run_id, _, cursor = name.partition(":")
    return _find(session, get_run(session, run_id).id, int(cursor))


def find_examples(session: Session, settings: Settings, name: str) -> Sequence[Example]:
    """The examples of the result named `RUN:CURSOR`; raises as `get_examples`."""
    run_id, _, cursor = name.partition(":")
    return get_examples(session, settings, get_run(session, run_id).id, int(cursor))


def _evaluation(event: RunEvent, directory: str) -> EvaluationOut:
    payload = event.payload
    return EvaluationOut(
        cursor=event.cursor,
        attempt=event.attempt_number,
        set=payload["set"],
        step=payload["step"],
        time=event.time,
        # An evaluation of its own keeps its results for all attempts, and says where.
        directory=str(PurePath(directory) / payload["path"]),
        summary=payload["summary"],
        intervals=rate_intervals(payload["summary"]),
    )

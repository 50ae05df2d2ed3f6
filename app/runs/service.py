"""Creates, checks and finds runs; `steering` changes those that exist."""

from __future__ import annotations

from pathlib import PurePath

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from app.datasets.references import Resolver, placed
from app.errors import ConflictError, NotFoundError
from app.experiments.service import get_experiment
from app.models import Attempt, Run
from app.preflight.check import Findings, check
from app.projects.service import default_project, find_default_project, get_project
from app.runs import lifecycle
from app.runs.repository import find_attempt
from app.runs.schemas import RunCreate, Validation
from app.settings import Settings
from core.config import RunConfig
from core.errors import Problem, StudioError
from core.states import RunKind


def get_run(session: Session, run_id: str) -> Run:
    """A run, or `NotFoundError`."""
    run = session.get(Run, run_id)
    if run is None or run.deleting:
        raise NotFoundError(f"There is no run “{run_id}”.", "It may have been deleted.")
    return run


def get_attempt(session: Session, run_id: str, number: int | None) -> Attempt | None:
    """A run's attempt by number, or its latest; None if it has none yet."""
    attempt = find_attempt(session, run_id, number)
    if attempt is None and number is not None:
        raise NotFoundError(
            f"The run has no attempt {number}.", "Its attempts are numbered from 1; see the run."
        )
    return attempt


def create_run(
    session: Session, wanted: RunCreate, settings: Settings, *, actor: str
) -> tuple[Run, Findings]:
    """Check everything, store the run, and have it sent to a worker after the commit.

    Raises:
        StudioError: the configuration cannot run; nothing was stored.
        NotFoundError: project or experiment do not exist.
    """
    config = configuration(session, wanted)
    project_id = _project_id(session, wanted)
    resolver = Resolver(session, settings, project_id)
    findings = check_resolved(config, resolver, settings)
    if findings.errors:
        raise StudioError(*findings.errors)
    run = Run(
        project_id=project_id,
        experiment_id=wanted.experiment_id,
        name=(wanted.name or _default_name(session, project_id, config)).strip(),
        config=config.model_dump(mode="json"),
    )
    lifecycle.submit(session, run, wanted.schedule, settings, actor=actor)
    resolver.remember(run)
    session.refresh(run)
    return run, findings


def validate(session: Session, wanted: RunCreate, settings: Settings) -> Validation:
    """The verdict that `create_run` would give, without storing anything."""
    resolver = Resolver(session, settings, known_project(session, wanted))
    findings = check_resolved(configuration(session, wanted), resolver, settings)
    return Validation(valid=not findings.errors, errors=findings.errors, warnings=findings.warnings)


def check_resolved(config: RunConfig, resolver: Resolver, settings: Settings) -> Findings:
    """What is wrong with a configuration, its data set included."""
    try:
        resolved = resolver.resolve(config)
    except StudioError as error:
        return Findings(list(error.problems), [])
    findings = check(resolved, settings)
    return Findings(
        [placed(problem, config) for problem in findings.errors],
        [*resolver.warnings, *(placed(problem, config) for problem in findings.warnings)],
    )


def configuration(session: Session, wanted: RunCreate) -> RunConfig:
    """The configuration that is wanted: its own, or the experiment's."""
    if wanted.config is not None:
        return wanted.config
    if wanted.experiment_id is not None:
        experiment = get_experiment(session, wanted.experiment_id)
        return RunConfig.model_validate(experiment.config)
    raise StudioError(
        Problem(
            code="config_invalid",
            message="There is no configuration.",
            remedy="Send `config`, or name an experiment that has one.",
            field="config",
        )
    )


def _project_id(session: Session, wanted: RunCreate) -> str:
    if wanted.experiment_id is not None:
        experiment = get_experiment(session, wanted.experiment_id)
        if wanted.project_id not in {None, experiment.project_id}:
            raise ConflictError(
                "The experiment belongs to another project.",
                "Leave out the project, or name that of the experiment.",
            )
        return experiment.project_id
    if wanted.project_id is not None:
        return get_project(session, wanted.project_id).id
    return default_project(session).id


def known_project(session: Session, wanted: RunCreate) -> str | None:
    """The project that a run would go to, without making the default one."""
    if wanted.experiment_id is None and wanted.project_id is None:
        return find_default_project(session)
    return _project_id(session, wanted)


def _default_name(session: Session, project_id: str, config: RunConfig) -> str:
    number = session.execute(
        select(func.count(Run.id)).where(Run.project_id == project_id, Run.kind != RunKind.EXPORT)
    ).scalar_one()
    model = PurePath(config.model.name).name.lower()
    data = config.data.short_name.split(".")[0]
    return f"{model} · {data} · {number + 1}"[:200]

"""Experiments: creating and finding definitions."""

from __future__ import annotations

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from app.errors import ConflictError, NotFoundError
from app.experiments.schemas import ExperimentCreate
from app.models import Experiment
from app.projects.service import get_project


def get_experiment(session: Session, experiment_id: str) -> Experiment:
    """An experiment, or `NotFoundError`."""
    experiment = session.get(Experiment, experiment_id)
    if experiment is None:
        raise NotFoundError(
            f"There is no experiment “{experiment_id}”.", "Choose one of the list of experiments."
        )
    return experiment


def create_experiment(session: Session, wanted: ExperimentCreate) -> Experiment:
    """A new definition; its name must be free within the project."""
    project = get_project(session, wanted.project_id)
    name = wanted.name.strip()
    taken = select(Experiment.id).where(
        Experiment.project_id == project.id, Experiment.name == name
    )
    if session.scalars(taken).first() is not None:
        raise ConflictError(
            f"The project already has an experiment “{name}”.", "Choose another name."
        )
    experiment = Experiment(
        project_id=project.id,
        name=name,
        description=wanted.description,
        config=wanted.config.model_dump(mode="json"),
    )
    session.add(experiment)
    session.flush()
    return experiment


def list_experiments(
    session: Session, *, project_id: str | None, limit: int, offset: int
) -> tuple[list[Experiment], int]:
    """A page of experiments, newest first, and how many there are."""
    statement = select(Experiment).order_by(Experiment.created_at.desc(), Experiment.id)
    count = select(func.count(Experiment.id))
    if project_id is not None:
        statement = statement.where(Experiment.project_id == project_id)
        count = count.where(Experiment.project_id == project_id)
    page = list(session.scalars(statement.limit(limit).offset(offset)))
    return page, session.execute(count).scalar_one()

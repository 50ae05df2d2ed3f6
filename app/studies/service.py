"""What can be done with studies: create, find, cancel."""

from __future__ import annotations

from typing import NamedTuple

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.datasets.references import Resolver
from app.db import Database
from app.errors import ConflictError, NotFoundError
from app.models import Project, Run, Study
from app.preflight.check import Findings
from app.runs import lifecycle
from app.runs.service import check_resolved
from app.settings import Settings
from app.studies import repository
from app.studies.report import Course, Result, build_report
from app.studies.schemas import (
    StudyCreated,
    StudyDetail,
    StudyList,
    StudyRun,
    StudySummary,
    StudyValidation,
)
from core.errors import Problem, StudioError
from core.states import TERMINAL, Cause, RunStatus, StopMode
from core.study import Cell, StudyPlan, cells, place_problem


class Prepared(NamedTuple):
    """A plan that can run."""

    plan: StudyPlan
    cells: list[Cell]
    warnings: list[Problem]


def prepare(plan: StudyPlan, settings: Settings, database: Database) -> Prepared:
    """Check every cell as a run of its own would be. Slow for large studies: hold no transaction.

    Raises:
        StudioError: every mistake of every cell, once.
    """
    found = cells(plan)
    errors: dict[str, Problem] = {}
    warnings: dict[str, Problem] = {}
    seen: set[tuple[str, ...]] = set()
    for cell in found:
        levels = tuple(cell.levels.values())
        if levels in seen:
            continue  # a seed changes nothing that can be checked
        seen.add(levels)
        findings = _check_cell(cell, plan, settings, database)
        for problem in findings.errors:
            placed = place_problem(problem, plan, cell.levels)
            errors.setdefault(str(placed), placed)
        for problem in findings.warnings:
            warnings.setdefault(str(problem), problem)
    if errors:
        raise StudioError(*errors.values())
    return Prepared(plan, found, list(warnings.values()))


def validate(plan: StudyPlan, settings: Settings, database: Database) -> StudyValidation:
    """The verdict that creating the study would give, without storing anything."""
    try:
        prepared = prepare(plan, settings, database)
    except StudioError as error:
        return StudyValidation(valid=False, runs=None, errors=list(error.problems), warnings=[])
    return StudyValidation(
        valid=True, runs=len(prepared.cells), errors=[], warnings=prepared.warnings
    )


def _check_cell(cell: Cell, plan: StudyPlan, settings: Settings, database: Database) -> Findings:
    with database.read() as session:
        project = session.scalars(select(Project.id).where(Project.name == plan.project)).first()
        resolver = Resolver(session, settings, project)
        return check_resolved(cell.config, resolver, settings)


def create_study(
    session: Session, prepared: Prepared, settings: Settings, *, actor: str
) -> StudyCreated:
    """Store the study and its runs, and have them sent to workers after the commit."""
    plan = prepared.plan
    study = Study(
        project_id=_project(session, plan.project).id,
        name=plan.name,
        plan=plan.model_dump(mode="json"),
    )
    session.add(study)
    session.flush()
    for place, cell in enumerate(prepared.cells):
        run = Run(
            project_id=study.project_id,
            study_id=study.id,
            study_place=place,
            study_levels=cell.levels,
            name=cell.name,
            config=cell.config.model_dump(mode="json"),
        )
        lifecycle.submit(session, run, plan.schedule, settings, actor=actor)
        resolver = Resolver(session, settings, study.project_id)
        resolver.resolve(cell.config)
        resolver.remember(run)
    return StudyCreated(**dict(detail(session, study)), warnings=prepared.warnings)


def _project(session: Session, name: str) -> Project:
    project = session.scalars(select(Project).where(Project.name == name)).one_or_none()
    if project is None:
        project = Project(name=name)
        session.add(project)
        session.flush()
    return project


def get_study(session: Session, study_id: str) -> Study:
    """A study, or `NotFoundError`."""
    study = session.get(Study, study_id)
    if study is None:
        raise NotFoundError(f"There is no study “{study_id}”.", "`GET /api/studies` lists them.")
    return study


def list_studies(session: Session, *, project_id: str | None, limit: int, offset: int) -> StudyList:
    """A page of studies, newest first."""
    page, total = repository.list_studies(
        session, project_id=project_id, limit=limit, offset=offset
    )
    states = repository.count_states(session, [study.id for study in page])
    items = [_summary(study, states[study.id]) for study in page]
    return StudyList(items=items, total=total, limit=limit, offset=offset)


def _summary(study: Study, states: dict[RunStatus, int]) -> StudySummary:
    return StudySummary(
        id=study.id,
        project_id=study.project_id,
        name=study.name,
        created_at=study.created_at,
        runs=states,
    )


def detail(session: Session, study: Study) -> StudyDetail:
    """A study, its runs, and what they tell so far."""
    plan = StudyPlan.model_validate(study.plan)
    runs = repository.runs_of(session, study.id)
    states = repository.count_states(session, [study.id])[study.id]
    return StudyDetail(
        **dict(_summary(study, states)),
        plan=plan,
        cells=[_cell(run) for run in runs],
        report=build_report(plan, _results(session, study.id, plan, runs)),
    )


def _cell(run: Run) -> StudyRun:
    return StudyRun(
        id=run.id,
        name=run.name,
        levels=dict(run.study_levels or {}),
        seed=run.config["training"]["seed"],
        status=run.status,
        step=run.step,
        total_steps=run.total_steps,
        problem=Problem.model_validate(run.problem) if run.problem else None,
    )


def _results(session: Session, study_id: str, plan: StudyPlan, runs: list[Run]) -> list[Result]:
    metrics = repository.courses(session, study_id, plan.metrics)
    tokens = repository.tokens(session, study_id)
    seconds = repository.seconds(session, study_id)
    results = []
    for run in runs:
        cell = _cell(run)
        of_run: dict[str, Course] = metrics.get(run.id, {})
        results.append(
            Result(
                name=cell.name,
                levels=cell.levels,
                seed=cell.seed,
                state=cell.status.value,
                problem=cell.problem,
                metrics=of_run,
                seconds=seconds.get(run.id),
                tokens=tokens.get(run.id),
            )
        )
    return results


def cancel_study(session: Session, study_id: str, *, actor: str) -> StudyDetail:
    """Take waiting runs out of the queue and ask started ones to stop. What is over stays.

    Raises:
        NotFoundError: there is no such study.
        ConflictError: all of its runs are over.
    """
    study = get_study(session, study_id)
    open_runs = [run for run in repository.runs_of(session, study_id) if run.status not in TERMINAL]
    if not open_runs:
        raise ConflictError("All runs of the study are over.")
    for run_id in sorted(run.id for run in open_runs):  # one order for all who lock several
        run = lifecycle.lock(session, run_id)
        if run.status is RunStatus.QUEUED and not run.attempt_count:
            lifecycle.change_status(session, run, RunStatus.CANCELLED, Cause.CANCELLED, actor=actor)
        elif run.status not in TERMINAL and run.status is not RunStatus.STOPPING:
            lifecycle.request_stop(session, run, StopMode.SAVE, actor=actor)
    return detail(session, study)

"""Creates, checks and finds studies; `steering` changes those that exist."""

from __future__ import annotations

from typing import Final, NamedTuple

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.datasets.references import Resolver
from app.db import Database
from app.errors import NotFoundError
from app.models import Project, Run, Study
from app.preflight.check import Findings
from app.runs import lifecycle
from app.runs.service import check_resolved
from app.settings import Settings
from app.studies import repository
from app.studies.plan_text import at_line, read_plan
from app.studies.report import Cost, Course, Result, build_report, cost_of
from app.studies.repository import Standing
from app.studies.schemas import (
    PlanCheck,
    StudyCreated,
    StudyDetail,
    StudyList,
    StudyRun,
    StudyState,
    StudySummary,
)
from core.errors import Problem, StudioError
from core.states import LEASED, TERMINAL, RunStatus
from core.study import Cell, StudyPlan, assignments, cell_name, cells, parse_plan, place_problem

DELETED: Final = "deleted"
"""Stands where a run of the plan would have its state."""


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
    return Prepared(plan, found, check_cells(found, plan, settings, database))


def check_cells(
    found: list[Cell], plan: StudyPlan, settings: Settings, database: Database
) -> list[Problem]:
    """Check each combination of levels once; returns what one should know.

    Raises:
        StudioError: every mistake of every cell, once.
    """
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
    return list(warnings.values())


def _check_cell(cell: Cell, plan: StudyPlan, settings: Settings, database: Database) -> Findings:
    with database.read() as session:
        project = session.scalars(select(Project.id).where(Project.name == plan.project)).first()
        resolver = Resolver(session, settings, project)
        return check_resolved(cell.config, resolver, settings)


def check_text(text: str, settings: Settings, database: Database) -> PlanCheck:
    """What a written plan would start, or every mistake with its line."""
    lines: dict[str, int] = {}
    plan: StudyPlan | None = None
    count = combinations = 0
    errors: list[Problem] = []
    warnings: list[Problem] = []
    try:
        plan, lines = read_plan(text)
        found = cells(plan)
        count, combinations = len(found), len({tuple(cell.levels.items()) for cell in found})
        warnings = check_cells(found, plan, settings, database)
    except StudioError as error:
        errors = list(error.problems)
    return PlanCheck(
        plan=plan,
        combinations=combinations,
        runs=count,
        errors=[at_line(problem, lines) for problem in errors],
        warnings=warnings,
    )


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
        submit_cell(session, study, place, cell, plan, settings, actor=actor)
    return StudyCreated(**dict(detail(session, study)), warnings=prepared.warnings)


def submit_cell(
    session: Session,
    study: Study,
    place: int,
    cell: Cell,
    plan: StudyPlan,
    settings: Settings,
    *,
    actor: str,
) -> None:
    """Store one run of a study and have it sent to a worker after the commit."""
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
        raise NotFoundError(
            f"There is no study “{study_id}”.", "Choose one of the list of studies."
        )
    return study


def list_studies(
    session: Session, *, project_id: str | None, text: str | None, limit: int, offset: int
) -> StudyList:
    """A page of studies, newest first."""
    page, total = repository.list_studies(
        session, project_id=project_id, text=text, limit=limit, offset=offset
    )
    ids = [study.id for study in page]
    standings = repository.standings(session, ids)
    costs = _costs(session, ids)
    items = [
        _summary(study, stored_plan(study), standings[study.id], costs[study.id]) for study in page
    ]
    return StudyList(items=items, total=total, limit=limit, offset=offset)


def _costs(session: Session, study_ids: list[str]) -> dict[str, Cost]:
    taken: dict[str, list[Result]] = {study_id: [] for study_id in study_ids}
    for one in repository.spent(session, study_ids).values():
        taken[one.study_id].append(_taken(seconds=one.seconds, devices=one.devices))
    for study_id, count in repository.tokens(session, study_ids).values():
        taken[study_id].append(_taken(tokens=count))
    return {study_id: cost_of(results) for study_id, results in taken.items()}


def _taken(
    *, seconds: float | None = None, tokens: float | None = None, devices: int = 1
) -> Result:
    return Result("", {}, 0, "", None, {}, seconds, tokens, devices)


def stored_plan(study: Study) -> StudyPlan:
    """The plan as it was asked for."""
    return StudyPlan.model_validate(study.plan)


def _summary(study: Study, plan: StudyPlan, standing: Standing, cost: Cost) -> StudySummary:
    combinations = sum(1 for _ in assignments(plan))
    planned = combinations * len(plan.seeds)
    over = sum(count for status, count in standing.states.items() if status in TERMINAL)
    existing = sum(standing.states.values())
    return StudySummary(
        id=study.id,
        project_id=study.project_id,
        name=study.name,
        created_at=study.created_at,
        state=_state(standing.states, planned),
        runs=standing.states,
        progress=min(1.0, (over + standing.under_way) / existing) if existing else 1.0,
        factors={factor: list(levels) for factor, levels in plan.factors.items()},
        baselines=plan.baselines,
        combinations=combinations,
        seeds=len(plan.seeds),
        cost=cost,
    )


def _state(states: dict[RunStatus, int], planned: int) -> StudyState:
    if states.get(RunStatus.SUCCEEDED, 0) >= planned:
        return StudyState.COMPLETE
    if LEASED & states.keys():
        return StudyState.RUNNING
    return StudyState.WAITING if states.keys() - TERMINAL else StudyState.INCOMPLETE


class View(NamedTuple):
    """How a study is looked at; what is empty is as in the plan.

    Attributes:
        metrics: outcomes to compare beside those of the plan.
        baseline: factor to the level that is compared with.
    """

    metrics: tuple[str, ...] = ()
    baseline: dict[str, str] = {}  # noqa: RUF012 - never changed

    def of(self, plan: StudyPlan) -> StudyPlan:
        """The plan, looked at so.

        Raises:
            StudioError: `study_invalid`: no such factor or level.
        """
        if not self.metrics and not self.baseline:
            return plan
        raw = plan.model_dump()
        raw["metrics"] = tuple(dict.fromkeys((*plan.metrics, *self.metrics)))
        raw["baseline"] = plan.baseline | self.baseline
        return parse_plan(raw)


def detail(session: Session, study: Study, view: View | None = None) -> StudyDetail:
    """A study, its runs, and what they tell so far."""
    plan = stored_plan(study)
    shown = (view or View()).of(plan)
    runs = repository.runs_of(session, study.id)
    results = results_of(session, study.id, shown, runs)
    report = build_report(shown, results)
    standing = repository.standings(session, [study.id])[study.id]
    return StudyDetail(
        **dict(_summary(study, plan, standing, report.cost)),
        plan=plan,
        cells=[_cell(run) for run in runs],
        metrics=repository.metric_names(session, study.id),
        eta_seconds=_eta(results, standing),
        report=report,
    )


def _eta(results: list[Result], standing: Standing) -> float | None:
    """From the time of those that succeeded, if as many go on at once as now."""
    known = [
        one.seconds
        for one in results
        if one.state == RunStatus.SUCCEEDED.value and one.seconds is not None
    ]
    at_once = sum(count for status, count in standing.states.items() if status in LEASED)
    left = sum(count for status, count in standing.states.items() if status not in TERMINAL)
    if not known or not at_once:
        return None
    return max(0.0, left - standing.under_way) * sum(known) / len(known) / at_once


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


def results_of(session: Session, study_id: str, plan: StudyPlan, runs: list[Run]) -> list[Result]:
    """What each run of the plan has come to, those that are gone among them."""
    metrics = repository.courses(session, study_id, plan.metrics)
    tokens = repository.tokens(session, [study_id])
    spent = repository.spent(session, [study_id])
    by_place = {run.study_place: run for run in runs}
    results = []
    for place, (levels, seed) in enumerate(places(plan)):
        run = by_place.get(place)
        if run is None:
            results.append(_gone(levels, seed))
            continue
        cell = _cell(run)
        took = spent.get(run.id)
        of_run: dict[str, Course] = metrics.get(run.id, {})
        results.append(
            Result(
                name=cell.name,
                levels=levels,
                seed=seed,
                state=cell.status.value,
                problem=cell.problem,
                metrics=of_run,
                seconds=took.seconds if took else None,
                tokens=tokens[run.id][1] if run.id in tokens else None,
                devices=took.devices if took else 1,
                run_id=run.id,
            )
        )
    return results


def places(plan: StudyPlan) -> list[tuple[dict[str, str], int]]:
    """Levels and seed of each run of a plan, in the order of `Run.study_place`."""
    return [(levels, seed) for levels in assignments(plan) for seed in plan.seeds]


def _gone(levels: dict[str, str], seed: int) -> Result:
    return Result(cell_name(levels, seed), levels, seed, DELETED, None, {}, None, None)

"""What is read of a study beside itself: tables and files."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy.orm import Session

from app.models import Study
from app.studies import repository, service
from app.studies.files import StudyFile, write_file
from app.studies.report import Result, build_report
from app.studies.service import View
from app.studies.table import Layout, StudyTable, build_table, default_layout
from core.errors import Problem, StudioError
from core.study import StudyPlan


def read_view(metrics: Sequence[str] | None, baseline: Sequence[str] | None) -> View:
    """How the study is to be looked at, from a query.

    Raises:
        StudioError: `study_choice`.
    """
    return View(tuple(metrics or ()), _choices(baseline or (), "baseline"))


def read_layout(
    rows: Sequence[str] | None, columns: Sequence[str] | None, fixed: Sequence[str] | None
) -> Layout | None:
    """Where factors are to stand, from a query; None if it says nothing.

    Raises:
        StudioError: `study_choice`.
    """
    if not rows and not columns and not fixed:
        return None
    return Layout(tuple(rows or ()), tuple(columns or ()), _choices(fixed or (), "fix"))


def _choices(given: Sequence[str], field: str) -> dict[str, str]:
    found: dict[str, str] = {}
    for choice in given:
        factor, equals, level = choice.partition("=")
        if not equals or factor in found:
            reason = "names a factor twice" if equals else f"has “{choice}”"
            raise StudioError(
                Problem(
                    code="study_choice",
                    message=f"`{field}` {reason}.",
                    remedy="Write `factor=level`, each factor once.",
                    field=field,
                )
            )
        found[factor] = level
    return found


def table(
    session: Session, study_id: str, view: View, layout: Layout | None, metric: str | None
) -> StudyTable:
    """The study's cells by rows and columns."""
    study = service.get_study(session, study_id)
    plan = view.of(service.stored_plan(study))
    results = _results(session, study, plan)
    if metric is None:
        metric = next(iter(build_report(plan, results).metrics), plan.metrics[0])
    return build_table(plan, results, metric, layout or default_layout(plan))


def file(session: Session, study_id: str, view: View, wanted: StudyFile) -> tuple[str, str]:
    """The name and the content of one of the study's files."""
    study = service.get_study(session, study_id)
    plan = view.of(service.stored_plan(study))
    results = _results(session, study, plan)
    name = f"study-{study.id}-{wanted.value}"
    return name, write_file(wanted, build_report(plan, results), results)


def _results(session: Session, study: Study, plan: StudyPlan) -> list[Result]:
    return service.results_of(session, study.id, plan, repository.runs_of(session, study.id))

"""Routes of studies."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query, Response, status

from app.deps import (
    WRITE_PATIENCE_SECONDS,
    Actor,
    DatabaseDep,
    Limit,
    Offset,
    ReadSession,
    SettingsDep,
    WriteSession,
)
from app.errors import documented
from app.once import OnceDep
from app.studies import service, steering, views
from app.studies.files import StudyFile
from app.studies.schemas import (
    Fate,
    PlanCheck,
    PlanIn,
    StudyCreated,
    StudyDetail,
    StudyList,
    StudyResume,
)
from app.studies.table import StudyTable
from core.study import StudyPlan

router = APIRouter(prefix="/studies", tags=["studies"])

_Choice = Annotated[str, Query(max_length=130)]
MetricsQuery = Annotated[
    list[Annotated[str, Query(max_length=500)]] | None,
    Query(max_length=50, description="Outcomes to compare beside the plan's; `*` is anything."),
]
BaselineQuery = Annotated[
    list[_Choice] | None,
    Query(
        max_length=20,
        description="`factor=level`: what effects are taken against. Absent: as in the plan.",
    ),
]
_FactorsQuery = list[Annotated[str, Query(max_length=60)]] | None


@router.get("", responses=documented(422))
def list_studies(
    session: ReadSession,
    project_id: Annotated[str | None, Query(description="Only those of this project.")] = None,
    q: Annotated[str | None, Query(max_length=200, description="Part of the name.")] = None,
    limit: Limit = 50,
    offset: Offset = 0,
) -> StudyList:
    """Studies with the states of their runs and what they cost so far."""
    return service.list_studies(session, project_id=project_id, text=q, limit=limit, offset=offset)


@router.post("", status_code=status.HTTP_201_CREATED, responses=documented(409, 422))
def create_study(
    database: DatabaseDep, settings: SettingsDep, actor: Actor, once: OnceDep, plan: StudyPlan
) -> StudyCreated:
    """Create a study and queue all of its runs, or none.

    Every cell is checked first as a run would be; mistakes name factor, level and field.
    """
    prepared = service.prepare(plan, settings, database)
    with database.write(WRITE_PATIENCE_SECONDS) as session:
        if earlier := once.earlier(session, "study", plan):
            shown = service.detail(session, service.get_study(session, earlier))
            return StudyCreated(**dict(shown), warnings=prepared.warnings)
        made = service.create_study(session, prepared, settings, actor=actor)
        once.remember(session, made.id)
        return made


@router.post("/check", responses=documented(422))
def check_plan(database: DatabaseDep, settings: SettingsDep, written: PlanIn) -> PlanCheck:
    """What a written plan would start, without starting it; mistakes name their line."""
    return service.check_text(written.text, settings, database)


@router.get("/{study_id}", responses=documented(404, 422))
def get_study(
    session: ReadSession,
    study_id: str,
    metric: MetricsQuery = None,
    baseline: BaselineQuery = None,
) -> StudyDetail:
    """A study: cells with their states, means over seeds, effects, interactions and cost."""
    view = views.read_view(metric, baseline)
    return service.detail(session, service.get_study(session, study_id), view)


@router.delete(
    "/{study_id}", status_code=status.HTTP_202_ACCEPTED, responses=documented(404, 409, 422)
)
def delete_study(
    session: WriteSession,
    actor: Actor,
    study_id: str,
    runs: Annotated[Fate, Query(description="What becomes of its runs.")],
) -> None:
    """Remove a study. Its runs stay as runs of their own, or go with all their files."""
    steering.delete_study(session, study_id, runs, actor=actor)


@router.get("/{study_id}/table", responses=documented(404, 422))
def get_study_table(
    session: ReadSession,
    study_id: str,
    metric: Annotated[
        str | None, Query(max_length=500, description="Absent: the first of the report.")
    ] = None,
    row: Annotated[
        _FactorsQuery, Query(max_length=20, description="Factors at the rows, outermost first.")
    ] = None,
    column: Annotated[
        _FactorsQuery, Query(max_length=20, description="Factors at the columns.")
    ] = None,
    fix: Annotated[
        list[_Choice] | None,
        Query(max_length=20, description="`factor=level`: only the cells of this level."),
    ] = None,
    baseline: BaselineQuery = None,
) -> StudyTable:
    """Cells by rows and columns. Factors that are named nowhere are averaged over.

    Without rows, columns and fixed factors the server chooses a layout that is read at a glance.
    """
    view = views.read_view([metric] if metric else None, baseline)
    layout = views.read_layout(row, column, fix)
    return views.table(session, study_id, view, layout, metric)


@router.get(
    "/{study_id}/files/{file}",
    response_class=Response,
    responses={
        **documented(404, 422),
        200: {"content": {"text/csv": {}, "text/markdown": {}}},
    },
)
def get_study_file(
    session: ReadSession,
    study_id: str,
    file: StudyFile,
    metric: MetricsQuery = None,
    baseline: BaselineQuery = None,
) -> Response:
    """The report as Markdown, or its cells, effects or runs as CSV."""
    view = views.read_view(metric, baseline)
    name, text = views.file(session, study_id, view, file)
    headers = {"Content-Disposition": f'attachment; filename="{name}"'}
    return Response(text, media_type=f"{file.media_type}; charset=utf-8", headers=headers)


@router.post("/{study_id}/cancel", responses=documented(404, 409))
def cancel_study(session: WriteSession, actor: Actor, study_id: str) -> StudyDetail:
    """Stop what is not finished: waiting runs are cancelled, started ones asked to stop."""
    return steering.cancel_study(session, study_id, actor=actor)


@router.post("/{study_id}/resume", responses=documented(404, 409, 422))
def resume_study(
    database: DatabaseDep,
    settings: SettingsDep,
    actor: Actor,
    study_id: str,
    wish: StudyResume | None = None,
) -> StudyDetail:
    """Take up runs that ended without success, from their newest checkpoints.

    Cells whose run was cancelled before it started, or deleted, get a new run.
    """
    wish = wish or StudyResume()
    missing = steering.find_missing(database, settings, study_id, wish)
    with database.write(WRITE_PATIENCE_SECONDS) as session:
        return steering.resume_study(session, study_id, wish, missing, settings, actor=actor)

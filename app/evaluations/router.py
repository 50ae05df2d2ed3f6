"""Routes of evaluations."""

from __future__ import annotations

from typing import Annotated, Literal

from fastapi import APIRouter, Path, Query, status
from pydantic import Field

from app.deps import BIGGEST, Actor, Limit, Offset, ReadSession, SettingsDep, WriteSession
from app.errors import documented
from app.evaluations import service
from app.evaluations.pairs import compare_results
from app.evaluations.schemas import Comparison, EvaluationCreate, EvaluationList, ExampleList
from app.once import OnceDep
from app.runs import present
from app.runs.schemas import RunCreated
from app.runs.service import get_run

router = APIRouter(tags=["evaluations"])
Evaluations = Annotated[
    list[Annotated[str, Field(pattern=r"^[0-9a-z]{1,12}:[0-9]{1,15}$")]],
    Field(min_length=1, max_length=100),
]
Sort = Literal[
    "index", "-index", "tokens", "-tokens", "jsd", "-jsd", "base_logprob", "-base_logprob"
]


@router.post(
    "/evaluations", status_code=status.HTTP_201_CREATED, responses=documented(404, 409, 422)
)
def create_evaluation(
    session: WriteSession,
    settings: SettingsDep,
    actor: Actor,
    once: OnceDep,
    wanted: EvaluationCreate,
) -> RunCreated:
    """Create an evaluation and queue it: a run of its own that only answers and grades."""
    if earlier := once.earlier(session, "evaluation", wanted):
        shown = present.detail(session, get_run(session, earlier), settings)
        return RunCreated(**dict(shown), warnings=[])
    run, findings = service.create_evaluation(session, wanted, settings, actor=actor)
    once.remember(session, run.id)
    return RunCreated(**dict(present.detail(session, run, settings)), warnings=findings.warnings)


@router.get("/evaluations/compare", responses=documented(404, 409, 422, 503))
def compare_evaluations(
    session: ReadSession,
    settings: SettingsDep,
    first: Annotated[Evaluations, Query(description="Evaluations of one model, one per seed.")],
    second: Annotated[Evaluations, Query(description="Those of the other, seed by seed.")],
) -> Comparison:
    """Two models on the same questions: who was right, and who stayed nearer to the base.

    An evaluation is named `RUN:CURSOR`.
    """
    return compare_results(session, settings, first, second)


@router.get("/runs/{run_id}/evaluations", responses=documented(404))
def list_evaluations(session: ReadSession, run_id: str) -> EvaluationList:
    """The results of a run's evaluations, those made while it trained included."""
    get_run(session, run_id)
    return EvaluationList(items=service.list_evaluations(session, run_id))


@router.get(
    "/runs/{run_id}/evaluations/{cursor}/examples", responses=documented(404, 409, 422, 503)
)
def list_examples(
    session: ReadSession,
    settings: SettingsDep,
    run_id: str,
    cursor: Annotated[int, Path(ge=0, le=BIGGEST, description="Of the evaluation.")],
    correct: Annotated[bool | None, Query(description="Only right, or only wrong.")] = None,
    regressed: Annotated[
        bool | None, Query(description="Only those that the base got right and the model wrong.")
    ] = None,
    q: Annotated[str | None, Query(max_length=200, description="Text to find.")] = None,
    sort: Annotated[Sort, Query(description="`-` sorts downwards.")] = "index",
    limit: Limit = 50,
    offset: Offset = 0,
) -> ExampleList:
    """Every answer of one evaluation, with its grade and its comparison with the base."""
    items, total = service.list_examples(
        service.get_examples(session, settings, run_id, cursor),
        service.ExampleFilter(correct=correct, regressed=regressed, text=q),
        sort=sort,
        limit=limit,
        offset=offset,
    )
    return ExampleList(items=items, total=total, limit=limit, offset=offset)

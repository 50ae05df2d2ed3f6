"""Routes of evaluations."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Path, Query, status
from pydantic import Field

from app.deps import BIGGEST, Actor, Limit, Offset, ReadSession, SettingsDep, WriteSession
from app.errors import documented
from app.evaluations import service
from app.evaluations.files import with_tokens
from app.evaluations.pairs import compare_results
from app.evaluations.quadrants import Quadrant
from app.evaluations.schemas import (
    Comparison,
    EvaluationCreate,
    EvaluationList,
    Example,
    ExampleList,
)
from app.evaluations.sorting import ExampleFilter, Sort, find_example, select_examples
from app.once import OnceDep
from app.runs import present
from app.runs.schemas import RunCreated
from app.runs.service import get_run

router = APIRouter(tags=["evaluations"])
Evaluations = Annotated[
    list[Annotated[str, Field(pattern=r"^[0-9a-z]{1,12}:[0-9]{1,15}$")]],
    Field(min_length=1, max_length=100),
]
Cursor = Annotated[int, Path(ge=0, le=BIGGEST, description="Of the evaluation.")]
Bound = Annotated[float | None, Query(allow_inf_nan=False, description="Forward, nats per token.")]


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
    cursor: Cursor,
    correct: Annotated[bool | None, Query(description="Only right, or only wrong.")] = None,
    regressed: Annotated[
        bool | None, Query(description="Only those that the base got right and the model wrong.")
    ] = None,
    quadrant: Annotated[
        Quadrant | None, Query(description="Only those that base and model got so.")
    ] = None,
    q: Annotated[str | None, Query(max_length=200, description="Text to find.")] = None,
    min_jsd: Bound = None,
    max_jsd: Bound = None,
    min_base_logprob: Bound = None,
    max_base_logprob: Bound = None,
    sort: Annotated[
        Sort,
        Query(
            description="`-` sorts downwards. `gain`: what regressed first, then what is farthest "
            "from the base."
        ),
    ] = "index",
    *,
    per_token: Annotated[bool, Query(description="With the values of every token.")] = True,
    limit: Limit = 50,
    offset: Offset = 0,
) -> ExampleList:
    """Every answer of one evaluation, with its grade and its comparison with the base."""
    kept = service.get_kept(session, settings, run_id, cursor)
    items, total = select_examples(
        kept.items,
        ExampleFilter(
            correct=correct,
            regressed=regressed,
            quadrant=quadrant,
            text=q,
            jsd=(min_jsd, max_jsd),
            base_logprob=(min_base_logprob, max_base_logprob),
        ),
        sort=sort,
        limit=limit,
        offset=offset,
    )
    if per_token:
        items = with_tokens(kept, items)
    return ExampleList(items=items, total=total, limit=limit, offset=offset)


@router.get(
    "/runs/{run_id}/evaluations/{cursor}/examples/{index}",
    responses=documented(404, 409, 422, 503),
)
def get_example(
    session: ReadSession,
    settings: SettingsDep,
    run_id: str,
    cursor: Cursor,
    index: Annotated[int, Path(ge=0, le=BIGGEST, description="Of the question.")],
    sample: Annotated[int, Query(ge=0, le=BIGGEST, description="Which answer to it.")] = 0,
) -> Example:
    """One answer, with what model and base say of every token of both answers."""
    kept = service.get_kept(session, settings, run_id, cursor)
    return with_tokens(kept, [find_example(kept.items, index, sample)])[0]

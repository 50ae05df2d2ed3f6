"""Routes of comparisons: answers side by side."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Path, Query, status

from app.deps import (
    Actor,
    DatabaseDep,
    Limit,
    Offset,
    ReadSession,
    SettingsDep,
    WriteSession,
    writing,
)
from app.errors import documented
from app.generations import examples, present, service
from app.generations.columns import prepare
from app.generations.schemas import (
    AnswerTokens,
    GenerationCreate,
    GenerationList,
    GenerationName,
    GenerationOut,
    RecordPreview,
    TallyList,
    VoteWanted,
)
from app.generations.stream import DOCUMENTED, CursorDep, FollowedDep
from app.generations.tallies import tallies
from app.once import OnceDep
from app.runs.stream import EventStream, respond
from core.errors import StudioError
from core.generation_job import COLUMNS, SAMPLES

router = APIRouter(prefix="/generations", tags=["side by side"])
KIND = "generation"


@router.post("", status_code=status.HTTP_202_ACCEPTED, responses=documented(404, 409, 422))
def create_generation(
    database: DatabaseDep,
    settings: SettingsDep,
    actor: Actor,
    once: OnceDep,
    wanted: GenerationCreate,
) -> GenerationOut:
    """Ask several models the same, or one model behind several prompts, and compare the answers.

    All columns are adapters, checkpoints or views on one base model, asked with the same seed.
    Follow the answers with `GET …/events`.
    """
    prepared = prepare(database, settings, wanted)
    with writing(database) as session:
        if earlier := once.earlier(session, KIND, wanted):
            row = service.get_generation(session, earlier)
        else:
            row = service.create_generation(session, wanted, prepared, actor=actor)
            once.remember(session, row.id)
        return present.generation(session, row, settings)


@router.get("", responses=documented(422))
def list_generations(
    session: ReadSession,
    saved: Annotated[bool | None, Query(description="Only those with a name.")] = None,
    run_id: Annotated[
        str | None, Query(max_length=200, description="Only those with a column of this run.")
    ] = None,
    q: Annotated[str | None, Query(max_length=200, description="Text in name or prompt.")] = None,
    limit: Limit = 50,
    offset: Offset = 0,
) -> GenerationList:
    """Comparisons, newest first."""
    return present.page(
        session, saved=bool(saved), text=q, run_id=run_id, limit=limit, offset=offset
    )


@router.get("/tallies", responses=documented(422))
def get_tallies(
    session: ReadSession,
    blind: Annotated[
        bool | None, Query(description="Only votes given before the columns were named.")
    ] = None,
) -> TallyList:
    """Which column wins against which, over all votes."""
    return tallies(session, blind_only=bool(blind))


@router.get("/record", responses=documented(404, 409, 422))
def preview_record(
    database: DatabaseDep,
    settings: SettingsDep,
    run_id: Annotated[str, Query(max_length=200, description="The run that trains on it.")],
    index: Annotated[int, Query(ge=0, le=10_000_000, description="Which, from 0.")] = 0,
) -> RecordPreview:
    """A training record behind all views of its run, to choose what is asked."""
    try:
        with database.read() as session:
            config = examples.resolved(session, settings, run_id)
        shown = examples.show(config, settings, index)
    except StudioError as error:
        return RecordPreview(example=None, problem=error.problem.message)
    return RecordPreview(example=shown.rendered, problem=None)


@router.get("/{generation_id}", responses=documented(404))
def get_generation(
    session: ReadSession, settings: SettingsDep, generation_id: str
) -> GenerationOut:
    """A comparison with the answers that have come so far."""
    return present.generation(session, service.get_generation(session, generation_id), settings)


@router.patch("/{generation_id}", responses=documented(404, 422))
def rename_generation(
    session: WriteSession, settings: SettingsDep, generation_id: str, wanted: GenerationName
) -> GenerationOut:
    """Save a comparison under a name."""
    row = service.rename(session, generation_id, wanted.name)
    return present.generation(session, row, settings)


@router.post("/{generation_id}/cancel", responses=documented(404, 409))
def cancel_generation(
    session: WriteSession, settings: SettingsDep, generation_id: str
) -> GenerationOut:
    """End a comparison. What has come of its answers stays."""
    row = service.cancel(session, generation_id)
    return present.generation(session, row, settings)


@router.post("/{generation_id}/reveal", responses=documented(404))
def reveal_generation(
    session: WriteSession, settings: SettingsDep, generation_id: str
) -> GenerationOut:
    """Name the columns of a blind comparison. Later votes on it do not count as blind."""
    row = service.reveal(session, generation_id)
    return present.generation(session, row, settings)


@router.post("/{generation_id}/votes", responses=documented(404, 409, 422))
def vote_on_generation(
    session: WriteSession,
    settings: SettingsDep,
    actor: Actor,
    generation_id: str,
    wanted: VoteWanted,
) -> GenerationOut:
    """Pick the best answer. The columns of a blind comparison are named then."""
    row = service.vote(session, generation_id, wanted, actor=actor)
    return present.generation(session, row, settings)


@router.get("/{generation_id}/answers/{column}/{sample}", responses=documented(404, 422))
def get_answer_tokens(
    session: ReadSession,
    generation_id: str,
    column: Annotated[int, Path(ge=0, lt=COLUMNS)],
    sample: Annotated[int, Path(ge=0, lt=SAMPLES)],
) -> AnswerTokens:
    """An answer token by token: log-probability and alternatives under its column's own model."""
    row = service.get_generation(session, generation_id)
    return present.tokens(session, row, column, sample)


@router.get(
    "/{generation_id}/events",
    response_class=EventStream,
    responses={**DOCUMENTED, **documented(404, 422)},
)
async def stream_generation(cursor: CursorDep, followed: FollowedDep) -> EventStream:
    """The answers as they come, and how the comparison stands; ends when it is over."""
    return respond(followed, cursor)


@router.delete(
    "/{generation_id}", status_code=status.HTTP_204_NO_CONTENT, responses=documented(404)
)
def delete_generation(session: WriteSession, generation_id: str) -> None:
    """Remove a comparison with its answers and votes."""
    service.delete_generation(session, generation_id)

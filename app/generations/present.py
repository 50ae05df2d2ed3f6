"""How comparisons are shown. A blind one does not tell its columns before a vote."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from sqlalchemy import ColumnElement, func, select
from sqlalchemy.orm import Session, load_only

from app.errors import NotFoundError
from app.generations import waiting
from app.generations.schemas import (
    AnswerOut,
    AnswerTokens,
    ColumnOut,
    GenerationCreate,
    GenerationLine,
    GenerationList,
    GenerationOut,
    TokenOut,
    VoteOut,
)
from app.models import Generation, GenerationAnswer, GenerationChunk, GenerationVote
from app.settings import Settings
from core.errors import Problem

LETTERS: Final = "ABCDEF"


def is_hidden(row: Generation) -> bool:
    """Whether nobody may know yet which column is whose."""
    return row.blind and not row.revealed


def generation(session: Session, row: Generation, settings: Settings) -> GenerationOut:
    """A comparison with everything that has come so far."""
    answers = _answers(session, row.id) or _coming(session, row.id)
    votes = session.scalars(
        select(GenerationVote)
        .where(GenerationVote.generation_id == row.id)
        .order_by(GenerationVote.created_at, GenerationVote.id)
    )
    tokens = sum(one.tokens for one in answers)
    seconds = row.generating_seconds
    return GenerationOut(
        id=row.id,
        name=row.name,
        title=row.title,
        status=row.status,
        detail=row.detail,
        cancelling=row.cancelling,
        waiting=waiting.reasons(session, row, settings),
        problem=None if row.problem is None else Problem.model_validate(row.problem),
        model=row.job["model"]["name"],
        asked=_asked(row),
        columns=[_column(row, place) for place in range(len(row.columns))],
        answers=answers,
        votes=[VoteOut.model_validate(vote) for vote in votes],
        blind=row.blind,
        revealed=row.revealed,
        cursor=row.cursor,
        attempt=row.attempts,
        created_at=row.created_at,
        created_by=row.created_by,
        started_at=row.started_at,
        finished_at=row.finished_at,
        first_token_seconds=row.first_token_seconds,
        tokens_per_second=tokens / seconds if seconds else None,
    )


def _asked(row: Generation) -> GenerationCreate:
    """The request; of a blind one the columns stand in the order in which they are shown never."""
    asked = GenerationCreate.model_validate(row.asked)
    if is_hidden(row):
        ordered = sorted(asked.columns, key=lambda one: one.model_dump_json())
        return asked.model_copy(update={"columns": ordered})
    return asked


def _column(row: Generation, place: int) -> ColumnOut:
    prompt: dict[str, Any] = row.prompts[place] if row.prompts else {}
    if is_hidden(row):
        return ColumnOut(
            key=None,
            label=LETTERS[place],
            run_id=None,
            run_name=None,
            weights=None,
            checkpoint=None,
            view=None,
            view_number=None,
            prompt=None,
            prompt_tokens=None,
        )
    return ColumnOut(
        **row.columns[place], prompt=prompt.get("text"), prompt_tokens=prompt.get("tokens")
    )


def _answers(session: Session, generation_id: str) -> list[AnswerOut]:
    rows = session.scalars(
        select(GenerationAnswer)
        .where(GenerationAnswer.generation_id == generation_id)
        .order_by(GenerationAnswer.place, GenerationAnswer.sample)
    )
    return [
        AnswerOut.model_validate(
            {
                "column": row.place,
                "sample": row.sample,
                "text": row.text,
                "tokens": row.count,
                "end": row.end,
                "mean_logprob": row.mean_logprob,
            }
        )
        for row in rows
    ]


def _coming(session: Session, generation_id: str) -> list[AnswerOut]:
    """Answers that are still being generated."""
    found: dict[tuple[int, int], AnswerOut] = {}
    for chunk in chunks_after(session, generation_id, -1):
        for token in chunk.tokens:
            key = (token["column"], token["sample"])
            one = found.get(key) or AnswerOut(
                column=key[0], sample=key[1], text="", tokens=0, end=None, mean_logprob=None
            )
            text = one.text if token["end"] == "end" else one.text + token["piece"]
            found[key] = one.model_copy(
                update={"text": text, "tokens": one.tokens + 1, "end": token["end"]}
            )
    return [found[key] for key in sorted(found)]


def chunks_after(session: Session, generation_id: str, cursor: int) -> Sequence[GenerationChunk]:
    """What came after a cursor, in order."""
    return session.scalars(
        select(GenerationChunk)
        .where(GenerationChunk.generation_id == generation_id, GenerationChunk.cursor > cursor)
        .order_by(GenerationChunk.cursor)
    ).all()


def tokens(session: Session, row: Generation, column: int, sample: int) -> AnswerTokens:
    """An answer token by token.

    Raises:
        NotFoundError: there is no such answer, or it is still being generated.
    """
    answer = session.get(GenerationAnswer, (row.id, column, sample))
    if answer is None:
        raise NotFoundError(
            f"There is no answer {sample} of column {column}.",
            "Its tokens can be looked at when the comparison is over.",
        )
    return AnswerTokens(
        column=column,
        sample=sample,
        items=[TokenOut.model_validate(token) for token in answer.tokens],
    )


def page(
    session: Session, *, saved: bool, text: str | None, run_id: str | None, limit: int, offset: int
) -> GenerationList:
    """Comparisons, newest first."""
    conditions: list[ColumnElement[bool]] = []
    if saved:
        conditions.append(Generation.name.is_not(None))
    if text and (stripped := text.strip()):
        conditions.append(
            Generation.name.icontains(stripped, autoescape=True)
            | Generation.title.icontains(stripped, autoescape=True)
        )
    votes = (
        select(func.count(GenerationVote.id))
        .where(GenerationVote.generation_id == Generation.id)
        .scalar_subquery()
    )
    statement = select(Generation, votes).order_by(*_NEWEST_FIRST).options(load_only(*_OF_LINE))
    if run_id is not None:
        named = _of_run(session, conditions, run_id)
        total = len(named)
        statement = statement.where(Generation.id.in_(named[offset : offset + limit]))
    else:
        counted = select(func.count(Generation.id)).where(*conditions)
        total = session.execute(counted).scalar_one()
        statement = statement.where(*conditions).limit(limit).offset(offset)
    items = [_line(row, count) for row, count in session.execute(statement)]
    return GenerationList(items=items, total=total, limit=limit, offset=offset)


_NEWEST_FIRST: Final = (Generation.created_at.desc(), Generation.id)
_OF_LINE: Final = (
    Generation.name,
    Generation.title,
    Generation.status,
    Generation.columns,
    Generation.asked,
    Generation.blind,
    Generation.revealed,
    Generation.created_at,
    Generation.created_by,
)
"""What a line shows; jobs and prompts can be long."""


def _of_run(session: Session, conditions: Sequence[ColumnElement[bool]], run_id: str) -> list[str]:
    """Those that name a run, and may tell. Their columns are JSON, so they are looked at here."""
    shown = Generation.blind.is_(False) | Generation.revealed.is_(True)
    found = session.execute(
        select(Generation.id, Generation.columns).where(shown, *conditions).order_by(*_NEWEST_FIRST)
    )
    return [one for one, columns in found if any(column["run_id"] == run_id for column in columns)]


def _line(row: Generation, votes: int) -> GenerationLine:
    return GenerationLine(
        id=row.id,
        name=row.name,
        title=row.title,
        status=row.status,
        labels=[
            LETTERS[place] if is_hidden(row) else column["label"]
            for place, column in enumerate(row.columns)
        ],
        samples=int(row.asked["samples"]),
        blind=is_hidden(row),
        votes=votes,
        created_at=row.created_at,
        created_by=row.created_by,
    )

"""Creates, names, votes on and removes comparisons."""

from __future__ import annotations

import random
from typing import Final

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.errors import ConflictError, NotFoundError
from app.generations import progress
from app.generations.columns import Prepared
from app.generations.schemas import GenerationCreate, VoteWanted
from app.models import Generation, GenerationAnswer, GenerationVote
from app.runs import lifecycle
from core.generation_job import OPEN

_shuffler: Final = random.SystemRandom()


def get_generation(session: Session, generation_id: str, *, lock: bool = False) -> Generation:
    """A comparison, or `NotFoundError`; with `lock` nobody else changes it meanwhile."""
    statement = select(Generation).where(Generation.id == generation_id)
    if lock:
        statement = statement.with_for_update().execution_options(populate_existing=True)
    row = session.scalars(statement).one_or_none()
    if row is None:
        raise NotFoundError(
            f"There is no comparison “{generation_id}”.", "It may have been deleted."
        )
    return row


def create_generation(
    session: Session, wanted: GenerationCreate, prepared: Prepared, *, actor: str
) -> Generation:
    """Store a comparison, and have a worker called after the commit."""
    order = list(range(len(wanted.columns)))
    if wanted.blind:
        _shuffler.shuffle(order)
    job = prepared.job.model_copy(
        update={"columns": tuple(prepared.job.columns[place] for place in order)}
    )
    row = Generation(
        name=wanted.name,
        title=prepared.title,
        asked=wanted.model_dump(mode="json", exclude={"name"}),
        columns=[prepared.columns[place] for place in order],
        job=job.model_dump(mode="json"),
        blind=wanted.blind,
        revealed=False,
        labels=prepared.labels,
        created_at=lifecycle.now(session),
        created_by=actor,
    )
    session.add(row)
    session.flush()
    progress.enqueue(session)
    return row


def rename(session: Session, generation_id: str, name: str | None) -> Generation:
    """Save a comparison under a name, or (None) as nothing but the latest ones."""
    row = get_generation(session, generation_id, lock=True)
    row.name = name
    session.flush()
    return row


def cancel(session: Session, generation_id: str) -> Generation:
    """End a comparison; what has come of its answers is kept.

    Raises:
        NotFoundError: there is no such comparison.
        ConflictError: it is over.
    """
    row = get_generation(session, generation_id, lock=True)
    if row.status not in OPEN:
        raise ConflictError(f"It is already {row.status.value}.", "Ask again for other answers.")
    progress.cancel(session, row)
    session.refresh(row)
    return row


def reveal(session: Session, generation_id: str) -> Generation:
    """Name the columns of a blind comparison without a vote."""
    row = get_generation(session, generation_id, lock=True)
    row.revealed = True
    session.flush()
    return row


def vote(session: Session, generation_id: str, wanted: VoteWanted, *, actor: str) -> Generation:
    """Note which answer somebody likes best; the columns of a blind comparison are named then.

    Raises:
        NotFoundError: there is no such comparison.
        ConflictError: not all of its answers are there, or there is nothing to choose from.
    """
    row = get_generation(session, generation_id, lock=True)
    answered = session.scalars(
        select(GenerationAnswer.place).where(
            GenerationAnswer.generation_id == row.id, GenerationAnswer.sample == wanted.sample
        )
    ).all()
    if row.status in OPEN or len(answered) < len(row.columns):
        raise ConflictError("Not every column has answered.", "Vote when all answers are there.")
    if len(row.columns) < 2 or (wanted.winner or 0) >= len(row.columns):
        raise ConflictError("There is no such choice.", "Choose one of the columns, or a tie.")
    known = session.scalars(
        select(GenerationVote).where(
            GenerationVote.generation_id == row.id,
            GenerationVote.sample == wanted.sample,
            GenerationVote.actor == actor,
        )
    ).one_or_none()
    given = known or GenerationVote(generation_id=row.id, sample=wanted.sample, actor=actor)
    given.winner = wanted.winner
    given.blind = row.blind and not row.revealed
    given.created_at = lifecycle.now(session)
    session.add(given)
    if len({vote.sample for vote in _votes(session, row.id)} | {wanted.sample}) >= _samples(row):
        row.revealed = True
    session.flush()
    progress.tell(session, row.id)
    return row


def _votes(session: Session, generation_id: str) -> list[GenerationVote]:
    found = select(GenerationVote).where(GenerationVote.generation_id == generation_id)
    return list(session.scalars(found))


def _samples(row: Generation) -> int:
    return int(row.asked["samples"])


def delete_generation(session: Session, generation_id: str) -> None:
    """Remove a comparison with its answers and votes; one that is generated ends.

    Raises:
        NotFoundError: there is no such comparison.
    """
    row = get_generation(session, generation_id, lock=True)
    session.delete(row)
    session.flush()
    progress.tell(session, generation_id)

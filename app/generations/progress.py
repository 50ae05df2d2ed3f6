"""The one place that changes a comparison's state: who generates it, what came, how it ended.

A worker holds a lease as it does for runs; each of its writes names the lease's token, so a worker
that was taken for dead can add nothing to what another one generates.
"""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, Final, NamedTuple

from sqlalchemy import delete, func, select, update
from sqlalchemy.orm import Session

from app import notify
from app.db import after_commit
from app.models import Generation, GenerationAnswer, GenerationChunk, QueueState, Worker
from app.models.base import database_epoch
from app.queue import send_work
from core.errors import Problem
from core.generation_job import HELD, OPEN, GenerationStatus, TokenTold
from core.schedule import Queue

ATTEMPTS: Final = 2
"""So often it is begun, if workers die over it."""
_FOLLOWED_SECONDS: Final = 60.0
"""So long after its end the pieces in which a comparison came can be followed."""
_NUL: Final = "\x00"


class LostError(Exception):
    """The comparison is no longer this worker's: deleted, or taken over."""


class Claim(NamedTuple):
    """What a worker gets when it wins a comparison."""

    id: str
    token: str
    job: dict[str, Any]


def enqueue(session: Session) -> None:
    """Call a worker after the commit."""
    after_commit(session, lambda: send_work(Queue.INTERACTIVE.value))


def tell(session: Session, generation_id: str) -> None:
    """Wake who follows it, after the commit."""
    after_commit(session, lambda: notify.publish(generation_id))


def claim_next(session: Session, worker_id: str, lease: float) -> Claim | None:
    """Win the first comparison that this worker may take; None if there is none."""
    worker = session.get_one(Worker, worker_id, populate_existing=True)
    queue = Queue.INTERACTIVE.value
    if worker.mode != "active" or queue not in worker.queues or is_paused(session):
        return None
    waiting = session.execute(
        select(Generation.id, Generation.labels)
        .where(Generation.status == GenerationStatus.QUEUED)
        .order_by(Generation.created_at, Generation.id)
    ).all()
    for generation_id, labels in waiting:
        if not set(labels) <= set(worker.labels):
            continue
        claim = _claim(session, generation_id, worker_id, lease)
        if claim is not None:
            return claim
    return None


def is_paused(session: Session) -> bool:
    """Whether the queue gives out nothing."""
    state = session.get(QueueState, Queue.INTERACTIVE.value)
    return state is not None and state.paused


def _claim(session: Session, generation_id: str, worker_id: str, lease: float) -> Claim | None:
    token = secrets.token_hex(16)
    won = session.execute(
        update(Generation)
        .where(Generation.id == generation_id, Generation.status == GenerationStatus.QUEUED)
        .values(
            status=GenerationStatus.LOADING,
            detail="",
            worker_id=worker_id,
            lease_token=token,
            lease_expires_at=database_epoch() + lease,
            attempts=Generation.attempts + 1,
            started_at=_now(session),
            cursor=Generation.cursor + 1,
        )
        .returning(Generation.job)
    ).scalar_one_or_none()
    if won is None:
        return None
    tell(session, generation_id)
    return Claim(generation_id, token, won)


def renew(session: Session, claim: Claim, lease: float) -> bool:
    """Keep the lease. Returns whether somebody wants the answers no more.

    Raises:
        LostError: it is no longer this worker's.
    """
    cancelling = session.execute(
        update(Generation)
        .where(Generation.id == claim.id, Generation.lease_token == claim.token)
        .values(lease_expires_at=database_epoch() + lease)
        .returning(Generation.cancelling)
    ).scalar_one_or_none()
    if cancelling is None:
        raise LostError(claim.id)
    return cancelling


def told_loading(session: Session, claim: Claim, detail: str) -> None:
    """The model process loads something."""
    _step(session, claim, status=GenerationStatus.LOADING, detail=detail[:500])
    tell(session, claim.id)


def told_prompts(session: Session, claim: Claim, prompts: Sequence[dict[str, Any]]) -> None:
    """The prompts are written, and answers begin to come."""
    _step(
        session,
        claim,
        status=GenerationStatus.GENERATING,
        detail="",
        prompts=[{**one, "text": storable(one["text"])} for one in prompts],
    )
    tell(session, claim.id)


def add_tokens(
    session: Session, claim: Claim, tokens: Sequence[TokenTold], *, before: int | None = None
) -> None:
    """Keep tokens that came.

    Where it is not known whether they are kept already, `before` says how many came before them.
    """
    row = _step(session, claim)
    if before is not None and _count_tokens(session, claim.id) > before:
        return
    # Token records are stored as they will stay; U+0000 cannot be.
    stored = [_stored(token) for token in tokens]
    session.add(GenerationChunk(generation_id=claim.id, cursor=row.cursor, tokens=stored))
    tell(session, claim.id)


def note_pace(session: Session, claim: Claim, first: float, generating: float) -> None:
    """How long the first token took, and all others after it."""
    _step(session, claim, first_token_seconds=first, generating_seconds=generating)


def finish(
    session: Session, claim: Claim, status: GenerationStatus, problem: Problem | None = None
) -> None:
    """It is over: what came so far becomes its answers."""
    _step(session, claim)
    end(session, claim.id, status, problem)


def end(
    session: Session, generation_id: str, status: GenerationStatus, problem: Problem | None = None
) -> None:
    """The same, whoever holds it."""
    chunks = session.scalars(
        select(GenerationChunk)
        .where(GenerationChunk.generation_id == generation_id)
        .order_by(GenerationChunk.cursor)
    )
    by_answer: dict[tuple[int, int], list[dict[str, Any]]] = {}
    for chunk in chunks:
        for token in chunk.tokens:
            by_answer.setdefault((token["column"], token["sample"]), []).append(token)
    session.add_all(_answer(generation_id, *key, of) for key, of in sorted(by_answer.items()))
    session.flush()
    # The chunks stay for a while: who follows the answers has yet to read the last of them.
    _set(
        session,
        generation_id,
        status=status,
        detail="",
        problem=None if problem is None else problem.model_dump(mode="json"),
        finished_at=_now(session),
        lease_token=None,
        lease_expires_at=None,
    )


def give_back(session: Session, generation_id: str, token: str, problem: Problem) -> None:
    """Its worker is lost, or leaves: it waits for another one, or has failed too often."""
    row = session.scalars(
        select(Generation)
        .where(Generation.id == generation_id, Generation.lease_token == token)
        .with_for_update()
    ).one_or_none()
    if row is None:
        return
    if row.cancelling:
        end(session, generation_id, GenerationStatus.CANCELLED)
    elif row.attempts >= ATTEMPTS:
        end(session, generation_id, GenerationStatus.FAILED, problem)
    else:
        forget_chunks(session, generation_id)
        _set(
            session,
            generation_id,
            status=GenerationStatus.QUEUED,
            detail="",
            prompts=None,
            worker_id=None,
            lease_token=None,
            lease_expires_at=None,
        )
        enqueue(session)


def cancel(session: Session, row: Generation) -> None:
    """End it: at once where it waits, else as soon as its worker hears of it."""
    if row.status is GenerationStatus.QUEUED:
        end(session, row.id, GenerationStatus.CANCELLED)
    elif row.status in OPEN:
        _set(session, row.id, cancelling=True)


def held(session: Session) -> list[tuple[str, str, float, str | None, int | None]]:
    """What workers hold: identifier, token, end of the lease; its worker's host and process."""
    rows = session.execute(
        select(
            Generation.id,
            Generation.lease_token,
            Generation.lease_expires_at,
            Worker.host_key,
            Worker.pid,
        )
        .outerjoin(Worker, Worker.id == Generation.worker_id)
        .where(Generation.status.in_(HELD))
    )
    return [(one, token or "", expires or 0.0, key, pid) for one, token, expires, key, pid in rows]


def followed_to_the_end(session: Session) -> list[str]:
    """Comparisons that ended a while ago, and of which chunks are still kept."""
    before = _now(session) - timedelta(seconds=_FOLLOWED_SECONDS)
    chunks = select(GenerationChunk.generation_id).distinct()
    over = select(Generation.id).where(Generation.finished_at < before, Generation.id.in_(chunks))
    return list(session.scalars(over))


def forget_chunks(session: Session, generation_id: str) -> None:
    """Remove the pieces in which a comparison's answers came."""
    session.execute(delete(GenerationChunk).where(GenerationChunk.generation_id == generation_id))


def count_waiting(session: Session) -> int:
    """Comparisons that a worker may take now."""
    if is_paused(session):
        return 0
    queued = Generation.status == GenerationStatus.QUEUED
    return session.execute(select(func.count(Generation.id)).where(queued)).scalar_one()


def _count_tokens(session: Session, generation_id: str) -> int:
    of_it = GenerationChunk.generation_id == generation_id
    return sum(
        len(tokens) for tokens in session.scalars(select(GenerationChunk.tokens).where(of_it))
    )


def _step(session: Session, claim: Claim, **values: Any) -> Generation:  # noqa: ANN401
    """Count one more thing that is known of it, and hold its row until the commit.

    Raises:
        LostError: it is no longer this worker's.
    """
    row = session.scalars(
        update(Generation)
        .where(Generation.id == claim.id, Generation.lease_token == claim.token)
        .values(cursor=Generation.cursor + 1, **values)
        .returning(Generation),
        execution_options={"populate_existing": True},
    ).one_or_none()
    if row is None:
        raise LostError(claim.id)
    return row


def _set(session: Session, generation_id: str, **values: Any) -> None:  # noqa: ANN401
    session.execute(
        update(Generation)
        .where(Generation.id == generation_id)
        .values(cursor=Generation.cursor + 1, **values)
    )
    tell(session, generation_id)


def _answer(
    generation_id: str, place: int, sample: int, tokens: list[dict[str, Any]]
) -> GenerationAnswer:
    ended = tokens[-1]["end"]
    said = tokens[:-1] if ended == "end" else tokens
    kept = [{k: v for k, v in one.items() if k in _KEPT} for one in tokens]
    return GenerationAnswer(
        generation_id=generation_id,
        place=place,
        sample=sample,
        text="".join(token["piece"] for token in said),
        count=len(tokens),
        end=ended,
        mean_logprob=sum(token["logprob"] for token in tokens) / len(tokens),
        tokens=kept,
    )


_KEPT: Final = ("id", "piece", "logprob", "top")


def _stored(token: TokenTold) -> dict[str, Any]:
    told = token.model_dump(mode="json")
    told["piece"] = storable(told["piece"])
    for one in told["top"]:
        one["piece"] = storable(one["piece"])
    return told


def storable(text: str) -> str:
    """A text without what PostgreSQL cannot keep."""
    return text.replace(_NUL, "\ufffd").encode("utf-8", "replace").decode()


def _now(session: Session) -> datetime:
    return datetime.fromtimestamp(session.execute(select(database_epoch())).scalar_one(), UTC)

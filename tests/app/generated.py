"""Comparisons whose answers a worker, as it were, has generated."""

from __future__ import annotations

from typing import Any

from fastapi.testclient import TestClient

from app.db import Database
from app.generations import progress
from core.generation_job import Alternative, GenerationStatus, TokenTold


def ask(client: TestClient, **wanted: Any) -> dict[str, Any]:
    body = {"prompt": "Why?", "columns": [{}, {}], **wanted}
    answer = client.post("/api/generations", json=body)
    assert answer.status_code == 202, answer.text
    found: dict[str, Any] = answer.json()
    return found


def token(column: int, sample: int, piece: str, end: str | None = None) -> TokenTold:
    told = {"id": 1, "piece": piece, "logprob": -0.5}
    return TokenTold.model_validate(
        told | {"column": column, "sample": sample, "top": (Alternative(**told),), "end": end}
    )


def claim(database: Database, worker: str) -> progress.Claim:
    with database.write() as session:
        won = progress.claim_next(session, worker, 60.0)
    assert won is not None
    return won


def begin(database: Database, won: progress.Claim) -> None:
    """Prompts are written and the first tokens have come."""
    columns = len(won.job["columns"])
    with database.write() as session:
        prompts = [{"text": f"‹{place}›\0", "tokens": 3} for place in range(columns)]
        progress.told_prompts(session, won, prompts)
        first = [token(place, 0, f"so{place}\0") for place in range(columns)]
        progress.add_tokens(session, won, first)


def answer(database: Database, worker: str) -> str:
    """Answer what waits first; returns its identifier."""
    won = claim(database, worker)
    begin(database, won)
    with database.write() as session:
        last = [token(place, 0, "<end>", "end") for place in range(len(won.job["columns"]))]
        progress.add_tokens(session, won, last)
        progress.note_pace(session, won, 0.1, 0.5)
        progress.finish(session, won, GenerationStatus.DONE)
    return won.id

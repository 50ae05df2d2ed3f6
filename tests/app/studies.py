"""Studies in the database, with runs that ended as a test wants it."""

from __future__ import annotations

import json
from typing import Any

from fastapi.testclient import TestClient

from app.db import Database
from app.models import Worker
from app.runs import lifecycle
from app.runs.ingest import final_status, ingest, position
from core.errors import Problem
from core.states import RunStatus

SCORE = "eval/sums/accuracy"


def create(client: TestClient, plan: dict[str, Any]) -> dict[str, Any]:
    answer = client.post("/api/studies", json=plan)
    assert answer.status_code == 201, answer.text
    body: dict[str, Any] = answer.json()
    return body


def claim(database: Database, run_id: str) -> lifecycle.Claim:
    with database.write() as session:
        worker = Worker(
            name="w", hostname="h", pid=1, last_seen=0.0, hardware={}, usage={}, versions={}
        )
        session.add(worker)
        session.flush()
        won = lifecycle.claim(
            session, run_id, worker_id=worker.id, hostname="h", directory="/d/{number}", lease=30
        )
    assert won is not None
    return won


def report(database: Database, attempt_id: int, *events: dict[str, Any]) -> None:
    lines = [
        json.dumps({"seq": seq, "time": 1000.0 + seq, **event}).encode()
        for seq, event in enumerate(events)
    ]
    with database.write() as session:
        ingest(session, attempt_id, 0, lines, 10)


def metrics(step: int, score: float | None) -> dict[str, Any]:
    values = {"tokens/student": 100.0, SCORE: score}
    return {"kind": "metrics", "step": step, "total_steps": 2, "epoch": 0.1, "values": values}


def succeed(database: Database, run_id: str, first: float | None, last: float | None) -> None:
    attempt_id = claim(database, run_id).attempt_id
    report(
        database,
        attempt_id,
        {"kind": "phase", "phase": "training"},
        metrics(0, first),
        metrics(2, last),
        {"kind": "finished", "outcome": "succeeded"},
    )
    with database.write() as session:
        run = lifecycle.lock(session, run_id)
        verdict = final_status(position(session, attempt_id).finished, run.status)
        assert verdict is not None
        lifecycle.finish(session, run, *verdict)


def fail(database: Database, run_id: str, message: str) -> None:
    claim(database, run_id)
    with database.write() as session:
        problem = Problem(code="diverged", message=message)
        lifecycle.finish(session, lifecycle.lock(session, run_id), RunStatus.FAILED, problem)

"""Runs that report without a trainer, through the real claim and the real ingest."""

from __future__ import annotations

import json
import time
from typing import Any

from sqlalchemy import select

from app.db import Database
from app.models import Attempt, Project, Run, RunEvent, Worker
from app.runs import lifecycle
from app.runs.ingest import ingest
from core.states import RunStatus

CONFIG = {"model": {"name": "a/model"}, "data": {"path": "examples.jsonl"}}


class ReportingRun:
    """A run that a worker has claimed, and whose events the test makes."""

    def __init__(self, database: Database, name: str = "live") -> None:
        self.database = database
        self._seq = 0
        with database.write() as session:
            project = Project(name=f"project of {name}")
            worker = Worker(
                name="w", hostname="h", pid=1, last_seen=0.0, hardware={}, usage={}, versions={}
            )
            session.add_all([project, worker])
            session.flush()
            run = Run(project_id=project.id, name=name, config=CONFIG)
            session.add(run)
            session.flush()
            self.id = run.id
            claim = lifecycle.claim(
                session, run.id, worker_id=worker.id, hostname="h", directory="/d", lease=3600
            )
        assert claim is not None
        self.attempt_id = claim.attempt_id

    def lines(self, count: int = 1, padding: int = 0) -> list[bytes]:
        """The next events of its file: metrics, or log lines of `padding` characters."""
        lines = []
        for _ in range(count):
            event: dict[str, Any] = {"v": 1, "seq": self._seq, "time": time.time()}
            if padding:
                event |= {"kind": "log", "message": "x" * padding}
            else:
                values = {"train/loss": 1 / (1 + self._seq)}
                event |= {"kind": "metrics", "step": self._seq, "total_steps": 10**6}
                event |= {"epoch": 0.0, "values": values}
            self._seq += 1
            lines.append(json.dumps(event).encode())
        return lines

    def write(self, count: int = 1, padding: int = 0) -> None:
        """Bring events into the database."""
        lines = self.lines(count, padding)
        with self.database.write() as session:
            offset = session.get_one(Attempt, self.attempt_id).ingested_bytes
            ingest(session, self.attempt_id, offset, lines, offset + len(lines))

    def report(self, count: int = 1, padding: int = 0) -> int:
        """Bring events into the database; returns the number of the last."""
        self.write(count, padding)
        with self.database.read() as session:
            return session.get_one(Run, self.id).event_cursor

    def finish(self) -> int:
        """End the run; returns the number of its last event."""
        with self.database.write() as session:
            lifecycle.finish(session, lifecycle.lock(session, self.id), RunStatus.FAILED, None)
            return session.get_one(Run, self.id).event_cursor

    def cursors(self) -> list[int]:
        """The numbers of all its events."""
        statement = select(RunEvent.cursor).where(RunEvent.run_id == self.id)
        with self.database.read() as session:
            return list(session.scalars(statement.order_by(RunEvent.cursor)))

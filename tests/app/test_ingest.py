from __future__ import annotations

import json
import math
from collections.abc import Iterator
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import select

from app.db import Database
from app.metrics import repository as metrics
from app.models import Artifact, Attempt, Project, Run, RunEvent, Trajectory, Worker
from app.runs import lifecycle
from app.runs.ingest import final_status, ingest, position
from core.events import FinishedEvent, MetricsEvent, MetricValue, train_event_adapter
from core.states import RunStatus


def _line(seq: int, kind: str, **fields: Any) -> bytes:
    return json.dumps({"v": 1, "seq": seq, "time": 100.0 + seq, "kind": kind, **fields}).encode()


def _metrics(seq: int, step: int, **values: MetricValue) -> bytes:
    return _line(seq, "metrics", step=step, total_steps=9, epoch=0.5, values=values)


TRAJECTORY = {
    "step": 1,
    "record_id": "r1",
    "pinned": False,
    "prompt": "p",
    "completion": "c",
    "reference": "r",
    "tokens": 3,
    "truncated": True,
    "divergence": 0.5,
    "file": "trajectories/step-000001.parquet",
    "row": 0,
}
LINES = [
    _line(0, "started", device="cpu", dtype="float32", versions={"python": "3.11"}),
    _line(1, "phase", phase="preparing"),
    _line(2, "dataset", sha256="0" * 64, records=9, train=8, held_out=1, dropped={"x": 1}),
    _line(3, "phase", phase="training", current=0, total=9),
    _metrics(4, 1, **{"train/loss": 2.0, "time/step": 1.0}),
    _line(5, "trajectory", **TRAJECTORY),
    _line(6, "log", message="hello \u0000 world"),
    _metrics(7, 2, **{"train/loss": "Infinity", "time/step": 2.0}),
    _metrics(8, 3, **{"train/loss": 1.0, "time/step": 1.0}),
    _line(9, "alarm", code="everything_clipped", step=3, message="m", remedy="r"),
    _line(10, "artifact", artifact="adapter", path="adapter", bytes=7, sha256="1" * 64),
    _line(11, "artifact", artifact="ema_adapter", path="ema_adapter", bytes=7, sha256="2" * 64),
    _line(12, "finished", outcome="succeeded"),
]


@pytest.fixture
def attempt_id(database: Database) -> Iterator[int]:
    with database.write() as session:
        worker = Worker(
            name="w", hostname="h", pid=1, last_seen=0.0, hardware={}, usage={}, versions={}
        )
        project = Project(name="P")
        session.add_all([worker, project])
        session.flush()
        run = Run(project_id=project.id, name="r", config={}, status=RunStatus.QUEUED)
        session.add(run)
        session.flush()
        claim = lifecycle.claim(
            session, run.id, worker_id=worker.id, hostname="h", directory="/d/{number}", lease=30
        )
        assert claim is not None
    return claim.attempt_id


def _feed(database: Database, attempt_id: int, lines: list[bytes], offset: int) -> int:
    end = offset + sum(len(line) + 1 for line in lines)
    with database.write() as session:
        ingest(session, attempt_id, offset, lines, end)
    return end


def _seqs(database: Database, attempt_id: int) -> list[int | None]:
    with database.read() as session:
        return list(
            session.scalars(
                select(RunEvent.seq)
                .where(RunEvent.attempt_id == attempt_id)
                .order_by(RunEvent.cursor)
            )
        )


def test_events_become_rows_and_the_run_follows(database: Database, attempt_id: int) -> None:
    _feed(database, attempt_id, LINES, 0)
    with database.read() as session:
        attempt = session.get_one(Attempt, attempt_id)
        run = session.get_one(Run, attempt.run_id)
        assert run.status is RunStatus.RUNNING
        assert (run.step, run.total_steps, run.last_loss) == (3, 9, 1.0)
        assert run.step_seconds == pytest.approx(0.8 * (0.8 * 1 + 0.2 * 2) + 0.2 * 1)
        assert run.dataset is not None
        assert run.dataset["dropped"] == {"x": 1}
        ((_, losses),) = metrics.series(session, attempt_id, ["train/loss"])
        assert losses.steps.tolist() == [1, 2, 3]
        assert losses.values.tolist() == [2.0, math.inf, 1.0]
        assert losses.times.tolist() == [104.0, 107.0, 108.0]
        reported = session.scalars(select(RunEvent).where(RunEvent.seq == 7)).one()
        assert reported.payload == {
            "step": 2,
            "total_steps": 9,
            "epoch": 0.5,
            "values": {"train/loss": "Infinity", "time/step": 2.0},
        }
        trajectory = session.scalars(select(Trajectory)).one()
        assert (trajectory.record_id, trajectory.tokens) == ("r1", 3)
        artifacts = session.scalars(select(Artifact).order_by(Artifact.id))
        assert [artifact.kind for artifact in artifacts] == ["adapter", "ema_adapter"]
        alarm = session.scalars(select(RunEvent).where(RunEvent.kind == "alarm")).one()
        assert (alarm.step, alarm.payload["severity"]) == (3, "warning")
        log = session.scalars(select(RunEvent).where(RunEvent.kind == "log")).one()
        assert log.payload["message"] == "hello \ufffd world"
        finished = position(session, attempt_id).finished
        assert finished is not None
        assert finished.outcome == "succeeded"


def test_cursors_have_no_gaps_and_states_are_among_the_events(
    database: Database, attempt_id: int
) -> None:
    _feed(database, attempt_id, LINES, 0)
    with database.read() as session:
        events = session.scalars(select(RunEvent).order_by(RunEvent.cursor)).all()
        assert [event.cursor for event in events] == list(range(1, len(events) + 1))
        states = [event.payload["status"] for event in events if event.kind == "status"]
        assert states == ["starting", "running"]
        assert session.scalars(select(Run)).one().event_cursor == len(events)


def test_the_same_batch_twice_changes_nothing(database: Database, attempt_id: int) -> None:
    end = _feed(database, attempt_id, LINES[:6], 0)
    assert _feed(database, attempt_id, LINES[:6], 0) == end
    _feed(database, attempt_id, LINES[6:], end)
    assert _seqs(database, attempt_id) == list(range(len(LINES)))


def test_a_file_read_again_from_its_start_changes_nothing(
    database: Database, attempt_id: int
) -> None:
    _feed(database, attempt_id, LINES, 0)
    with database.write() as session:
        session.get_one(Attempt, attempt_id).ingested_bytes = 0
    _feed(database, attempt_id, LINES, 0)
    assert _seqs(database, attempt_id) == list(range(len(LINES)))


def test_a_batch_that_fails_leaves_no_trace(database: Database, attempt_id: int) -> None:
    def fail() -> None:
        with database.write() as session:
            ingest(session, attempt_id, 0, LINES[:6], 1)
            raise KeyError

    with pytest.raises(KeyError):
        fail()
    assert _seqs(database, attempt_id) == []
    _feed(database, attempt_id, LINES, 0)
    assert _seqs(database, attempt_id) == list(range(len(LINES)))


def test_an_unreadable_line_does_not_hold_up_the_others(
    database: Database, attempt_id: int
) -> None:
    too_long = _line(1, "trajectory", **{**TRAJECTORY, "record_id": "r" * 300})
    _feed(database, attempt_id, [LINES[0], b"torn {", too_long, LINES[1]], 0)
    assert _seqs(database, attempt_id) == [0, 1]


def test_a_line_of_the_trainer_is_kept_as_it_is_but_for_its_head(
    database: Database, attempt_id: int
) -> None:
    """The fast way and the slow one, which other spellings of the same event take, agree."""
    event = MetricsEvent(
        seq=0,
        time=1e-7,
        step=1,
        total_steps=2,
        epoch=0.25,
        values={'a "quoted", "kind":"metrics", name': 1.5e-300, "b": "NaN", "c": None},
    )
    own = train_event_adapter.dump_json(event)
    spaced = json.dumps({**json.loads(own), "seq": 1}, indent=1).replace("\n", " ").encode()
    _feed(database, attempt_id, [own, spaced], 0)
    with database.read() as session:
        first, second = session.scalars(
            select(RunEvent.payload).where(RunEvent.kind == "metrics").order_by(RunEvent.cursor)
        )
        assert first == second
        assert first["values"] == event.values
        assert first.keys() == {"step", "total_steps", "epoch", "values"}


@settings(
    max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(cuts=st.lists(st.integers(0, len(LINES)), max_size=6), repeat=st.booleans())
def test_however_the_file_is_cut_every_event_arrives_once(
    database: Database, attempt_id: int, cuts: list[int], repeat: bool
) -> None:
    with database.write() as session:
        attempt = session.get_one(Attempt, attempt_id)
        number = len(session.scalars(select(Attempt)).all()) + 1
        fresh = Attempt(run_id=attempt.run_id, number=number, hostname="h", directory="/d")
        session.add(fresh)
        session.flush()
        fresh_id = fresh.id
    offset = 0
    edges = sorted({0, len(LINES), *cuts})
    for start, end in pairwise(edges):
        before, offset = offset, _feed(database, fresh_id, LINES[start:end], offset)
        if repeat:
            _feed(database, fresh_id, LINES[start:end], before)
    assert _seqs(database, fresh_id) == list(range(len(LINES)))


@pytest.mark.parametrize(
    ("outcome", "status", "verdict"),
    [
        ("succeeded", RunStatus.RUNNING, RunStatus.SUCCEEDED),
        ("succeeded", RunStatus.STOPPING, RunStatus.SUCCEEDED),
        ("failed", RunStatus.STARTING, RunStatus.FAILED),
        ("stopped", RunStatus.STOPPING, RunStatus.STOPPED),
        ("stopped", RunStatus.RUNNING, None),
        (None, RunStatus.RUNNING, None),
    ],
)
def test_what_an_attempts_end_makes_of_the_run(
    outcome: Any, status: RunStatus, verdict: RunStatus | None
) -> None:
    finished = FinishedEvent(seq=0, time=0.0, outcome=outcome) if outcome else None
    found = final_status(finished, status)
    assert (found[0] if found else None) is verdict

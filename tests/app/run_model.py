"""What a run should be, for the state machine of `test_run_machine`."""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import pairwise

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.models import Attempt, Run, RunEvent
from core.states import LEASED, TERMINAL, TRANSITIONS, RunStatus

S = RunStatus


@dataclass
class Model:
    """What a run should be."""

    max_attempts: int
    status: RunStatus = S.QUEUED
    attempts: int = 0
    used: int = 0
    """Attempts that are over and count, since the run was submitted or resumed."""
    token: str | None = None
    version: int = 0
    expired: bool = False
    pausing: bool = False
    deleted: bool = False
    problem: bool = False
    lines: dict[int, list[bytes]] = field(default_factory=dict)
    """Of each attempt's file, by the attempt's number."""

    def to(self, status: RunStatus) -> None:
        """Move it, as the table allows."""
        assert status is self.status or status in TRANSITIONS[self.status]
        self.status, self.problem = status, False
        if status not in LEASED:
            self.token, self.expired, self.pausing = None, False, False


def check_row(run: Run, model: Model) -> None:
    """The run's row is as it should be; its version never falls."""
    assert (run.status, run.attempt_count) == (model.status, model.attempts)
    assert run.deleting == model.deleted
    held = run.status in LEASED
    assert run.lease_token == (model.token if held else None)
    assert (run.lease_expires_at is not None) == held
    assert (run.finished_at is not None) == (run.status in TERMINAL)
    assert (run.not_before is not None) == (run.status is S.QUEUED and model.pausing)
    assert (run.stop_mode is not None) == (run.status is S.STOPPING)
    assert run.kill_at is None or run.status is S.STOPPING
    assert run.phase is None or held
    assert (run.problem is not None) == model.problem
    assert run.attempt_count - run.interruptions == model.used + held
    assert run.attempt_count - run.interruptions <= run.max_attempts
    assert run.max_attempts == model.max_attempts
    assert run.version >= model.version
    model.version = run.version


def check_attempts(session: Session, run: Run, model: Model) -> None:
    """Attempts are numbered without gaps, and only a held run's last one is open."""
    attempts = session.scalars(
        select(Attempt).where(Attempt.run_id == run.id).order_by(Attempt.number)
    ).all()
    assert [one.number for one in attempts] == list(range(1, model.attempts + 1))
    open_ones = [one.number for one in attempts if one.ended_at is None]
    assert open_ones == ([model.attempts] if run.status in LEASED else [])


def check_events(session: Session, run: Run, model: Model) -> None:
    """Cursors have no gaps, states follow from each other, and every line came once."""
    events = session.scalars(
        select(RunEvent).where(RunEvent.run_id == run.id).order_by(RunEvent.cursor)
    ).all()
    assert [one.cursor for one in events] == list(range(1, run.event_cursor + 1))
    states = [one.payload for one in events if one.kind == "status"]
    steered = sum(one.kind == "steering" for one in events)
    assert run.version == len(states) + steered
    assert states[-1]["status"] == run.status
    assert all(one["cause"] and one["actor"] for one in states)
    for former, later in pairwise(states):
        assert later["previous"] == former["status"]
        assert S(later["status"]) in TRANSITIONS[S(former["status"])]
    for number, lines in model.lines.items():
        seqs = [one.seq for one in events if one.seq is not None and number == one.attempt_number]
        assert seqs == list(range(len(lines)))

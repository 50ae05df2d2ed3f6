"""Whatever people, workers, the reaper and Redis do in whatever order, a run's state stays sane.

A model of a few lines is moved beside the real service layer, on both databases. After every move
all runs are compared with it, and with what must always hold.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    Bundle,
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)
from sqlalchemy import delete, select, update

from app.db import Database
from app.errors import ConflictError, NotFoundError
from app.models import Attempt, Project, QueueState, Run, Worker
from app.models.base import database_epoch
from app.runs import ingest, lifecycle, placement, steering
from app.runs.schemas import RunChange
from app.settings import Settings
from core.errors import Problem
from core.events import FinishedEvent
from core.schedule import Queue, Schedule
from core.states import (
    LEASED,
    RESUMABLE,
    TERMINAL,
    Cause,
    StopMode,
)
from tests.app.run_model import Model, S, check_attempts, check_events, check_row
from tests.app.workers import register
from worker.reaper import Reaper
from worker.supervisor import Supervisor

LEASE = 1000.0
PROBLEM = Problem(code="x", message="x")


class RunMachine(RuleBasedStateMachine):
    """Moves runs and their models."""

    database: Database
    settings: Settings
    runs = Bundle("runs")
    claims = Bundle("claims")

    @initialize()
    def begin(self) -> None:
        """An empty installation with two workers."""
        self.models: dict[str, Model] = {}
        self.paused: set[str] = set()
        with self.database.write() as session:
            for table in (Run, QueueState, Worker, Project):
                session.execute(delete(table))
            project = Project(name="p")
            session.add(project)
            session.flush()
            self.project = project.id
            self.workers = [register(session, name) for name in ("a", "b")]

    # What people do.

    @rule(
        target=runs,
        max_attempts=st.integers(1, 3),
        priority=st.integers(-1, 1),
        queue=st.sampled_from(Queue),
    )
    def submit(self, max_attempts: int, priority: int, queue: Queue) -> str:
        schedule = Schedule(max_attempts=max_attempts, priority=priority, queue=queue)
        with self.database.write() as session:
            run = Run(project_id=self.project, name="r", config={})
            lifecycle.submit(session, run, schedule, self.settings, actor="p")
        self.models[run.id] = Model(max_attempts)
        return run.id

    @rule(run=runs, mode=st.sampled_from(StopMode), stale=st.booleans())
    def stop(self, run: str, mode: StopMode, stale: bool) -> None:
        model = self.models[run]
        version = model.version - 1 if stale else None
        allowed = model.status in LEASED or (model.status is S.QUEUED and model.attempts > 0)
        if self._steer(
            run,
            allowed and not stale,
            lambda session: steering.stop_run(session, run, mode, version=version, actor="p"),
        ):
            model.to(S.STOPPED if model.status is S.QUEUED else S.STOPPING)

    @rule(run=runs)
    def cancel(self, run: str) -> None:
        model = self.models[run]
        if self._steer(
            run,
            model.status is S.QUEUED and not model.attempts,
            lambda session: steering.cancel_run(session, run, version=None, actor="p"),
        ):
            model.to(S.CANCELLED)

    @rule(run=runs)
    def resume(self, run: str) -> None:
        model = self.models[run]
        if self._steer(
            run,
            model.status in RESUMABLE,
            lambda session: steering.resume_run(session, run, version=None, actor="p"),
        ):
            model.to(S.QUEUED)
            model.used = 0

    @rule(run=runs)
    def delete(self, run: str) -> None:
        model = self.models[run]
        if self._steer(
            run,
            model.status not in LEASED,
            lambda session: steering.delete_run(session, run, version=None, actor="p"),
        ):
            if model.status is S.QUEUED:
                model.to(S.STOPPED if model.attempts else S.CANCELLED)
            model.deleted = True

    @rule(run=runs, priority=st.integers(-1, 1))
    def change_priority(self, run: str, priority: int) -> None:
        change = RunChange(priority=priority)
        self._steer(
            run,
            self.models[run].status not in TERMINAL,
            lambda session: steering.change_run(session, run, change, actor="p"),
        )

    @rule(run=runs, before=runs)
    def move(self, run: str, before: str) -> None:
        with self.database.read() as session:
            found = [session.get(Run, one) for one in (run, before)]
            same = len({one.queue for one in found if one is not None}) == 1
        both = [self.models[one] for one in (run, before)]
        waiting = all(one.status is S.QUEUED and not one.deleted for one in both)
        if self._steer(
            run,
            waiting and same and run != before,
            lambda session: steering.move_run(session, run, before, version=None, actor="p"),
        ):
            with self.database.read() as session:
                line = self._line(session)
            assert line.index(run) + 1 == line.index(before)

    @rule(queue=st.sampled_from(Queue), paused=st.booleans())
    def pause_queue(self, queue: Queue, paused: bool) -> None:
        with self.database.write() as session:
            placement.pause(session, queue, paused=paused, actor="p")
        (self.paused.add if paused else self.paused.discard)(queue.value)

    # What workers do.

    @rule(target=claims, worker=st.integers(0, 1))
    def claim(self, worker: int) -> lifecycle.Claim | None:
        """A worker takes the first run in line."""
        with self.database.write() as session:
            due = [run for run in self._line(session) if self._is_due(session, run)]
            claim = placement.claim_next(
                session, self.workers[worker], directory="/{run}/{number}", lease=LEASE
            )
        assert (claim.run_id if claim else None) == (due[0] if due else None)
        self._won(claim)
        return claim

    @rule(target=claims, run=runs, worker=st.integers(0, 1))
    def deliver_again(self, run: str, worker: int) -> lifecycle.Claim | None:
        """A worker is told of a run that may be anyone's, or over."""
        model = self.models[run]
        with self.database.write() as session:
            claim = lifecycle.claim(
                session,
                run,
                worker_id=self.workers[worker],
                hostname="h",
                directory="/{run}/{number}",
                lease=LEASE,
            )
        assert (claim is not None) == (model.status is S.QUEUED and not model.deleted)
        self._won(claim)
        return claim

    def _won(self, claim: lifecycle.Claim | None) -> None:
        if claim is not None:
            model = self.models[claim.run_id]
            model.to(S.STARTING)
            model.attempts += 1
            model.token, model.expired, model.pausing = claim.lease_token, False, False
            assert claim.attempt_number == model.attempts

    @rule(claim=claims)
    def heartbeat(self, claim: lifecycle.Claim | None) -> None:
        if claim is None:
            return
        model = self.models[claim.run_id]

        def renew() -> None:
            with self.database.write() as session:
                orders = lifecycle.renew_lease(session, claim.run_id, claim.lease_token, LEASE)
                if orders.status is S.STOPPING:
                    lifecycle.confirm_stop(session, claim.run_id, claim.lease_token, 5.0)
            assert orders.status is model.status
            model.expired = False

        self._as_holder(claim, renew)

    @rule(claim=claims, trains=st.booleans(), count=st.integers(1, 3), again=st.booleans())
    def report(self, claim: lifecycle.Claim | None, trains: bool, count: int, again: bool) -> None:
        """A trainer writes, and what it wrote is copied, perhaps from a place long passed.

        It may be a trainer that nobody waits for any more.
        """
        if claim is None:
            return
        model = self.models[claim.run_id]
        lines = model.lines.setdefault(claim.attempt_number, [])
        with self.database.write() as session:
            attempt = session.get(Attempt, claim.attempt_id)
            if attempt is None:
                return  # removed with its run
            known = [] if again else list(lines)
            offset = sum(map(len, known))
            start = len(lines)
            event: dict[str, Any] = {"kind": "log", "message": "x"}
            if trains:
                event = {"kind": "phase", "phase": "training"}
            new = [
                json.dumps({"seq": start + index, "time": 1.0, **event}).encode()
                for index in range(count)
            ]
            lines += new
            end = sum(map(len, lines))
            ingest.ingest(session, claim.attempt_id, offset, lines[len(known) :], end)
            if attempt.ingested_bytes != end:  # the place was wrong; read from the right one
                offset = attempt.ingested_bytes
                ingest.ingest(session, claim.attempt_id, offset, new, end)
            assert attempt.ingested_bytes == end
        current = claim.attempt_number == model.attempts
        if trains and current and model.status is S.STARTING:
            model.to(S.RUNNING)

    @rule(claim=claims, outcome=st.sampled_from(["succeeded", "failed", "stopped"]))
    def finish(self, claim: lifecycle.Claim | None, outcome: str) -> None:
        """A trainer ends with a verdict; one that stops though nobody wished it was cut off."""
        if claim is None:
            return
        model = self.models[claim.run_id]
        finished = FinishedEvent.model_validate({"seq": 0, "time": 0.0, "outcome": outcome})
        verdict = ingest.final_status(finished, model.status)
        if verdict is None:
            self.leave(claim)
            return

        def end() -> None:
            self._supervisor()._end(claim, *verdict, 0)
            if verdict[0] is S.SUCCEEDED and model.status is S.STARTING:
                model.to(S.RUNNING)
            model.to(verdict[0])
            model.used += 1

        self._as_holder(claim, end)

    @rule(claim=claims)
    def die(self, claim: lifecycle.Claim | None) -> None:
        """A trainer dies."""
        self._cut_off(claim, Cause.TRAINER_DIED)

    @rule(claim=claims)
    def leave(self, claim: lifecycle.Claim | None) -> None:
        """A worker is shut down; of a run that was being stopped it says that the trainer died."""
        if claim is not None:
            stopping = self.models[claim.run_id].status is S.STOPPING
            self._cut_off(claim, Cause.TRAINER_DIED if stopping else Cause.WORKER_LEFT)

    def _cut_off(self, claim: lifecycle.Claim | None, cause: Cause) -> None:
        if claim is None:
            return
        model = self.models[claim.run_id]

        def give_back() -> None:
            self._supervisor()._give_back(claim, PROBLEM, cause, -9)
            self._lost(model, counts=cause is not Cause.WORKER_LEFT)

        self._as_holder(claim, give_back)

    def _lost(self, model: Model, *, counts: bool) -> None:
        model.used += counts
        over = model.status is S.STOPPING or model.used >= model.max_attempts
        model.to(S.CRASHED if over else S.QUEUED)
        model.pausing = not over and model.used > 0
        model.problem = True

    # What time and the reaper do.

    @precondition(lambda self: any(one.status in LEASED for one in self.models.values()))
    @rule(run=runs)
    def fall_silent(self, run: str) -> None:
        model = self.models[run]
        if model.status in LEASED:
            with self.database.write() as session:
                session.execute(
                    update(Run).where(Run.id == run).values(lease_expires_at=database_epoch() - 1)
                )
            model.expired = True

    @rule()
    def reap(self) -> None:
        Reaper(self.database, self.settings).round()
        for model in self.models.values():
            if model.status in LEASED and model.expired:
                self._lost(model, counts=True)

    @rule(run=runs)
    def pause_ends(self, run: str) -> None:
        with self.database.write() as session:
            session.execute(update(Run).where(Run.id == run).values(not_before=None))
        self.models[run].pausing = False

    # What must always hold.

    @invariant()
    def runs_are_as_they_should_be(self) -> None:
        with self.database.read() as session:
            rows = {run.id: run for run in session.scalars(select(Run))}
            for run_id, model in self.models.items():
                run = rows.pop(run_id, None)
                if run is None:
                    assert model.deleted
                    continue
                check_row(run, model)
                check_attempts(session, run, model)
                check_events(session, run, model)
            assert not rows

    # The model.

    def _steer(self, run: str, allowed: bool, action: Callable[[Any], Any]) -> bool:
        """Do as a person; returns whether it was allowed, as it should be."""
        if self.models[run].deleted:
            allowed = False
        try:
            with self.database.write() as session:
                action(session)
        except (ConflictError, NotFoundError):
            assert not allowed
            return False
        assert allowed, f"{self.models[run]}: this should have been refused"
        return True

    def _as_holder(self, claim: lifecycle.Claim, action: Callable[[], None]) -> None:
        """Do as a worker; only who holds the lease may."""
        holds = self.models[claim.run_id].token == claim.lease_token
        if self._is_gone(claim.run_id):
            return
        if holds:
            action()
        else:
            with pytest.raises(lifecycle.LeaseLostError):
                action()

    def _is_gone(self, run: str) -> bool:
        with self.database.read() as session:
            return session.get(Run, run) is None

    def _line(self, session: Any) -> list[str]:
        waiting = [
            run
            for run in session.scalars(select(Run))
            if run.status is S.QUEUED and not run.deleting
        ]
        waiting.sort(
            key=lambda run: (run.queue != "interactive", -run.priority, run.queue_place, run.id)
        )
        return [run.id for run in waiting]

    def _is_due(self, session: Any, run: str) -> bool:
        return session.get_one(Run, run).queue not in self.paused and not self.models[run].pausing

    def _supervisor(self) -> Supervisor:
        presence: Any = SimpleNamespace(actor="worker a")
        return Supervisor(self.database, self.settings, presence)


@pytest.mark.parametrize(
    "examples", [pytest.param(8, id="some"), pytest.param(300, id="many", marks=pytest.mark.full)]
)
@pytest.mark.timeout(3600)
def test_no_order_of_things_leads_to_a_forbidden_state(
    database: Database, settings: Settings, monkeypatch: pytest.MonkeyPatch, examples: int
) -> None:
    # Calls for workers are only hints, and many; here nobody hears them.
    for module in ("app.runs.lifecycle", "app.runs.placement", "worker.reaper"):
        monkeypatch.setattr(f"{module}.send_work", lambda queue: None)
    monkeypatch.setattr("app.notify.publish", lambda run_id: None)

    class Machine(RunMachine):
        pass

    Machine.database = database
    # Pauses between attempts end when the machine says so.
    Machine.settings = settings.model_copy(update={"retry_seconds": 500.0})
    run_state_machine_as_test(
        Machine,
        settings=hypothesis_settings(
            max_examples=examples,
            stateful_step_count=40,
            deadline=None,
            # An example takes a second or so: to make a failure small takes too long.
            phases=(Phase.explicit, Phase.reuse, Phase.generate),
            suppress_health_check=list(HealthCheck),
        ),
    )

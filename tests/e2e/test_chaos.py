"""Everything is killed at random while many runs train; all end truthfully, and nothing is lost.

`UNISD_CHAOS_SEED` repeats a run of this test.
"""

from __future__ import annotations

import os
import random
import signal
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import psutil
import pytest
import redis
from sqlalchemy import select
from sqlalchemy.exc import SQLAlchemyError

from app.migrate import upgrade
from app.models import Attempt, Run, Worker
from core.schedule import Queue
from core.states import TERMINAL, RunStatus
from tests.e2e.installation import Installation, installation
from tests.servers import PostgresServer, make_database

QUICK = {
    "UNISD_RETRY_LONGEST_SECONDS": "1",
    "UNISD_DATABASE_SECONDS": "4",
}
STEPS = 30
TRUTHFUL = {"trainer_killed", "worker_lost"}
"""Problems that a run may end with that has no attempt left."""


@pytest.fixture
def postgres(tmp_path: Path) -> Iterator[PostgresServer]:
    """A PostgreSQL server that may be stopped."""
    server = PostgresServer(tmp_path / "postgresql")
    yield server
    server.thaw()
    server.close()


class Chaos:
    """Kills parts of an installation, one at a time."""

    def __init__(
        self,
        studio: Installation,
        postgres: PostgresServer | None,
        seed: int,
        outage: float,
    ) -> None:
        self._studio = studio
        self._random = random.Random(seed)
        self._postgres = postgres
        self._outage = outage
        self.blows: dict[str, Callable[[], None]] = {
            "trainer": self._kill_trainer,
            "worker": lambda: self._kill(self._random.choice(studio.workers)),
            "api": lambda: self._kill("api"),
            "reaper": lambda: self._kill("reaper"),
            "redis": lambda: self._kill("redis"),
        }
        if postgres is not None:
            self.blows |= {"crash": self._crash, "freeze": self._freeze}

    def rage(self, rounds: int, pause: tuple[float, float], over: Callable[[], bool]) -> None:
        """Strike: each part once in every round, in random order, until all is over."""
        for _ in range(rounds):
            names = list(self.blows)
            self._random.shuffle(names)
            for name in names:
                self._live(self._random.uniform(*pause))
                if over():
                    return
                print(f"{time.strftime('%X')} {name}")
                self.blows[name]()

    def _kill(self, name: str) -> None:
        pid = self._studio.services.pids().get(name)
        if pid is not None:
            os.kill(pid, signal.SIGKILL)

    def _kill_trainer(self) -> None:
        trainers = self._studio.trainers()
        if trainers:
            with suppress(psutil.NoSuchProcess):
                self._random.choice(trainers).kill()

    def _crash(self) -> None:
        assert self._postgres is not None
        self._postgres.crash()
        self._live(self._outage)
        self._postgres.start()

    def _freeze(self) -> None:
        assert self._postgres is not None
        self._postgres.freeze()
        try:
            self._live(self._outage)
        finally:
            self._postgres.thaw()

    def _live(self, seconds: float) -> None:
        """Let time pass; what is dead is started again."""
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            self._studio.services.revive()
            time.sleep(0.1)


def _statuses(studio: Installation) -> dict[str, RunStatus]:
    with studio.database.read() as session:
        return dict(session.execute(select(Run.id, Run.status)).all())


def _all_over(studio: Installation) -> bool:
    try:
        return all(status in TERMINAL for status in _statuses(studio).values())
    except SQLAlchemyError:
        return False


def _losses(studio: Installation, run_id: str) -> dict[int, float]:
    """A run's curve over all its attempts: the last one to do a step has the word."""
    curve: dict[int, float] = {}
    for losses in studio.losses(run_id).values():
        curve |= losses
    return curve


def _storm(
    studio: Installation,
    config: dict[str, Any],
    postgres: PostgresServer | None,
    *,
    runs: int,
    rounds: int,
    pause: tuple[float, float],
    outage: float,
) -> None:
    seed = int(os.environ.get("UNISD_CHAOS_SEED") or random.SystemRandom().randrange(10**6))
    print(f"UNISD_CHAOS_SEED={seed}")
    training = {"max_steps": STEPS, "checkpoint_every_steps": 5}
    config = config | {"training": config["training"] | training}
    reference = studio.create(config)
    assert studio.wait_for_end(reference)["status"] == "succeeded"
    capped = studio.create(config, schedule={"max_attempts": 1, "priority": 1})
    fates = [100] + [1 if number % 8 == 7 else 100 for number in range(1, runs - 1)]
    for most in fates:
        studio.create(config, schedule={"max_attempts": most})
    studio.wait_for_step(capped, 2)
    with studio.database.read() as session:
        pid = session.scalars(select(Attempt.pid).where(Attempt.run_id == capped)).one()
    assert pid is not None
    os.kill(pid, signal.SIGKILL)
    Chaos(studio, postgres, seed, outage).rage(rounds, pause, lambda: _all_over(studio))
    studio.wait_until(lambda: _all_over(studio), "the end of all runs", patience=600)
    _check(studio, reference, capped)


def _check(studio: Installation, reference: str, capped: str) -> None:
    undisturbed = _losses(studio, reference)
    assert list(undisturbed) == list(range(1, STEPS + 1))
    studio.wait_until(lambda: _is_drained(studio), "everything to be copied and nothing left")
    with studio.database.read() as session:
        runs = session.scalars(select(Run)).all()
    for run in runs:
        studio.assert_nothing_lost_or_doubled(run.id)
        counted = run.attempt_count - run.interruptions
        assert counted <= run.max_attempts
        if run.status is RunStatus.SUCCEEDED:
            assert run.problem is None
            assert _losses(studio, run.id) == undisturbed
        else:
            assert (run.status, counted) == (RunStatus.CRASHED, run.max_attempts)
            assert run.problem is not None
            assert run.problem["code"] in TRUTHFUL
    assert studio.run(capped)["status"] == "crashed"
    print({run.id: (run.status.value, run.attempt_count) for run in runs})


def _is_drained(studio: Installation) -> bool:
    """Nobody holds anything, nothing is on its way, nothing half-written lies about."""
    with studio.database.read() as session:
        held = session.scalars(select(Run.id).where(Run.lease_token.is_not(None))).all()
        attempts = session.scalars(select(Attempt)).all()
        busy = session.scalars(select(Worker.id).where(Worker.run_id.is_not(None))).all()
    client = redis.Redis.from_url(studio.redis_url)
    messages = sum(int(client.llen(queue.value)) for queue in Queue) + int(client.hlen("unacked"))
    client.close()
    return not (
        held
        or busy
        or messages
        or studio.trainers()
        or any(one.ended_at is None or not one.drained for one in attempts)
        or list(studio.home.rglob("*.tmp"))
    )


def _processes_of(home: Path) -> list[list[str]]:
    found = []
    for process in psutil.process_iter():
        with suppress(psutil.Error):
            if str(home) in " ".join([*process.cmdline(), *process.environ().values()]):
                found.append(process.cmdline())
    return found


def test_whatever_dies_runs_end_truthfully_and_nothing_is_lost(
    tmp_path: Path, postgres: PostgresServer, config: dict[str, Any]
) -> None:
    home = tmp_path / "home"
    workers: dict[str, dict[str, str]] = {"worker-0": {}, "worker-1": {}}
    with installation(home, make_database(postgres.url), QUICK, workers) as studio:
        _storm(studio, config, postgres, runs=5, rounds=1, pause=(0.5, 2.0), outage=3.0)
    assert _processes_of(home) == []


@pytest.mark.full
@pytest.mark.timeout(3600)
@pytest.mark.parametrize("system", ["postgresql", "sqlite"])
def test_forty_runs_in_a_storm(
    tmp_path: Path, request: pytest.FixtureRequest, config: dict[str, Any], system: str
) -> None:
    home = tmp_path / "home"
    server: PostgresServer | None = None
    if system == "postgresql":
        server = request.getfixturevalue("postgres")
        assert server is not None
        url = make_database(server.url)
    else:
        url = f"sqlite:///{home / 'unisd.sqlite'}"
        upgrade(url)
    workers: dict[str, dict[str, str]] = {f"worker-{number}": {} for number in range(3)}
    with installation(home, url, QUICK, workers) as studio:
        _storm(studio, config, server, runs=40, rounds=12, pause=(1.0, 6.0), outage=20.0)
    assert _processes_of(home) == []

"""A whole installation for tests: Redis, API, worker and reaper as real processes."""

from __future__ import annotations

import json
import os
import signal
import socket
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import httpx2
import psutil
import yaml
from sqlalchemy import make_url, select

from app.db import Database
from app.metrics.repository import series
from app.models import Attempt, RunEvent
from app.settings import Settings
from cli.private_redis import private_redis
from cli.services import Service, Services
from cli.up import API_COMMAND, REAPER_COMMAND, worker_command
from core.states import TERMINAL
from tests.servers import is_alive

LEASE_SECONDS = 3.0
_PATIENCE_SECONDS = 90.0


class Installation:
    """Starts, watches and kills the parts; talks to the API.

    Args:
        home: home folder of API and reaper.
        database_url: a migrated database.
        settings: environment of all parts, beside the usual.
        workers: several, by name, each with settings of its own.
    """

    def __init__(
        self,
        home: Path,
        database_url: str,
        settings: Mapping[str, str] | None = None,
        workers: Mapping[str, Mapping[str, str]] | None = None,
    ) -> None:
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = int(probe.getsockname()[1])
        self.home = home
        self.patience = _PATIENCE_SECONDS
        """Seconds that `wait_until` waits when it is not told how long."""
        self.url = f"http://127.0.0.1:{self.port}"
        self.http = httpx2.Client(base_url=self.url, timeout=20.0)
        self.database = Database(database_url)
        redis = private_redis(home / "redis")
        self.redis_url = redis.url
        environment = {
            "UNISD_HOME": str(home),
            "UNISD_DATABASE_URL": database_url,
            "UNISD_REDIS_URL": redis.url,
            "UNISD_PORT": str(self.port),
            "UNISD_LEASE_SECONDS": str(LEASE_SECONDS),
            "UNISD_HEARTBEAT_SECONDS": "0.5",
            "UNISD_RETRY_SECONDS": "0.2",
            "UNISD_FORCE_SECONDS": "2",
            "HF_HUB_OFFLINE": "1",
            "CUDA_VISIBLE_DEVICES": "",
            # Threads that spin for each other starve when tests share two cores.
            "OMP_NUM_THREADS": "1",
            **(settings or {}),
        }
        self.services = Services(environment, home / "logs", print)
        self._parts = {
            "redis": redis.service,
            "api": Service("api", API_COMMAND),
            "reaper": Service("reaper", REAPER_COMMAND),
        }
        workers = workers or {"worker": {}}
        for name, own in workers.items():
            self._parts[name] = Service(
                name, _worker_command(name, own, redis.url), stop_seconds=30.0
            )
        self.workers = list(workers)

    def start(self, *names: str) -> None:
        """Start parts; without names all, and wait until they can work."""
        for name in names or self._parts:
            self.services.start(self._parts[name])
        if not names:
            self.wait_until(self._ready, "the installation is ready")

    def stop(self) -> None:
        """End everything and check that nothing is left."""
        trainers = self.trainers()
        self.services.stop()
        self.database.close()
        self.http.close()
        assert not [process for process in trainers if is_alive(process)]

    def kill(self, name: str) -> None:
        """SIGKILL a part; it is started again at the next look, as in production."""
        if name == "trainer":
            (trainer,) = self.trainers()
            trainer.kill()
            return
        os.kill(self.services.pids()[name], signal.SIGKILL)

    def replace_worker(self, home: Path, number: signal.Signals) -> None:
        """End the worker by a signal; the next one has another home folder, as on another host."""
        worker = psutil.Process(self.services.pids()["worker"])
        self._parts["worker"].command = _worker_command("worker", {"UNISD_HOME": str(home)})
        worker.send_signal(number)
        worker.wait(_PATIENCE_SECONDS)

    def trainers(self, *workers: str) -> list[psutil.Process]:
        """Processes of the trainer under these workers, or under all."""
        pids = self.services.pids()
        found = []
        for pid in (pids.get(name) for name in workers or self.workers):
            if pid is None:
                continue
            with suppress(psutil.NoSuchProcess):
                found += [
                    child
                    for child in psutil.Process(pid).children(recursive=True)
                    if "worker.trainer" in " ".join(child.cmdline())
                ]
        return found

    def create(self, config: dict[str, Any], **more: Any) -> str:
        """Create a run; returns its identifier."""
        answer = self.http.post("/api/runs", json={"config": config, **more})
        assert answer.status_code == 201, answer.text
        return str(answer.json()["id"])

    def run(self, run_id: str) -> dict[str, Any]:
        """A run as the API shows it."""
        body: dict[str, Any] = self.http.get(f"/api/runs/{run_id}").raise_for_status().json()
        return body

    def transitions(self, run_id: str) -> list[dict[str, Any]]:
        """Changes of a run's state, oldest first."""
        answer = self.http.get(f"/api/runs/{run_id}/transitions").raise_for_status()
        return [one for one in answer.json()["items"] if one["status"]]

    def contact(self, run_id: str) -> dict[str, Any]:
        """How a started run and its worker stand to each other."""
        found: dict[str, Any] = self.run(run_id)["contact"]
        return found

    def wait_for_step(self, run_id: str, step: int, attempt: int = 1) -> None:
        """Wait until an attempt of a run, or one after it, has done so many steps."""

        def there() -> bool:
            run = self.run(run_id)
            reached = bool(run["progress"]["step"] >= step)
            return run["attempt"] > attempt or (run["attempt"] == attempt and reached)

        self.wait_until(there, f"step {step} of {run_id}")

    def wait_for_end(self, run_id: str) -> dict[str, Any]:
        """Wait until a run is over."""
        self.wait_until(lambda: self.run(run_id)["status"] in TERMINAL, f"the end of {run_id}")
        return self.run(run_id)

    def wait_until(
        self, condition: Callable[[], bool], what: str, patience: float | None = None
    ) -> None:
        """Wait, keeping the parts alive as `unisd up` does."""
        deadline = time.monotonic() + (patience or self.patience)
        while time.monotonic() < deadline:
            try:
                if condition():
                    return
            except httpx2.HTTPError:
                pass
            self.services.revive()
            time.sleep(0.1)
        logs = "\n".join(
            f"== {path.name}\n{path.read_text()[-1500:]}"
            for path in (self.home / "logs").glob("*.log")
        )
        raise AssertionError(f"waited in vain for {what}\n{logs}")

    def assert_nothing_lost_or_doubled(self, run_id: str) -> None:
        """SQL holds exactly what every attempt's file holds, in order."""
        with self.database.read() as session:
            attempts = session.scalars(select(Attempt).where(Attempt.run_id == run_id)).all()
            assert attempts
            for attempt in attempts:
                rows = session.scalars(
                    select(RunEvent)
                    .where(RunEvent.attempt_id == attempt.id)
                    .order_by(RunEvent.cursor)
                ).all()
                stored = [{"seq": row.seq, "kind": row.kind, **row.payload} for row in rows]
                assert stored == _written(Path(attempt.directory) / "events.jsonl")

    def losses(self, run_id: str) -> dict[int, dict[int, float]]:
        """The loss at each step that is known, of each attempt by its number."""
        with self.database.read() as session:
            attempts = session.scalars(
                select(Attempt).where(Attempt.run_id == run_id).order_by(Attempt.number)
            ).all()
            return {
                attempt.number: {
                    int(step): float(value)
                    for _, points in series(session, attempt.id, ["train/loss"])
                    for step, value in zip(points.steps, points.values, strict=True)
                }
                for attempt in attempts
            }

    def _ready(self) -> bool:
        return self.http.get("/readyz").status_code == 200


def _worker_command(name: str, settings: Mapping[str, str], redis_url: str = "") -> list[str]:
    """Starts a worker with settings of its own; `HOST` has it believe in a host of that name."""
    own = {"UNISD_WORKER_NAME": name, **settings}
    if redis_url:
        password = str(make_url(redis_url).password)
        own = {key: value.replace("{password}", password) for key, value in own.items()}
    command = worker_command(Settings())
    if "HOST" in own:
        command = [sys.executable, "-m", "tests.e2e.elsewhere", *command[1:]]
    return ["env", *(f"{key}={value}" for key, value in own.items()), *command]


def _written(file: Path) -> list[dict[str, Any]]:
    """Whole lines of a trainer's file, as SQL should hold them."""
    events: list[dict[str, Any]] = []
    if not file.exists():  # its worker died before the trainer wrote anything
        return events
    for line in file.read_bytes().split(b"\n")[:-1]:
        # PostgreSQL has no U+0000 in text, and a random model does say it.
        event = json.loads(line.replace(rb"\u0000", rb"\ufffd"))
        del event["v"], event["time"]
        events.append(event)
    return events


@contextmanager
def installation(
    home: Path,
    database_url: str,
    settings: Mapping[str, str] | None = None,
    workers: Mapping[str, Mapping[str, str]] | None = None,
) -> Iterator[Installation]:
    """A running installation, ended whatever happens.

    `settings` go to all parts; `workers` names several, each with settings of its own.
    """
    studio = Installation(home, database_url, settings, workers)
    try:
        studio.start()
        yield studio
    finally:
        studio.stop()


def write_yaml(path: Path, config: dict[str, Any]) -> Path:
    """A configuration as a file for the command line."""
    path.write_text(yaml.safe_dump(config))
    return path

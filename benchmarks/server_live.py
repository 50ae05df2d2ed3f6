"""What the server does while time passes: events on their way, writers killed, memory at rest."""

from __future__ import annotations

import http.client
import itertools
import json
import random
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from server_fixture import (
    NAMES,
    ROOT,
    Api,
    api,
    event,
    line,
    new_attempt,
    resident_mb,
    summary,
)
from sqlalchemy import func, select

from app.db import Database
from app.metrics import repository
from app.models import RunEvent
from worker.supervisor import _POLL_SECONDS as POLL_SECONDS
from worker.tail import EVENTS_FILE, Tail

RUNS, EVENTS_PER_RUN, EVERY_SECONDS = 20, 15, 1.0
KILLS = 12
_NOTES = "acknowledged.txt"

_FOLLOWER = """
import sys, time
from pathlib import Path
from app.db import get_database
from worker.tail import Tail
tail = Tail(get_database(), int(sys.argv[1]), Path(sys.argv[2]))
tail.pump()
print("begun", flush=True)
while True:
    if not tail.pump():
        time.sleep(float(sys.argv[3]))
"""


def delivery(url: str, folder: Path, *, quick: bool) -> dict[str, Any]:
    """From a trainer's write to a reader of the stream, with 20 runs going.

    Trainers are threads that append to their files; each run has a process that copies its file as
    a worker's supervisor does, and a reader on the API's stream. Browser and page come on top.
    """
    database = Database(url)
    runs = 4 if quick else RUNS
    with api(folder / "api-live", url) as server:
        attempts = [new_attempt(database, folder / f"live-{n}") for n in range(runs)]
        followers = [
            follower(attempt_id, folder / f"live-{n}") for n, (_, attempt_id) in enumerate(attempts)
        ]
        delays: list[float] = []
        readers = [
            threading.Thread(target=_read, args=(server, run_id, delays), daemon=True)
            for run_id, _ in attempts
        ]
        for reader in readers:
            reader.start()
        for one in followers:
            begun(one)
        writers = [
            threading.Thread(target=_write, args=(folder / f"live-{n}",)) for n in range(runs)
        ]
        for thread in writers:
            thread.start()
        for thread in writers:
            thread.join()
        for reader in readers:
            reader.join(20)
        for one in followers:
            one.kill()
            one.wait()
    database.close()
    return {
        "runs": runs,
        "events_written": runs * EVENTS_PER_RUN,
        "events_seen": len(delays),
        **summary([delay * 1000 for delay in delays])._asdict(),
    }


def follower(attempt_id: int, directory: Path) -> subprocess.Popen[bytes]:
    """A process that copies a file as a worker's supervisor does."""
    command = [sys.executable, "-c", _FOLLOWER, str(attempt_id), str(directory), str(POLL_SECONDS)]
    return subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE)


def begun(process: subprocess.Popen[bytes]) -> None:
    """Wait until a follower has begun."""
    assert process.stdout is not None
    process.stdout.readline()


def _write(directory: Path) -> None:
    time.sleep(random.random() * EVERY_SECONDS)
    with (directory / EVENTS_FILE).open("ab", buffering=0) as file:
        for seq in range(EVENTS_PER_RUN):
            file.write(line(event(seq, NAMES, EVENTS_PER_RUN)))
            time.sleep(EVERY_SECONDS * random.uniform(0.5, 1.5))


def _read(server: Api, run_id: str, delays: list[float]) -> None:
    place = urlsplit(server.url)
    connection = http.client.HTTPConnection(place.hostname or "", place.port, timeout=120)
    connection.request("GET", f"/api/runs/{run_id}/events")
    answer = connection.getresponse()
    seen = 0
    while seen < EVENTS_PER_RUN:
        row = answer.readline()
        if not row:
            return
        if row.startswith(b"data:"):
            now = time.time()
            found = json.loads(row.removeprefix(b"data:"))
            if found.get("kind") == "metrics":
                delays.append(now - found["time"])
                seen += 1
    connection.close()


def killed_writer(url: str, folder: Path, *, quick: bool) -> dict[str, Any]:
    """Copy a growing file by processes that are killed at random moments; the trainer is, too.

    What a trainer has reported is what it has written, with one call an event: it notes each such
    event beside. Whoever copies last must find all of these, once.
    """
    database = Database(url)
    directory = folder / "killed"
    kills = 3 if quick else KILLS
    with api(folder / "api-killed", url):
        _, attempt_id = new_attempt(database, directory)
        trainer = subprocess.Popen([sys.executable, __file__, "--train", str(directory)], cwd=ROOT)
        for _ in range(kills):
            copier = follower(attempt_id, directory)
            begun(copier)
            time.sleep(random.random())
            copier.send_signal(signal.SIGKILL)
            copier.wait()
        trainer.kill()
        trainer.wait()
        before = _stored(database, attempt_id)
        Tail(database, attempt_id, directory).drain()
    acknowledged = len((directory / _NOTES).read_bytes().split())
    with database.read() as session:
        rows, newest, least = session.execute(
            select(func.count(RunEvent.seq), func.max(RunEvent.seq), func.min(RunEvent.seq)).where(
                RunEvent.attempt_id == attempt_id
            )
        ).one()
        found = dict(repository.series(session, attempt_id, ()))
    steps = list(range(1, rows + 1))
    database.close()
    return {
        "copiers_killed": kills,
        "events_acknowledged": acknowledged,
        "events_in_sql_at_the_last_kill": before,
        "events_in_sql": rows,
        "lost": max(0, acknowledged - rows),
        "doubled": rows - (newest - least + 1),
        "every_series_whole": len(found) == len(NAMES)
        and all(series.steps.tolist() == steps for series in found.values()),
    }


def _stored(database: Database, attempt_id: int) -> int:
    with database.read() as session:
        statement = select(func.count(RunEvent.seq)).where(RunEvent.attempt_id == attempt_id)
        return session.scalars(statement).one()


def train(directory: Path) -> None:
    """Append events, and note of each that it was written."""
    with (
        (directory / EVENTS_FILE).open("ab", buffering=0) as file,
        (directory / _NOTES).open("ab", buffering=0) as notes,
    ):
        for seq in itertools.count():
            file.write(line(event(seq, NAMES, 10**6)))
            notes.write(b"%d\n" % seq)
            time.sleep(0.002)


def memory(url: str, folder: Path, minutes: float) -> dict[str, Any]:
    """The API's memory at rest, after it has worked."""
    with api(folder / "api-rest", url) as server:
        fresh = resident_mb(server.pid)
        for _ in range(20):
            server.get("/api/runs?limit=100")
        # The longest series that the other measures left, too.
        for run in json.loads(server.get("/api/runs?project_id=benchmark&limit=100"))["items"]:
            server.get(f"/api/runs/{run['id']}/metrics")
        samples = [resident_mb(server.pid)]
        end = time.monotonic() + 60 * minutes
        while (left := end - time.monotonic()) > 0:
            time.sleep(min(left, max(1.0, minutes)))
            samples.append(resident_mb(server.pid))
    return {
        "fresh_mb": fresh,
        "at_rest_first_mb": samples[0],
        "at_rest_last_mb": samples[-1],
        "at_rest_most_mb": max(samples),
        "minutes": minutes,
    }


if __name__ == "__main__" and sys.argv[1:2] == ["--train"]:
    train(Path(sys.argv[2]))

"""How fast events reach the open pages: `python benchmarks/stream.py`.

One API process, Redis, and a database (SQLite in a new folder, or an empty one of `--database-url`,
which is filled and not emptied). `--readers` streams are open over `--runs` runs; a process writes
`--rate` events a second and run through the real ingest, one transaction each. Prints JSON:
milliseconds from an event's making to its arrival at a reader, the API's memory before and
afterwards, and how long `GET /api/runs` took meanwhile.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import multiprocessing
import os
import socket
import statistics
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import httpx2
import psutil

sys.path.insert(0, str(Path(__file__).parents[1]))

from app.db import Database
from app.migrate import upgrade
from cli.private_redis import private_redis
from cli.services import Service, Services
from cli.up import API_COMMAND
from tests.reporting import ReportingRun

_LIST_EVERY_SECONDS = 0.2
_WARM_UP_SECONDS = 2.0


def main() -> None:
    """Start everything, measure, print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--readers", type=int, default=200)
    parser.add_argument("--runs", type=int, default=20)
    parser.add_argument("--rate", type=float, default=5.0, help="events per second and run")
    parser.add_argument("--seconds", type=float, default=20.0)
    parser.add_argument("--database-url")
    wanted = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder)
        url = wanted.database_url or f"sqlite:///{home / 'unisd.sqlite'}"
        upgrade(url)
        redis = private_redis(home / "redis")
        port = _free_port()
        environment = {
            "UNISD_HOME": str(home),
            "UNISD_DATABASE_URL": url,
            "UNISD_REDIS_URL": redis.url,
            "UNISD_PORT": str(port),
        }
        os.environ.update(environment)  # what is written here wakes the readers there
        services = Services(environment, home / "logs", print)
        try:
            services.start(redis.service)
            services.start(Service("api", API_COMMAND))
            _wait(port)
            api = psutil.Process(services.pids()["api"])
            print(json.dumps(_measure(wanted, url, port, api), indent=2))
        finally:
            services.stop()


def _measure(wanted: argparse.Namespace, url: str, port: int, api: psutil.Process) -> Any:
    database = Database(url)
    runs = [ReportingRun(database, f"run {number}") for number in range(wanted.runs)]
    ids = [run.id for run in runs]
    database.close()
    at_rest = api.memory_info().rss
    busy_before = sum(api.cpu_times()[:2])
    # Forked: the runs go along, and the readers' process has nothing to do but read.
    writer = multiprocessing.get_context("fork").Process(
        target=_write, args=(url, runs, wanted.rate, wanted.seconds + _WARM_UP_SECONDS)
    )
    latencies, lists = asyncio.run(_read(wanted, ids, port, writer))
    busy = sum(api.cpu_times()[:2]) - busy_before
    arrived = len(latencies) / wanted.readers * wanted.runs / wanted.seconds
    return {
        "database": url.partition(":")[0],
        "readers": wanted.readers,
        "runs": wanted.runs,
        "events_per_second": {"wanted": wanted.rate * wanted.runs, "written": round(arrived, 1)},
        "load_average": round(os.getloadavg()[0], 1),
        "event_to_reader_ms": _summary(latencies),
        "get_runs_ms": _summary(lists),
        "api_memory_mb": {"at_rest": at_rest >> 20, "afterwards": api.memory_info().rss >> 20},
        "api_cpu_share": round(busy / (wanted.seconds + _WARM_UP_SECONDS), 2),
    }


def _write(url: str, runs: list[ReportingRun], rate: float, seconds: float) -> None:
    database = Database(url)
    for run in runs:
        run.database = database
    pause = 1 / (rate * len(runs))
    due = time.monotonic()
    end = due + seconds
    while due < end:
        for run in runs:
            run.write()
            due += pause
            time.sleep(max(0.0, due - time.monotonic()))


async def _read(
    wanted: argparse.Namespace, ids: list[str], port: int, writer: Any
) -> tuple[list[float], list[float]]:
    latencies: list[float] = []
    opened = [await _open(port, ids[number % len(ids)]) for number in range(wanted.readers)]
    writer.start()
    since = time.time() + _WARM_UP_SECONDS
    until = since + wanted.seconds
    readers = [asyncio.create_task(_follow(stream, since, latencies)) for stream in opened]
    lists = await _list_runs(port, since, until)
    await asyncio.sleep(1)
    for reader in readers:
        reader.cancel()
    await asyncio.gather(*readers, return_exceptions=True)
    await asyncio.to_thread(writer.join)
    return latencies, lists


_Stream = tuple[asyncio.StreamReader, asyncio.StreamWriter]


async def _open(port: int, run_id: str) -> _Stream:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(f"GET /api/runs/{run_id}/events HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n".encode())
    if b" 200 " not in await reader.readline():
        raise RuntimeError("a stream was refused")
    return reader, writer


async def _follow(stream: _Stream, since: float, latencies: list[float]) -> None:
    while line := await stream[0].readline():
        if not line.startswith(b"data: "):
            continue
        now = time.time()
        event = json.loads(line[6:])
        if event.get("kind") == "metrics" and event["time"] >= since:
            latencies.append(now - event["time"])


async def _list_runs(port: int, since: float, until: float) -> list[float]:
    seconds = []
    async with httpx2.AsyncClient(base_url=f"http://127.0.0.1:{port}") as client:
        while time.time() < until:
            began = time.monotonic()
            (await client.get("/api/runs")).raise_for_status()
            if time.time() > since:
                seconds.append(time.monotonic() - began)
            await asyncio.sleep(_LIST_EVERY_SECONDS)
    return seconds


def _summary(seconds: list[float]) -> dict[str, float]:
    cuts = statistics.quantiles(seconds, n=100, method="inclusive")
    chosen = {"p50": cuts[49], "p95": cuts[94], "p99": cuts[98], "max": max(seconds)}
    return {name: round(1000 * value, 1) for name, value in chosen.items()}


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _wait(port: int) -> None:
    for _ in range(300):
        try:
            httpx2.get(f"http://127.0.0.1:{port}/healthz").raise_for_status()
        except httpx2.HTTPError:
            time.sleep(0.1)
        else:
            return
    raise RuntimeError("the API does not answer")


if __name__ == "__main__":
    main()

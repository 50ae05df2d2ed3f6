"""How fast this project's server takes in, thins out and lists metrics."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from server_fixture import (
    LIST_RUNS,
    NAMES,
    VALUES,
    Api,
    answered,
    api,
    config,
    event,
    fill_list,
    leaves,
    line,
    new_attempt,
)
from sqlalchemy import func, select

from app.db import Database
from app.metrics import repository, store
from app.models import MetricChunk, RunEvent
from worker.tail import EVENTS_FILE, Tail

BUCKETS = 2000
_BATCH = 8000
"""Events of one metric in a megabyte of the trainer's file."""


def measure(name: str, url: str, folder: Path, *, quick: bool) -> dict[str, Any]:
    """Writing, reading and listing on one database."""
    database = Database(url)
    found: dict[str, Any] = {}
    with api(folder / f"api-{name}", url) as server:
        found["write"] = write(database, folder / f"write-{name}", 3000 if quick else 30_000)
        points = 100_000 if quick else 1_000_000
        run_id = long_metric(database, folder / f"long-{name}", points)
        # Two points of a bucket, three where the series has gaps; the ends come on top.
        query = urlencode({"name": "long", "max_points": 3 * BUCKETS + 2})
        path = f"/api/runs/{run_id}/metrics?{query}"
        (series,) = json.loads(server.get(path))["items"]
        found["read_one_metric"] = {
            "points": series["points"],
            "buckets": BUCKETS,
            "points_given": len(series["steps"]),
            "spike_kept": 1e9 in series["values"],
            "gaps": series["non_finite"],
            **answered(server, path, 20),
        }
        middle = f"{path}&from_step={points // 2}&to_step={points // 2 + 20_000}"
        found["zoom_20000_steps"] = answered(server, middle, 20)
        found["list"] = listing(database, server, LIST_RUNS // (10 if quick else 1))
    database.close()
    return found


def write(database: Database, folder: Path, events: int) -> dict[str, Any]:
    """From the trainer's file to SQL, as the worker copies it."""
    _, attempt_id = new_attempt(database, folder)
    with (folder / EVENTS_FILE).open("wb") as file:
        for seq in range(events):
            file.write(line(event(seq, NAMES, events)))
    tail = Tail(database, attempt_id, folder)
    begun, worked = time.perf_counter(), time.process_time()
    tail.drain()
    seconds, work = time.perf_counter() - begun, time.process_time() - worked
    with database.read() as session:
        points = session.scalars(
            select(func.sum(MetricChunk.points)).where(MetricChunk.attempt_id == attempt_id)
        ).one()
        rows = session.scalars(
            select(func.count(RunEvent.seq)).where(RunEvent.attempt_id == attempt_id)
        ).one()
        names = repository.names(session, attempt_id)
    assert (points, rows, len(names)) == (events * VALUES, events, VALUES)
    return {
        "events": events,
        "values_per_event": VALUES,
        "seconds": round(seconds, 3),
        "cpu_seconds_of_the_writer": round(work, 3),
        "points_per_second": round(events * VALUES / seconds),
    }


def long_metric(database: Database, folder: Path, points: int) -> str:
    """One metric of many points with a spike and gaps, in batches as large as the file's."""
    run_id, attempt_id = new_attempt(database, folder)
    odd = {points // 3: 1e9, points // 2: "-Infinity", points // 2 + 1: "NaN"}
    for start in range(0, points, _BATCH):
        events = []
        for seq in range(start, min(points, start + _BATCH)):
            one = event(seq, ["long"], points, 1e9 + seq)
            if seq in odd:
                one = one.model_copy(update={"values": {"long": odd[seq]}})
            events.append(one)
        with database.write() as session:
            store.append(session, run_id, attempt_id, events)
    return run_id


def listing(database: Database, server: Api, runs: int) -> dict[str, Any]:
    """A page of 100 runs with 20 parameters and 20 metrics, sorted by one of these."""
    names = fill_list(database, runs)
    params = list(leaves(config(0)))[:20]
    query = {"limit": 100, "project_id": "many", "param": params, "metric": names}
    found: dict[str, Any] = {"runs": runs}
    for what, more in {
        "by_metric": {"sort": "metric:train/part/value_07"},
        "by_metric_last_page": {"sort": "-metric:train/part/value_07", "offset": runs - 100},
        "newest_first": {},
    }.items():
        path = f"/api/runs?{urlencode(query | more, doseq=True)}"
        answer = json.loads(server.get(path))
        assert answer["total"] == runs
        assert all((len(run["params"]), len(run["metrics"])) == (20, 20) for run in answer["items"])
        found[what] = answered(server, path, 30)
    return found

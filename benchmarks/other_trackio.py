"""Trackio's storage, measured in an environment of its own; prints one JSON object."""

from __future__ import annotations

import json
import os
import random
import statistics
import sys
import time
from collections.abc import Callable
from importlib.metadata import version
from typing import Any

folder, points, rows, runs = sys.argv[1], *map(int, sys.argv[2:5])
os.environ["TRACKIO_DIR"] = folder

from trackio.sqlite_storage import SQLiteStorage  # noqa: E402 - the folder comes first

NAMES = [f"train/part/value_{n:02d}" for n in range(32)]


def spent(action: Callable[[], Any], repeats: int) -> float:
    """Median milliseconds."""
    times = []
    for _ in range(repeats):
        begun = time.perf_counter()
        action()
        times.append((time.perf_counter() - begun) * 1000)
    return round(statistics.median(times), 1)


def values(names: list[str]) -> dict[str, float]:
    """What is logged at a step."""
    return {name: random.gauss(1.0, 0.3) for name in names}


written = [values(NAMES) for _ in range(rows)]
begun = time.perf_counter()
for start in range(0, rows, 1000):
    part = written[start : start + 1000]
    SQLiteStorage.bulk_log("write", "r", part, list(range(start, start + len(part))))
seconds = time.perf_counter() - begun
for start in range(0, points, 20_000):
    steps = list(range(start, min(points, start + 20_000)))
    SQLiteStorage.bulk_log("long", "r", [values(["long"]) for _ in steps], steps)
for number in range(runs):
    some = [values(NAMES[:20]) for _ in range(50)]
    config = {f"param_{n}": n for n in range(20)}
    SQLiteStorage.bulk_log("many", f"run {number}", some, list(range(50)), config=config)


def listed() -> None:
    """What the page needs for its table: the runs, their configurations and their logs."""
    records = SQLiteStorage.get_run_records("many")
    SQLiteStorage.get_all_run_configs("many")
    wanted = [{"run": one["name"], "run_id": one.get("id")} for one in records]
    found = SQLiteStorage.get_logs_batch("many", wanted)
    assert len(found) == runs
    assert all(len(one["logs"]) == 50 for one in found)


given = len(SQLiteStorage.get_logs("long", "r", max_points=2000))
answer = {
    "version": version("trackio"),
    "write_points_per_second": round(rows * len(NAMES) / seconds),
    "read_one_metric": {
        "points": points,
        "points_given": given,
        "median_ms": spent(lambda: SQLiteStorage.get_logs("long", "r", max_points=2000), 3),
    },
    "list": {"runs": runs, "rows_given": runs, "median_ms": spent(listed, 3)},
}
print(json.dumps(answer))

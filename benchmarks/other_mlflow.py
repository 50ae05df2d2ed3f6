"""MLflow's SQL store, measured in an environment of its own; prints one JSON object."""

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
os.environ["MLFLOW_DISABLE_TELEMETRY"] = "true"

from mlflow import MlflowClient  # noqa: E402 - the setting comes first
from mlflow.entities import Metric, Param  # noqa: E402

NAMES = [f"train/part/value_{n:02d}" for n in range(32)]
client = MlflowClient(f"sqlite:///{folder}/mlflow.sqlite")
experiment = client.create_experiment("benchmark", artifact_location=folder)


def spent(action: Callable[[], Any], repeats: int) -> float:
    """Median milliseconds."""
    times = []
    for _ in range(repeats):
        begun = time.perf_counter()
        action()
        times.append((time.perf_counter() - begun) * 1000)
    return round(statistics.median(times), 1)


def metrics(names: list[str], step: int) -> list[Metric]:
    """What is logged at a step."""
    return [Metric(name, random.gauss(1.0, 0.3), 1000 * step, step) for name in names]


run = client.create_run(experiment).info.run_id
written = [one for step in range(rows) for one in metrics(NAMES, step)]
begun = time.perf_counter()
for start in range(0, len(written), 1000):
    client.log_batch(run, metrics=written[start : start + 1000])
seconds = time.perf_counter() - begun

long_run = client.create_run(experiment).info.run_id
for start in range(0, points, 1000):
    some = [one for step in range(start, start + 1000) for one in metrics(["long"], step)]
    client.log_batch(long_run, metrics=some)

many = client.create_experiment("many", artifact_location=folder)
params = [Param(f"param_{n}", str(n)) for n in range(20)]
for number in range(runs):
    one = client.create_run(many, run_name=f"run {number}").info.run_id
    client.log_batch(one, metrics=metrics(NAMES[:20], 1), params=params)


def listed() -> None:
    """A page of runs with their parameters and newest values."""
    page = client.search_runs(
        [many], max_results=100, order_by=["metrics.`train/part/value_07` ASC"]
    )
    assert len(page) == 100
    assert len(page[0].data.metrics) == len(page[0].data.params) == 20


answer = {
    "version": version("mlflow"),
    "write_points_per_second": round(len(written) / seconds),
    "read_one_metric": {
        "points": points,
        "points_given": len(client.get_metric_history(long_run, "long")),
        "median_ms": spent(lambda: client.get_metric_history(long_run, "long"), 3),
    },
    "list": {"runs": runs, "rows_given": 100, "median_ms": spent(listed, 5)},
}
print(json.dumps(answer))

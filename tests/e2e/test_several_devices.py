"""A run on several devices under the real supervisor."""

from __future__ import annotations

from typing import Any

import psutil
import pytest

from tests.e2e.installation import Installation
from tests.servers import is_alive

SEVERAL = {
    "devices": 2,
    "max_steps": 60,
    "batch_size": 2,
    "gradient_accumulation_steps": 1,
    "checkpoint_every_steps": 5,
}


def _rank(process: psutil.Process) -> int | None:
    rank = process.environ().get("RANK")
    return None if rank is None else int(rank)


@pytest.mark.full
def test_after_a_process_was_killed_the_run_goes_on_from_its_checkpoint(
    studio: Installation, config: dict[str, Any]
) -> None:
    run_id = studio.create(config | {"training": SEVERAL})
    studio.wait_for_step(run_id, 12)
    family = studio.trainers()
    (one,) = [process for process in family if _rank(process) == 1]
    one.kill()
    studio.wait_until(lambda: not any(map(is_alive, family)), "the end of all processes")
    run = studio.wait_for_end(run_id)
    (died,) = [one for one in studio.transitions(run_id) if one["cause"] == "trainer_died"]
    assert died["problem"]["code"] == "trainer_killed"
    assert "Process 1 of 2 was killed by SIGKILL" in died["problem"]["message"]
    assert (run["status"], run["attempt"]) == ("succeeded", 2)
    query = {"attempt": 2, "name": "train/loss"}
    (series,) = studio.http.get(f"/api/runs/{run_id}/metrics", params=query).json()["items"]
    assert series["steps"][0] > 5
    assert series["steps"] == list(range(series["steps"][0], 61))
    logs = studio.http.get(f"/api/runs/{run_id}/logs", params={"q": "Resumed after step"}).json()
    assert "exactly" in logs["items"][0]["message"]
    studio.assert_nothing_lost_or_doubled(run_id)


@pytest.mark.full
def test_a_killed_worker_takes_all_processes_with_it(
    studio: Installation, config: dict[str, Any]
) -> None:
    run_id = studio.create(config | {"training": SEVERAL})
    studio.wait_for_step(run_id, 7)
    family = studio.trainers()
    assert len(family) == 3
    studio.kill("worker")
    studio.wait_until(lambda: not any(map(is_alive, family)), "the end of all processes")
    run = studio.wait_for_end(run_id)
    assert (run["status"], run["attempt"]) == ("succeeded", 2)
    studio.assert_nothing_lost_or_doubled(run_id)

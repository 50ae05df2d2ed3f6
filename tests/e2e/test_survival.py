"""Whatever dies, the run ends truthfully, and nothing that the trainer wrote is lost or doubled."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.e2e.installation import Installation, installation
from tests.servers import is_alive

STEPS = 90
LONG = {"max_steps": STEPS, "batch_size": 2, "gradient_accumulation_steps": 1}


def test_a_run_succeeds_and_everything_arrives(
    shared_studio: Installation, config: dict[str, Any]
) -> None:
    run = shared_studio.wait_for_end(shared_studio.create(config))
    assert (run["status"], run["attempt"], run["problem"]) == ("succeeded", 1, None)
    assert run["progress"]["step"] == run["progress"]["total_steps"] == 40
    assert [artifact["kind"] for artifact in run["artifacts"]] == ["adapter"]
    shared_studio.assert_nothing_lost_or_doubled(run["id"])
    listed = shared_studio.http.get(f"/api/runs/{run['id']}/trajectories").json()
    assert listed["total"] >= 8 * 2
    first = listed["items"][0]
    whole = shared_studio.http.get(f"/api/runs/{run['id']}/trajectories/{first['id']}").json()
    assert len(whole["token_values"]) == whole["tokens"]
    pieces = "".join(token["text"] for token in whole["token_values"])
    assert pieces.replace("\x00", "\ufffd") == whole["completion"]
    mean = sum(token["divergence"] for token in whole["token_values"]) / whole["tokens"]
    assert mean == pytest.approx(whole["divergence"], rel=1e-4)


def test_a_killed_trainer_is_started_again_until_its_attempts_are_used_up(
    shared_studio: Installation, config: dict[str, Any]
) -> None:
    schedule = {"max_attempts": 2}
    run_id = shared_studio.create(config | {"training": LONG}, schedule=schedule)
    for attempt in (1, 2):
        shared_studio.wait_for_step(run_id, 10, attempt=attempt)
        shared_studio.kill("trainer")
    run = shared_studio.wait_for_end(run_id)
    assert (run["status"], run["attempt"]) == ("crashed", 2)
    assert run["problem"]["code"] == "trainer_killed"
    assert "SIGKILL" in run["problem"]["message"]
    assert [attempt["exit_code"] for attempt in run["attempts"]] == [-9, -9]
    causes = [one["cause"] for one in shared_studio.transitions(run_id)]
    again = ["claimed", "work_began", "trainer_died"]
    assert causes == ["submitted", *again, *again]
    shared_studio.assert_nothing_lost_or_doubled(run_id)


@pytest.mark.full  # the ordinary suite's storm does the same
def test_a_killed_worker_is_replaced_and_the_run_starts_again(
    studio: Installation, config: dict[str, Any]
) -> None:
    run_id = studio.create(config | {"training": LONG})
    studio.wait_for_step(run_id, 10)
    (trainer,) = studio.trainers()
    studio.kill("worker")
    studio.wait_until(lambda: not is_alive(trainer), "the orphaned trainer's end")
    run = studio.wait_for_end(run_id)
    assert (run["status"], run["attempt"]) == ("succeeded", 2)
    assert run["attempts"][0]["outcome"] == "crashed"
    assert run["progress"]["step"] == STEPS
    studio.assert_nothing_lost_or_doubled(run_id)


def test_a_run_whose_worker_was_killed_goes_on_from_its_checkpoint(
    studio: Installation, config: dict[str, Any]
) -> None:
    run_id = studio.create(config | {"training": LONG | {"checkpoint_every_steps": 5}})
    studio.wait_for_step(run_id, 12)
    studio.kill("worker")
    run = studio.wait_for_end(run_id)
    assert (run["status"], run["attempt"]) == ("succeeded", 2)
    query = {"attempt": 2, "name": "train/loss"}
    (series,) = studio.http.get(f"/api/runs/{run_id}/metrics", params=query).json()["items"]
    assert series["steps"][0] > 10
    assert series["steps"] == list(range(series["steps"][0], STEPS + 1))
    logs = studio.http.get(f"/api/runs/{run_id}/logs", params={"q": "Resumed after step"}).json()
    assert "exactly" in logs["items"][0]["message"]
    done = series["steps"][0] - 1
    assert run["attempts"][1]["resumed"] == {"step": done, "exact": True, "reason": ""}
    assert {"torch", "transformers"} <= set(run["environment"]["packages"])
    assert run["environment"]["seed"] == 42
    studio.assert_nothing_lost_or_doubled(run_id)


@pytest.mark.parametrize("part", ["redis", "api"])
@pytest.mark.full  # the ordinary suite's storm does the same
def test_a_killed_part_is_started_again_and_the_run_goes_on(
    studio: Installation, config: dict[str, Any], part: str
) -> None:
    run_id = studio.create(config | {"training": LONG})
    studio.wait_for_step(run_id, 10)
    studio.kill(part)
    run = studio.wait_for_end(run_id)
    assert (run["status"], run["attempt"]) == ("succeeded", 1)
    studio.assert_nothing_lost_or_doubled(run_id)
    again = studio.wait_for_end(studio.create(config))
    assert again["status"] == "succeeded"


@pytest.mark.full  # the ordinary suite's storm does the same
def test_a_task_that_redis_lost_is_sent_again(studio: Installation, config: dict[str, Any]) -> None:
    first = studio.create(config | {"training": LONG})
    waiting = studio.create(config)
    studio.wait_for_step(first, 5)
    studio.kill("redis")
    assert studio.wait_for_end(waiting)["status"] == "succeeded"
    assert studio.wait_for_end(first)["status"] == "succeeded"


def test_stop_ends_a_run_at_a_step_and_keeps_its_adapter(
    shared_studio: Installation, config: dict[str, Any]
) -> None:
    run_id = shared_studio.create(config | {"training": LONG | {"max_steps": 100_000}})
    shared_studio.wait_for_step(run_id, 5)
    assert shared_studio.http.post(f"/api/runs/{run_id}/stop").json()["status"] == "stopping"
    run = shared_studio.wait_for_end(run_id)
    assert run["status"] == "stopped"
    assert [artifact["kind"] for artifact in run["artifacts"]] == ["adapter"]
    shared_studio.assert_nothing_lost_or_doubled(run_id)


def test_discard_ends_a_run_at_once_and_keeps_no_weights(
    shared_studio: Installation, config: dict[str, Any]
) -> None:
    training = LONG | {"max_steps": 100_000, "checkpoint_every_steps": 2}
    run_id = shared_studio.create(config | {"training": training})
    shared_studio.wait_for_step(run_id, 6)
    shared_studio.http.post(f"/api/runs/{run_id}/stop", json={"mode": "discard"}).raise_for_status()
    run = shared_studio.wait_for_end(run_id)
    assert (run["status"], run["artifacts"]) == ("stopped", [])
    folder = Path(run["attempts"][0]["directory"])
    assert not list(folder.glob("**/*.safetensors"))
    shared_studio.assert_nothing_lost_or_doubled(run_id)


def test_force_kills_a_trainer_that_does_not_stop_when_the_countdown_ends(
    shared_studio: Installation, config: dict[str, Any]
) -> None:
    run_id = shared_studio.create(config | {"training": LONG | {"max_steps": 100_000}})
    shared_studio.wait_for_step(run_id, 3)
    (trainer,) = shared_studio.trainers()
    trainer.suspend()  # it hears nothing
    shared_studio.http.post(f"/api/runs/{run_id}/stop").raise_for_status()
    shared_studio.wait_until(
        lambda: shared_studio.contact(run_id)["kill_in"] is not None, "a countdown"
    )
    assert shared_studio.contact(run_id)["kill_in"] > 60
    shared_studio.http.post(f"/api/runs/{run_id}/stop", json={"mode": "force"}).raise_for_status()
    run = shared_studio.wait_for_end(run_id)
    assert (run["status"], run["problem"]["code"]) == ("stopped", "trainer_unresponsive")
    assert shared_studio.transitions(run_id)[-1]["cause"] == "killed"
    shared_studio.assert_nothing_lost_or_doubled(run_id)


def test_a_time_limit_stops_and_saves(shared_studio: Installation, config: dict[str, Any]) -> None:
    training = LONG | {"max_steps": 100_000}
    schedule = {"time_limit_seconds": 3600}
    run_id = shared_studio.create(config | {"training": training}, schedule=schedule)
    shared_studio.wait_for_step(run_id, 5)
    change = {"time_limit_seconds": 1}  # also while it runs
    shared_studio.http.patch(f"/api/runs/{run_id}", json=change).raise_for_status()
    run = shared_studio.wait_for_end(run_id)
    assert (run["status"], run["problem"]["code"]) == ("stopped", "time_limit")
    assert [artifact["kind"] for artifact in run["artifacts"]] == ["adapter"]
    assert run["used_seconds"] > 1


def test_deliveries_that_redis_repeats_start_nothing_twice(
    tmp_path: Path, database_url: str, config: dict[str, Any]
) -> None:
    repeating = {"UNISD_VISIBILITY_SECONDS": "1"}
    with installation(tmp_path / "home", database_url, repeating) as studio:
        ids = [studio.create(config) for _ in range(2)]
        for run_id in ids:
            run = studio.wait_for_end(run_id)
            assert (run["status"], run["attempt"]) == ("succeeded", 1)
            studio.assert_nothing_lost_or_doubled(run_id)


def test_a_stopped_run_is_resumed_where_it_was(
    shared_studio: Installation, config: dict[str, Any]
) -> None:
    run_id = shared_studio.create(config | {"training": LONG})
    shared_studio.wait_for_step(run_id, 5)
    shared_studio.http.post(f"/api/runs/{run_id}/stop").raise_for_status()
    stopped = shared_studio.wait_for_end(run_id)
    assert stopped["status"] == "stopped"
    done = stopped["progress"]["step"]
    again = shared_studio.http.post(f"/api/runs/{run_id}/resume").json()
    assert (again["status"], again["finished_at"]) == ("queued", None)
    run = shared_studio.wait_for_end(run_id)
    assert (run["status"], run["attempt"], run["max_attempts"]) == ("succeeded", 2, 4)
    query = {"attempt": 2, "name": "train/loss"}
    (series,) = shared_studio.http.get(f"/api/runs/{run_id}/metrics", params=query).json()["items"]
    assert series["steps"] == list(range(done + 1, STEPS + 1))
    assert shared_studio.http.post(f"/api/runs/{run_id}/resume").status_code == 409
    shared_studio.assert_nothing_lost_or_doubled(run_id)


def test_a_failure_of_the_trainer_is_told_with_its_remedy(
    shared_studio: Installation, config: dict[str, Any]
) -> None:
    wrong = config | {"model": config["model"] | {"lora": {"target_modules": ["no_such_layer"]}}}
    run = shared_studio.wait_for_end(shared_studio.create(wrong))
    assert run["status"] == "failed"
    lines = shared_studio.http.get(f"/api/runs/{run['id']}/logs").json()["items"]
    printed = [line["message"] for line in lines if line["source"] == "output"]
    assert "no_such_layer" in "\n".join(printed)  # streamed and kept
    assert "no_such_layer" in run["problem"]["message"]
    assert run["problem"]["remedy"]
    assert run["problem"]["field"] == "model.lora.target_modules"

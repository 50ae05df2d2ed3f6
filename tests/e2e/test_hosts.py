"""Workers that share database, Redis and artifact store with the API, but no disk."""

from __future__ import annotations

import signal
from pathlib import Path
from typing import Any

import pytest

from app.settings import Settings
from app.storage.deletion import delete_run_files
from app.storage.store import artifact_store
from tests.e2e.installation import Installation, installation
from tests.e2e.test_evaluations import questions


def _leave(host: Path) -> None:
    """The host is gone with all that it had."""
    host.rename(host.with_name(f"gone-{host.name}"))


def _get(studio: Installation, url: str) -> dict[str, Any]:
    """An answer that may be a file's that is still on its way."""
    found: dict[str, Any] = {}

    def is_there() -> bool:
        answer = studio.http.get(url)
        assert answer.status_code in {200, 409}, answer.text
        if answer.status_code == 409:
            assert answer.json()["code"] == "artifact_not_there_yet"
            return False
        found.update(answer.json())
        return True

    studio.wait_until(is_there, url)
    return found


@pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)  # as a team has it
def test_a_run_goes_on_and_is_evaluated_on_other_hosts(
    tmp_path: Path, database_url: str, s3_bucket: str, config: dict[str, Any]
) -> None:
    first, second, third = (tmp_path / name for name in ("first", "second", "third"))
    api = Settings(home=tmp_path / "home", artifacts_url=f"{s3_bucket}/hosts")
    store = artifact_store(api)
    store_url = {"UNISD_ARTIFACTS_URL": str(api.artifacts_url)}
    workers = {"worker": {"UNISD_HOME": str(first)}}
    with installation(api.home, database_url, store_url, workers) as studio:
        upload = {"name": "own", "file_name": "questions.jsonl"}
        studio.http.post(
            "/api/datasets/upload", params=upload, content=questions()
        ).raise_for_status()
        training = {"max_steps": 40, "batch_size": 2, "checkpoint_every_steps": 5}
        run_id = studio.create(config | {"training": training, "data": {"dataset": "own@1"}})
        place = f"runs/{run_id}/attempt-1"
        studio.wait_until(
            lambda: (
                any(key.endswith("manifest.json") for key in store.list(place))
                and bool(store.list(f"{place}/trajectories"))
            ),
            "a checkpoint and rollouts in the store",
        )
        studio.replace_worker(second, signal.SIGKILL)
        _leave(first)

        run = studio.wait_for_end(run_id)
        assert (run["status"], run["attempt"], run["problem"]) == ("succeeded", 2, None)
        query = {"attempt": 2, "name": "train/loss"}
        (series,) = studio.http.get(f"/api/runs/{run_id}/metrics", params=query).json()["items"]
        assert series["steps"] == list(range(series["steps"][0], 41))
        assert series["steps"][0] > 5
        logs = studio.http.get(f"/api/runs/{run_id}/logs", params={"q": "Resumed after"}).json()
        assert "exactly" in logs["items"][0]["message"]
        studio.replace_worker(third, signal.SIGTERM)
        _leave(second)

        url = f"/api/runs/{run_id}/trajectories"
        for order in ("step", "-step"):
            item = studio.http.get(url, params={"sort": order}).json()["items"][0]
            whole = _get(studio, f"{url}/{item['id']}")
            assert len(whole["token_values"]) == item["tokens"]

        asked = {"name": "own", "dataset": "own@1", "max_new_tokens": 4, "retention": True}
        wanted = {"run_id": run_id, "sets": [asked]}
        created = studio.http.post("/api/evaluations", json=wanted).raise_for_status().json()
        done = studio.wait_for_end(created["id"])
        assert (done["status"], done["problem"]) == ("succeeded", None)
        results = f"/api/runs/{done['id']}/evaluations"
        (result,) = studio.http.get(results).json()["items"]
        page = _get(studio, f"{results}/{result['cursor']}/examples")
        assert page["total"] == 6
        assert all(item["retention"] for item in page["items"])
        missing = studio.http.post("/api/evaluations", json=wanted | {"checkpoint": 1})
        assert missing.status_code == 409
        assert "40" in missing.json()["remedy"]

    delete_run_files(api, run_id)
    assert store.list(f"runs/{run_id}") == {}
    assert not (api.runs_directory / run_id).exists()

"""Answers side by side through real parts: API, worker, model process, Redis, both databases."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest

from tests.e2e.installation import Installation, installation
from tests.servers import is_alive, migrated_database
from tests.worker.trainer.tiny import make_records

OVER = {"done", "failed", "cancelled"}


@pytest.fixture(
    scope="module", params=[pytest.param("sqlite", marks=pytest.mark.full), "postgresql"]
)
def studio(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Installation]:
    """One installation for all tests here; its worker keeps the model for some seconds."""
    home = tmp_path_factory.mktemp("home")
    with migrated_database(
        request.param, home, lambda: str(request.getfixturevalue("postgresql"))
    ) as url:
        with installation(home, url, {"UNISD_WARM_SECONDS": "20"}) as running:
            yield running


@pytest.fixture(scope="module")
def run_id(studio: Installation, tiny_model: Path, tmp_path_factory: pytest.TempPathFactory) -> str:
    """A run whose adapter says something else than the base."""
    records = make_records(tmp_path_factory.mktemp("data") / "records.jsonl")
    run = studio.create(
        {
            "model": {"name": str(tiny_model), "dtype": "float32", "lora": {"rank": 4}},
            "data": {"path": str(records)},
            "teacher": {"weights": "ema"},
            "training": {
                "max_steps": 4,
                "batch_size": 2,
                "learning_rate": 0.1,
                "checkpoint_every_steps": 2,
            },
            "generation": {"max_completion_length": 8},
        },
        name="tuned",
    )
    assert studio.wait_for_end(run)["status"] == "succeeded"
    return run


def ask(studio: Installation, **wanted: Any) -> dict[str, Any]:
    answer = studio.http.post("/api/generations", json={"prompt": "Hello?", **wanted})
    assert answer.status_code == 202, answer.text
    found: dict[str, Any] = answer.json()
    return found


def get(studio: Installation, generation_id: str) -> dict[str, Any]:
    found: dict[str, Any] = studio.http.get(f"/api/generations/{generation_id}").json()
    return found


def answered(studio: Installation, **wanted: Any) -> dict[str, Any]:
    name = ask(studio, **wanted)["id"]
    studio.wait_until(lambda: get(studio, name)["status"] in OVER, f"the answers {name}")
    found = get(studio, name)
    assert found["problem"] is None
    return found


def texts(found: dict[str, Any]) -> dict[tuple[int, int], str]:
    return {(one["column"], one["sample"]): one["text"] for one in found["answers"]}


def streamed(studio: Installation, name: str) -> dict[tuple[int, int], str]:
    """What the stream of a comparison tells, put together."""
    told: dict[tuple[int, int], str] = {}
    with studio.http.stream("GET", f"/api/generations/{name}/events") as answer:
        for line in answer.iter_lines():
            if line.startswith("data: ["):
                for column, sample, text, _, _ in json.loads(line[6:]):
                    told[column, sample] = told.get((column, sample), "") + text
            if line == "event: end":
                return told
    raise AssertionError("the stream broke off")


def test_columns_stream_and_are_kept_exactly_and_the_same_seed_says_the_same(
    studio: Installation, run_id: str
) -> None:
    columns = [
        {},
        {"run_id": run_id, "weights": "adapter"},
        {"run_id": run_id, "weights": "ema_adapter"},
        {"run_id": run_id, "weights": "adapter", "checkpoint": 2},
        {"run_id": run_id, "weights": "base", "view": "primary"},
    ]
    settings = {"samples": 2, "temperature": 1.0, "max_tokens": 12}
    asked = ask(studio, columns=columns, demonstration="3, as 1 + 2 is 3.", **settings)
    told = streamed(studio, asked["id"])
    studio.wait_until(lambda: get(studio, asked["id"])["status"] in OVER, "the answers")
    found = get(studio, asked["id"])
    print(json.dumps(found, indent=1)[:3000])
    assert texts(found) == told

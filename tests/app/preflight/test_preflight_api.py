"""What the preflight says of data, workers, pace and disk."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient

from app.db import Database
from app.metrics import store
from app.models import Attempt, Project, Run, RunEvent, Worker
from app.workers.schemas import Hardware, Usage
from core.events import MetricsEvent, written
from core.states import RunStatus
from tests.app.workers import gpu, register
from tests.worker.trainer.tiny import make_tiny_model

GIB = 2**30


@pytest.fixture
def wanted(tmp_path: Path) -> dict[str, Any]:
    rows = [
        {"question": f"What is {n} + 1?", "answer": str(n + 1), "source": "book" if n % 2 else None}
        for n in range(40)
    ]
    rows[3]["question"] = "Why? " * 100
    data = tmp_path / "sums.jsonl"
    data.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return {
        "model": {"name": str(make_tiny_model(tmp_path / "tiny")), "dtype": "float32"},
        "data": {"path": str(data)},
        "training": {"max_steps": 100, "batch_size": 2, "gradient_accumulation_steps": 2},
        "generation": {"max_prompt_length": 500, "max_completion_length": 10},
        "evaluation": {"examples": 5},
    }


def _preflight(client: TestClient, config: dict[str, Any], **schedule: Any) -> dict[str, Any]:
    answer = client.post("/api/runs/preflight", json={"config": config, "schedule": schedule})
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


def test_columns_and_prompts_that_do_not_fit(client: TestClient, wanted: dict[str, Any]) -> None:
    found = _preflight(client, wanted)
    columns = {column["name"]: column for column in found["data"]["columns"]}
    assert columns["question"]["used_as"] == "prompt"
    assert columns["answer"]["used_as"] == "answer"
    assert (columns["source"]["used_as"], columns["source"]["filled"]) == (None, 20)
    assert found["data"]["records"] == 40
    assert (found["data"]["train"], found["data"]["held_out"]) == (34, 5)
    assert found["prompts"]["too_long"] == 1
    assert found["prompts"]["longest"][0]["line"] == 4
    assert found["steps"] == 100
    assert found["sequences"] == 4
    again = _preflight(client, wanted | {"generation": {"max_prompt_length": 2000}})
    assert again["prompts"]["too_long"] == 0
    assert again["data"]["train"] == 35


def _worker(database: Database, name: str, hardware: Hardware, usage: Usage) -> str:
    with database.write() as session:
        worker = session.get_one(Worker, register(session, name))
        worker.hardware, worker.usage = hardware.model_dump(), usage.model_dump()
        return worker.id


def _usage(used: int, disk: int = 100 * GIB, **gpus: Any) -> Usage:
    return Usage(cpu=0, memory_used=used, disk_free=disk, gpus=[gpu(**gpus)] if gpus else [])


def test_each_worker_is_held_against_what_the_run_needs(
    client: TestClient, database: Database, wanted: dict[str, Any]
) -> None:
    need = _need(client, database, wanted)
    hosts = {
        "roomy": (Hardware(memory_total=64 * GIB), _usage(GIB)),
        "close": (Hardware(memory_total=int(need * 1.1)), _usage(0)),
        "small": (Hardware(memory_total=need - 1), _usage(0)),
        "taken": (Hardware(memory_total=64 * GIB), _usage(64 * GIB - need // 2)),
        "full": (Hardware(memory_total=64 * GIB), _usage(GIB, disk=10)),
        "gpu": (
            Hardware(memory_total=GIB, gpus=1, gpu_memory=80 * GIB),
            _usage(GIB, memory_used=GIB),
        ),
        "mute": (Hardware(), _usage(0)),
    }
    for name, (hardware, usage) in hosts.items():
        _worker(database, name, hardware, usage)
    found = _preflight(client, wanted)
    verdicts = {worker["name"]: worker["verdict"] for worker in found["workers"]}
    assert verdicts == {
        "roomy": "fits",
        "close": "tight",
        "small": "will_not",
        "taken": "tight",
        "full": "fits",
        "gpu": "fits",
        "mute": "unknown",
    }
    by_name = {worker["name"]: worker for worker in found["workers"]}
    assert by_name["full"]["disk_verdict"] == "will_not"
    assert by_name["roomy"]["disk_verdict"] == "fits"
    assert by_name["taken"]["reason"].startswith("Other programs")
    parts = by_name["roomy"]["need"]
    assert parts["peak"] > parts["base"] + parts["adapters"] + parts["optimizer"]
    labelled = _preflight(client, wanted, labels=["a100"])["workers"]
    assert {worker["verdict"] for worker in labelled} == {"will_not"}
    assert "a100" in labelled[0]["reason"]


def _need(client: TestClient, database: Database, wanted: dict[str, Any]) -> int:
    """Bytes of the peak on a CPU."""
    worker_id = _worker(database, "first", Hardware(memory_total=64 * GIB), _usage(0))
    (one,) = _preflight(client, wanted)["workers"]
    with database.write() as session:
        session.delete(session.get_one(Worker, worker_id))
    return int(one["need"]["peak"])


def _earlier(database: Database, worker_id: str, config: dict[str, Any]) -> None:
    """A run of ten steps: 2 s to sample 400 tokens, 1 s for 800 of teachers, 3 s for 600."""
    values = {
        "time/step": 7.0,
        "time/rollout": 2.0,
        "time/teacher": 1.0,
        "time/student": 3.0,
        "tokens/rollout": 400.0,
        "tokens/teacher": 800.0,
        "tokens/student": 600.0,
        "train/completion_length": 6.0,
    }
    with database.write() as session:
        session.add(Project(id="p", name="P"))
        session.flush()
        run = Run(
            project_id="p",
            name="earlier",
            config=config,
            status=RunStatus.SUCCEEDED,
            step=10,
            worker_id=worker_id,
        )
        session.add(run)
        session.flush()
        attempt = Attempt(run_id=run.id, number=1, hostname="h", directory="/d")
        session.add(attempt)
        session.flush()
        events = [
            MetricsEvent(
                seq=step,
                time=float(step),
                step=step,
                total_steps=10,
                epoch=0.0,
                values={name: written(value) for name, value in values.items()},
            )
            for step in range(1, 11)
        ]
        store.append(session, run.id, attempt.id, events)
        for number, done in enumerate((0, 20, 40)):
            session.add(
                RunEvent(
                    run_id=run.id,
                    cursor=number + 1,
                    attempt_id=attempt.id,
                    attempt_number=1,
                    seq=number,
                    kind="phase",
                    time=100.0 + number * 10,
                    payload={
                        "phase": "preparing",
                        "detail": "Writing negative demonstrations",
                        "current": done,
                        "total": 40,
                    },
                )
            )


def test_time_is_what_earlier_runs_measured_and_else_not_known(
    client: TestClient, database: Database, wanted: dict[str, Any]
) -> None:
    big = Hardware(memory_total=64 * GIB)
    known = _worker(database, "known", big, _usage(GIB))
    _worker(database, "new", big, _usage(GIB))
    _earlier(database, known, wanted)
    contrastive = wanted | {"objective": {"contrastive": {"negatives_per_record": 2}}}
    found = _preflight(client, contrastive)
    by_name = {worker["name"]: worker for worker in found["workers"]}
    assert by_name["new"]["seconds"] is None
    assert "Not known yet" in by_name["new"]["time_note"]

    lengths = {one["view"]: one for one in found["prompts"]["lengths"]}
    assert lengths["student"]["median"] < lengths["primary"]["median"]
    one = by_name["known"]
    assert one["measured_runs"] == 1
    assert one["seconds"] == pytest.approx(100 * one["seconds_per_step"])
    plain = {worker["name"]: worker for worker in _preflight(client, wanted)["workers"]}["known"]
    # Another teacher view costs its tokens at the measured 800 a second, and nothing else.
    teacher = _mean_prompt(wanted)
    expected = 4 * (teacher + 6) / 800
    assert one["seconds_per_step"] - plain["seconds_per_step"] == pytest.approx(expected, rel=0.02)

    (negatives,) = found["making"]
    assert (negatives["total"], negatives["present"]) == (68, 0)
    assert negatives["seconds"] == pytest.approx(68 / 2)  # 40 in 20 s
    assert "earlier" in negatives["basis"]


def _mean_prompt(wanted: dict[str, Any]) -> float:
    """Mean tokens of the primary teacher's prompt: one a byte, but for the template's marks."""
    from core.config import RunConfig
    from core.records import read_records
    from worker.trainer.chat import Chat, load_tokenizer

    config = RunConfig.model_validate(wanted)
    chat = Chat(load_tokenizer(config.model), config)
    lengths = [len(chat.example(record).teacher.ids) for record in read_records(config.data)]
    return sum(lengths) / len(lengths)


def test_what_is_wrong_is_told_and_the_rest_still_looked_at(
    client: TestClient, wanted: dict[str, Any]
) -> None:
    wanted["data"] = {"path": "/nowhere/data.jsonl"}
    found = _preflight(client, wanted)
    assert [error["code"] for error in found["errors"]] == ["data_not_found"]
    assert (found["data"], found["prompts"], found["example"]) == (None, None, None)
    assert found["model"]["parameters"] > 0
    wanted["model"] = {"name": "no/such-model"}
    assert _preflight(client, wanted)["model"]["folder"] is None
    unknown = wanted | {"data": {"dataset": "none@1"}}
    assert _preflight(client, unknown)["data"] is None


def test_models_on_this_machine_and_of_earlier_runs_are_suggested(
    client: TestClient, database: Database, settings: Any, wanted: dict[str, Any]
) -> None:
    make_tiny_model(settings.home / "models" / "me" / "tiny")
    _earlier(database, _worker(database, "w", Hardware(), _usage(0)), wanted)
    found = {one["name"]: one for one in client.get("/api/config/models").json()["items"]}
    assert found["me/tiny"] == {"name": "me/tiny", "here": True, "runs": 0}
    used = found[wanted["model"]["name"]]
    assert (used["here"], used["runs"]) == (False, 1)

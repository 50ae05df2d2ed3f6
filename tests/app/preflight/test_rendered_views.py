"""The preflight shows what the trainer renders: its own code is asked, on the real model."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient

from core.config import RunConfig
from core.memory import estimate_memory
from core.model_shape import model_shape
from core.views import Example, Views
from tests.servers import make_file
from tests.worker.trainer.preparation.asked import Scripted
from tests.worker.trainer.tiny import make_tiny_model
from worker.trainer.chat import Chat, load_tokenizer
from worker.trainer.dataset import prepare
from worker.trainer.estimate import estimate
from worker.trainer.event_log import EventLog
from worker.trainer.interrupt import Interrupt
from worker.trainer.model import context_length, load_model_config
from worker.trainer.preparation.asking import Asker
from worker.trainer.preparation.contexts import prepare_contexts


@pytest.fixture
def database_url(tmp_path: Path) -> str:
    """One database is enough: nothing here is read from it."""
    return make_file(tmp_path / "home" / "unisd.sqlite")


def _config(model: Path, data: dict[str, Any], **parts: Any) -> dict[str, Any]:
    generation = {"max_prompt_length": 300, "max_completion_length": 64}
    return {
        "model": {"name": str(model)},
        "data": data,
        "generation": generation,
        "evaluation": {"examples": 20},
        **parts,
    }


def _trained(raw: dict[str, Any], folder: Path, index: int, says: Any = None) -> Example:
    """A record's prompts in the first epoch, as a session of the trainer makes them."""
    config = RunConfig.model_validate(raw)
    chat = Chat(load_tokenizer(config.model), config)
    records = prepare(config, chat, lambda _: None).train
    context = context_length(load_model_config(config.model))
    log, sampler = EventLog(folder), Scripted(says or (lambda _prompt, _seed: ""))
    asker = Asker(config, chat, sampler, log, Interrupt(), context)
    return Views(chat, config, records, prepare_contexts(asker, records)).example(index, 0)


def _shown(client: TestClient, raw: dict[str, Any], index: int) -> dict[str, Any]:
    answer = client.post(f"/api/runs/preflight?record={index}", json={"config": raw})
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()["example"]
    return found


def _texts(example: Example) -> list[str]:
    views = (example.student, example.teacher, *example.auxiliary)
    return [view.text for view in (*views, *filter(None, [example.negative]))]


@pytest.mark.parametrize("index", [0, 37])
def test_every_view_of_a_benchmark_record_is_what_the_trainer_renders(
    client: TestClient,
    demo_model: Path,
    shared_data: Path,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    index: int,
) -> None:
    monkeypatch.setenv("UNISD_BENCHMARK_DIR", str(shared_data))
    agreement = {"agreement": {"enabled": True, "views": 3}}
    raw = _config(demo_model, {"benchmark": "scienceqa", "limit": 200}, objective=agreement)
    example = _trained(raw, tmp_path / "run", index)
    shown = _shown(client, raw, index)
    assert [view["text"] for view in shown["views"]] == _texts(example)
    assert [view["tokens"] for view in shown["views"]][:2] == [
        len(example.student.ids),
        len(example.teacher.ids),
    ]
    assert [view["role"] for view in shown["views"]] == ["student", "primary", *["auxiliary"] * 3]
    assert shown["exact"]
    assert shown["line"] == example.record.line


@pytest.fixture
def made(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Trainer and web side look into one cache."""
    monkeypatch.setenv("UNISD_CACHE_DIR", str(tmp_path / "cache"))


@pytest.fixture
def quiz(tmp_path: Path) -> dict[str, Any]:
    rows = [
        {"question": f"What is {n} + 1?", "answer": str(n + 1), "rationale": f"After {n} comes it."}
        for n in range(60)
    ]
    path = tmp_path / "quiz.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return {"path": str(path)}


@pytest.mark.usefixtures("made")
def test_what_the_model_wrote_before_is_shown_once_it_is_there(
    client: TestClient, quiz: dict[str, Any], tmp_path: Path
) -> None:
    parts = {
        "objective": {
            "contrastive": {"enabled": True, "negatives_per_record": 2},
            "agreement": {"enabled": True, "contexts": "induction", "views": 2},
        },
        "generation": {"max_prompt_length": 1500, "max_completion_length": 8},
    }
    raw = _config(make_tiny_model(tmp_path / "model"), quiz, **parts)
    before = _shown(client, raw, 5)
    assert not before["exact"]
    later = [view for view in before["views"] if not view["made"]]
    assert [view["role"] for view in later] == ["auxiliary", "auxiliary", "negative"]
    assert all("before training›" in view["text"] for view in later)

    def says(prompt: str, seed: int) -> str:
        if "instruction" in prompt:
            return f"Add with care, way {seed % 97}."
        return f"It is surely so, {seed % 89}. Answer: {seed % 83 + 1000}"

    example = _trained(raw, tmp_path / "run", 5, says)
    assert example.negative is not None
    after = _shown(client, raw, 5)
    assert after["exact"]
    assert [view["text"] for view in after["views"]] == _texts(example)
    answer = client.post("/api/runs/preflight", json={"config": raw}).json()
    making = {one["kind"]: one for one in answer["making"]}
    assert (making["negatives"]["total"], making["negatives"]["present"]) == (80, 80)
    assert making["negatives"]["seconds"] == 0
    assert making["instructions"]["present"] == 2


@pytest.mark.usefixtures("made")
def test_similar_records_are_found_as_the_trainer_finds_them(
    client: TestClient, quiz: dict[str, Any], tmp_path: Path
) -> None:
    agreement = {"agreement": {"enabled": True, "contexts": "retrieval", "views": 2}}
    room = {"max_prompt_length": 1500, "max_completion_length": 8}
    raw = _config(make_tiny_model(tmp_path / "model"), quiz, objective=agreement, generation=room)
    assert [view["made"] for view in _shown(client, raw, 7)["views"]] == [True, True, False, False]
    for index in (7, 0, 31):
        example = _trained(raw, tmp_path / f"run{index}", index)
        assert [view["text"] for view in _shown(client, raw, index)["views"]] == _texts(example)


@pytest.mark.parametrize("kind", ["cpu", "cuda"])
def test_memory_is_estimated_as_by_the_trainer(
    demo_model: Path, quiz: dict[str, Any], kind: str
) -> None:
    parts = {"teacher": {"weights": "ema"}}
    raw = _config(demo_model, quiz, **parts)
    raw["model"]["dtype"] = "bfloat16"
    config = RunConfig.model_validate(raw)
    shape = model_shape(demo_model, config.model.lora.target_modules)
    assert shape is not None
    device: Any = kind
    assert estimate_memory(config, shape, device, 2) == estimate(config, kind)

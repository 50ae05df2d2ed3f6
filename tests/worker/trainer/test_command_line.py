"""Every mistake ends with a message that names the thing and the remedy, and a status of 2."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
import torch
import yaml

from core.events import train_event_adapter
from tests.worker.trainer.tiny import make_records, make_tiny_model, tiny_config
from worker.trainer import loop, session
from worker.trainer.__main__ import main

ROOT = Path(__file__).parents[3]


@pytest.fixture
def config(tiny_model, records):
    return tiny_config(tiny_model, records)


def write(tmp_path: Path, config: object) -> Path:
    file = tmp_path / "given.yaml"
    file.write_text(config if isinstance(config, str) else yaml.safe_dump(config))
    return file


def run(tmp_path: Path, config: object) -> tuple[int, list]:
    """Status and events of a run in this process."""
    out = tmp_path / "out"
    status = main([str(write(tmp_path, config)), "--out", str(out)])
    lines = (out / "events.jsonl").read_text().splitlines()
    return status, [train_event_adapter.validate_json(line) for line in lines]


def refused(tmp_path, config, capsys, *, status=2):
    """Run, and return the problem of the last event; it must be on standard error too."""
    ended, events = run(tmp_path, config)
    assert ended == status
    last = events[-1]
    assert (last.kind, last.outcome) == ("finished", "failed")
    errors = capsys.readouterr().err
    assert last.problem.code in errors
    assert last.problem.remedy
    assert "Traceback" not in errors
    assert not (tmp_path / "out" / "adapter").exists()
    return last.problem


def changed(config: dict, path: str, value: object) -> dict:
    """A deep copy with one dotted field set."""
    copy = json.loads(json.dumps(config))
    part = copy
    *parents, last = path.split(".")
    for name in parents:
        part = part.setdefault(name, {})
    part[last] = value
    return copy


def test_unknown_field_with_a_suggestion(tmp_path, config, capsys):
    problem = refused(tmp_path, changed(config, "training.learning_rte", 1), capsys)
    assert problem.code == "config_invalid"
    assert problem.field == "training.learning_rte"
    assert "learning_rate" in problem.remedy


def test_every_mistake_is_told_at_once(tmp_path, config, capsys):
    broken = changed(changed(config, "training.batch_size", 0), "objective.alpha", "much")
    del broken["data"]
    status, events = run(tmp_path, broken)
    assert status == 2
    errors = capsys.readouterr().err
    for field in ("training.batch_size", "objective.alpha", "data"):
        assert f"[{field}]" in errors
    assert len([event for event in events if event.kind == "log"]) == 3
    assert [event.seq for event in events] == list(range(len(events)))


@pytest.mark.parametrize("text", ["- a list", "", "a: [unclosed", 'data: {path: "\\x00"}\x00'])
def test_a_file_that_is_no_configuration(tmp_path, text, capsys):
    problem = refused(tmp_path, text, capsys)
    assert problem.code in ("config_invalid", "config_unreadable")


def test_missing_configuration_file(tmp_path, capsys):
    status = main([str(tmp_path / "none.yaml"), "--out", str(tmp_path / "out")])
    assert status == 2
    assert "No such file" in capsys.readouterr().err


@pytest.mark.parametrize(
    "name", ["/nowhere/model", "no-such-org/no-such-model", "justaname", "../a/b/c"]
)
def test_unknown_model(tmp_path, config, capsys, name):
    problem = refused(tmp_path, changed(config, "model.name", name), capsys)
    assert problem.code == "model_not_found"
    assert problem.field == "model.name"
    assert name.rsplit("/", 1)[-1] in problem.message


def test_model_folder_without_weights(tmp_path, config, capsys, tiny_model):
    folder = Path(shutil.copytree(tiny_model, tmp_path / "bare"))
    (folder / "model.safetensors").unlink()
    problem = refused(tmp_path, changed(config, "model.name", str(folder)), capsys)
    assert problem.code == "model_invalid"
    assert "safetensors" in problem.message + problem.remedy


def test_model_with_damaged_weights(tmp_path, config, capsys, tiny_model):
    folder = Path(shutil.copytree(tiny_model, tmp_path / "damaged"))
    (folder / "model.safetensors").write_bytes(b"not safetensors")
    problem = refused(tmp_path, changed(config, "model.name", str(folder)), capsys)
    assert problem.code == "model_invalid"


def test_model_without_a_chat_template(tmp_path, config, capsys):
    folder = make_tiny_model(tmp_path / "bare", chat_template=None)
    problem = refused(tmp_path, changed(config, "model.name", str(folder)), capsys)
    assert problem.code == "chat_template_missing"


def test_chat_template_that_refuses_the_system_message(tmp_path, config, capsys):
    template = (
        "{% if messages[0]['role'] == 'system' %}{{ raise_exception('no system') }}{% endif %}"
    )
    folder = make_tiny_model(tmp_path / "strict", chat_template=template)
    strict = changed(changed(config, "model.name", str(folder)), "data.system_prompt", "Be brief.")
    problem = refused(tmp_path, strict, capsys)
    assert problem.code == "chat_template_failed"
    assert problem.field == "data.system_prompt"


@pytest.mark.parametrize("field", ["final_logit_softcapping", "logits_scaling"])
def test_models_that_change_their_logits_are_refused(tmp_path, config, capsys, tiny_model, field):
    folder = Path(shutil.copytree(tiny_model, tmp_path / "capped"))
    model_config = json.loads((folder / "config.json").read_text()) | {field: 30.0}
    (folder / "config.json").write_text(json.dumps(model_config))
    problem = refused(tmp_path, changed(config, "model.name", str(folder)), capsys)
    assert problem.code == "model_unsupported"
    assert field in problem.message


def test_unknown_adapter_targets(tmp_path, config, capsys):
    broken = changed(config, "model.lora.target_modules", ["q_proj", "c_attn"])
    problem = refused(tmp_path, broken, capsys)
    assert problem.code == "lora_targets_unknown"
    assert "c_attn" in problem.message
    assert "q_proj" in problem.remedy
    assert "lm_head" not in problem.remedy


def test_broken_line_37(tmp_path, config, capsys):
    lines = make_records(tmp_path / "data.jsonl", 40).read_text().splitlines()
    lines[36] = lines[36][:-5]
    (tmp_path / "data.jsonl").write_text("\n".join(lines))
    problem = refused(tmp_path, changed(config, "data.path", str(tmp_path / "data.jsonl")), capsys)
    assert (problem.code, problem.line) == ("data_invalid", 37)


def test_missing_data_file(tmp_path, config, capsys):
    problem = refused(tmp_path, changed(config, "data.path", "/nowhere.jsonl"), capsys)
    assert problem.code == "data_not_found"


def test_no_prompt_fits(tmp_path, config, capsys):
    problem = refused(tmp_path, changed(config, "generation.max_prompt_length", 50), capsys)
    assert problem.code == "prompt_too_long"
    assert problem.field == "generation.max_prompt_length"
    assert "line 1" in problem.message
    assert "at least" in problem.remedy


def test_nothing_left_to_train_on(tmp_path, config, capsys):
    problem = refused(tmp_path, changed(config, "evaluation.examples", 12), capsys)
    assert problem.code == "too_few_records"


def test_more_positions_than_the_model_has(tmp_path, config, capsys):
    long = changed(config, "generation.max_completion_length", 2000)
    assert refused(tmp_path, long, capsys).code == "context_too_long"


@pytest.mark.skipif(torch.cuda.is_available(), reason="there is a GPU")
def test_device_that_is_not_there(tmp_path, config, capsys):
    problem = refused(tmp_path, changed(config, "training.device", "cuda"), capsys)
    assert problem.code == "device_unavailable"
    assert "cpu" in problem.message


def test_loss_that_is_not_finite(tmp_path, config, capsys, monkeypatch):
    def explode(trainer: loop.Trainer, rate: float, *_: object) -> float:
        with torch.no_grad():
            for parameter in trainer.network.trainable():
                parameter.fill_(float("inf"))
        return rate

    monkeypatch.setattr(loop.Trainer, "_update", explode)
    problem = refused(tmp_path, config, capsys, status=1)
    assert problem.code == "loss_not_finite"
    assert problem.field == "training.learning_rate"
    (dump,) = tmp_path.rglob("failed-batch.json")
    kept = json.loads(dump.read_text())
    assert kept["step"] == 2
    assert "nan" in kept["tokens"]["divergence"]
    assert kept["sequences"][0]["student_prompt"]


def test_full_disk(tmp_path, config, capsys, monkeypatch):
    def full(*_arguments: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("worker.trainer.trajectories.write_atomically", full)
    problem = refused(tmp_path, config, capsys, status=1)
    assert problem.code == "disk_full"


def test_full_disk_under_the_log_itself(tmp_path, config, capsys, monkeypatch):
    def full(*_arguments: object) -> int:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("worker.trainer.event_log.os.write", full)
    assert main([str(write(tmp_path, config)), "--out", str(tmp_path / "out")]) == 1
    assert "disk_full" in capsys.readouterr().err


def test_a_bug_is_told_with_its_traceback(tmp_path, config, capsys, monkeypatch):
    def broken(*_arguments: object) -> None:
        raise ZeroDivisionError("surprise")

    monkeypatch.setattr(session, "load_network", broken)
    status, events = run(tmp_path, config)
    assert status == 1
    assert events[-1].problem.code == "internal_error"
    errors = capsys.readouterr().err
    assert "Traceback" in errors
    assert "surprise" in errors


def test_memory_that_ran_out(tmp_path, config, capsys, monkeypatch):
    def exhausted(*_arguments: object) -> None:
        raise torch.OutOfMemoryError("CUDA out of memory")

    monkeypatch.setattr(loop.Trainer, "train", exhausted)
    problem = refused(tmp_path, config, capsys, status=1)
    assert problem.code == "out_of_memory"


def test_a_folder_with_a_run_is_left_alone(tmp_path, config, capsys):
    out = tmp_path / "out"
    out.mkdir()
    (out / "events.jsonl").write_text("earlier\n")
    assert main([str(write(tmp_path, config)), "--out", str(out)]) == 2
    assert "out_not_empty" in capsys.readouterr().err
    assert (out / "events.jsonl").read_text() == "earlier\n"


def test_a_folder_that_cannot_be_written(tmp_path, config, capsys):
    (tmp_path / "file").write_text("")
    out = tmp_path / "file" / "out"
    assert main([str(write(tmp_path, config)), "--out", str(out)]) == 2
    assert "out_unwritable" in capsys.readouterr().err


def test_configuration_inside_the_output_folder(tmp_path, config):
    out = tmp_path / "out"
    out.mkdir()
    file = out / "run.yaml"
    file.write_text(yaml.safe_dump(config | {"training": config["training"] | {"max_steps": 1}}))
    assert main([str(file), "--out", str(out)]) == 0
    assert (out / "adapter" / "adapter_model.safetensors").is_file()


def test_progress_is_printed_unless_supervised(tmp_path, config, capsys):
    run(tmp_path, changed(config, "training.max_steps", 1))
    printed = capsys.readouterr().out
    assert "step 1/1  loss" in printed
    assert "frozen parameters" in printed


def test_check_reports_what_a_run_would_do(tmp_path, config, capsys):
    assert main(["check", str(write(tmp_path, config))]) == 0
    report = capsys.readouterr().out
    assert "12 records" in report
    assert "Steps: 3" in report


@pytest.mark.parametrize(
    ("field", "value", "code"),
    [
        ("model.lora.target_modules", ["nope"], "lora_targets_unknown"),
        ("generation.max_prompt_length", 50, "prompt_too_long"),
        ("data.path", "/nowhere.jsonl", "data_not_found"),
        ("model.name", "/nowhere", "model_not_found"),
        ("training.seed", -1, "config_invalid"),
    ],
)
def test_check_finds_mistakes(tmp_path, config, capsys, field, value, code):
    assert main(["check", str(write(tmp_path, changed(config, field, value)))]) == 2
    errors = capsys.readouterr().err
    assert f"error ({code}) [{field}]" in errors


def start(tmp_path: Path, config: object, *options: str, **popen: object) -> subprocess.Popen:
    command = [sys.executable, "-m", "worker.trainer", str(write(tmp_path, config))]
    return subprocess.Popen(
        [*command, "--out", str(tmp_path / "out"), *options],
        cwd=ROOT,
        env=os.environ | {"HF_HUB_OFFLINE": "1", "OMP_NUM_THREADS": "1"},
        text=True,
        **popen,
    )


def wait_for(file: Path, text: str, process: subprocess.Popen) -> None:
    deadline = time.monotonic() + 60
    while not (file.exists() and text in file.read_text()):
        assert process.poll() is None, "the trainer ended early"
        assert time.monotonic() < deadline, f"{text} did not come"
        time.sleep(0.02)


def endless(config: dict) -> dict:
    return changed(config, "training.max_steps", 100_000)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_stops_at_the_step_and_saves(tmp_path, config, number):
    process = start(tmp_path, endless(config), stdout=subprocess.PIPE)
    log = tmp_path / "out" / "events.jsonl"
    try:
        wait_for(log, '"step":2,', process)
        process.send_signal(number)
        process.communicate(timeout=30)
    finally:
        process.kill()
    assert process.returncode == 0
    events = [train_event_adapter.validate_json(line) for line in log.read_text().splitlines()]
    assert events[-1].outcome == "stopped"
    assert [event.seq for event in events] == list(range(len(events)))
    assert (tmp_path / "out" / "adapter" / "adapter_model.safetensors").is_file()
    last_step = max(event.step for event in events if event.kind == "metrics")
    assert (
        f"Optimizer steps: {last_step} of 100000"
        in (tmp_path / "out" / "adapter" / "README.md").read_text()
    )


def test_a_signal_while_starting_stops_without_an_adapter(tmp_path, config):
    process = start(tmp_path, config, stdout=subprocess.PIPE)
    log = tmp_path / "out" / "events.jsonl"
    try:
        while not log.exists():
            assert process.poll() is None
            time.sleep(0.005)
        process.terminate()
        process.communicate(timeout=60)
    finally:
        process.kill()
    assert process.returncode == 0
    events = [train_event_adapter.validate_json(line) for line in log.read_text().splitlines()]
    assert events[-1].outcome == "stopped"
    assert not (tmp_path / "out" / "adapter").exists()


def test_the_end_of_the_supervisor_ends_the_trainer_at_once(tmp_path, config):
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    process = start(tmp_path, endless(config), "--supervised", **pipes)
    try:
        wait_for(tmp_path / "out" / "events.jsonl", '"step":1,', process)
        process.stdin.close()
        assert process.wait(timeout=10) == 75
        assert process.stdout.read() == ""
    finally:
        process.kill()
        process.stdout.close()
        process.stderr.close()
    assert '"finished"' not in (tmp_path / "out" / "events.jsonl").read_text()

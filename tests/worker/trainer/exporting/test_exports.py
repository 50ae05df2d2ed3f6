"""Exports of a tiny run, of each kind, loaded as anybody would."""

from __future__ import annotations

import hashlib
import json
import shutil
import warnings
import zlib
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import torch
import yaml
from peft import PeftModel
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file
from transformers import AutoModelForCausalLM, AutoTokenizer, LlamaForCausalLM

from core.errors import Problem
from core.events import ExportEvent, train_event_adapter
from core.export_job import ExportJob
from tests.hub import Hub, serving_hub
from tests.worker.trainer.tiny import tiny_config
from worker.child import Trainer
from worker.trainer.__main__ import main
from worker.trainer.exporting import check, job

CONVERTER = Path(__file__).with_name("convert_hf_to_gguf.py")
TOKEN = "hf_very-secret-Token"


@pytest.fixture(scope="module")
def trained(tiny_model: Path, records: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A tiny run with an EMA teacher and a checkpoint, so trained that it differs from its base."""
    folder = tmp_path_factory.mktemp("trained")
    (folder / "run.yaml").write_text(yaml.safe_dump(_config(tiny_model, records)))
    assert main([str(folder / "run.yaml"), "--out", str(folder / "out")]) == 0
    return folder / "out"


def _config(model: Path, records: Path) -> dict[str, Any]:
    return tiny_config(
        model,
        records,
        training={"max_steps": 4, "learning_rate": 0.1, "checkpoint_every_steps": 2},
        teacher={"weights": "ema", "ema": {"decay": 0.5, "every_steps": 1}},
    )


@pytest.fixture
def wanted(tiny_model: Path, records: Path, trained: Path) -> dict[str, Any]:
    """An export as the studio would ask for it; its kind is to be added."""
    config = _config(tiny_model, records)
    return {
        "adapter": str(trained / "adapter"),
        "model": config["model"],
        "config": config,
        "facts": {
            "run": "Tiny one",
            "step": 4,
            "data_sha256": "d" * 64,
            "metrics": {"train/loss": 0.125},
            "evaluations": {"own": {"accuracy": 0.5}},
        },
        "prompt": "What is 2 + 3?",
        "device": "cpu",
    }


def export(folder: Path, wanted: dict[str, Any], kind: str, **more: Any) -> ExportEvent:
    """Make it in this process; returns what it told."""
    given = wanted | {"kind": kind, "content": kind} | more
    (folder / "job.yaml").write_text(yaml.safe_dump(given))
    assert main(["export", str(folder / "job.yaml"), "--out", str(folder / "out")]) == 0
    return told(folder / "out")


def told(out: Path) -> ExportEvent:
    (found,) = [one for one in events(out) if isinstance(one, ExportEvent)]
    return found


def events(out: Path) -> list[Any]:
    lines = (out / "events.jsonl").read_text().splitlines()
    return [train_event_adapter.validate_json(line) for line in lines]


def with_adapter(base: Any, folder: Path) -> Any:
    with warnings.catch_warnings():
        # peft asks for an attribute that transformers renames.
        warnings.simplefilter("ignore", FutureWarning)
        return PeftModel.from_pretrained(base, folder)


def answer(model: Any, tokenizer: Any) -> list[int]:
    """A greedy answer by transformers' own way."""
    text = tokenizer.apply_chat_template(
        [{"role": "user", "content": "What is 2 + 3?"}], tokenize=False, add_generation_prompt=True
    )
    ids = tokenizer(text, add_special_tokens=False, return_tensors="pt")
    made = model.generate(**ids, do_sample=False, max_new_tokens=8, pad_token_id=2)
    return list(made[0, ids["input_ids"].shape[1] :])


def assert_whole(out: Path, event: ExportEvent) -> Path:
    """The files are those that were told of; nothing else is left."""
    folder = out / (event.path or "")
    there = {
        str(one.relative_to(folder)): one.read_bytes() for one in folder.rglob("*") if one.is_file()
    }
    assert {one.path: one.bytes for one in event.files} == {
        path: len(content) for path, content in there.items()
    }
    for one in event.files:
        assert one.sha256 == hashlib.sha256(there[one.path]).hexdigest()
        assert one.crc32 == zlib.crc32(there[one.path])
    assert not list(out.glob(".*"))
    return folder


@pytest.mark.parametrize("kind", ["adapter", "ema_adapter"])
def test_an_adapter_loads_with_peft_and_answers_alike(
    tmp_path: Path, wanted: dict[str, Any], trained: Path, tiny_model: Path, kind: str
) -> None:
    source = trained / kind
    weights = "ema" if kind == "ema_adapter" else "student"
    event = export(tmp_path, wanted, kind, adapter=str(source), weights=weights)
    folder = assert_whole(tmp_path / "out", event)
    assert event.check.passed
    assert event.check.same_tokens == event.check.tokens
    assert event.check.base_difference > 0.05  # else the check would say nothing
    assert event.check.mean_difference < 1e-4
    tokenizer = AutoTokenizer.from_pretrained(tiny_model)
    answers = []
    for adapter in (folder, source):
        base = AutoModelForCausalLM.from_pretrained(tiny_model, dtype=torch.float32)
        answers.append(answer(with_adapter(base, adapter), tokenizer))
    assert answers[0] == answers[1]
    card = (folder / "README.md").read_text()
    front = yaml.safe_load(card.split("---")[1])
    assert front["library_name"] == "peft"
    for part in ("Tiny one", "d" * 64, "`train/loss`: 0.125", "accuracy 0.5", "learning_rate: 0.1"):
        assert part in card


def test_a_checkpoints_weights_are_exported(
    tmp_path: Path, wanted: dict[str, Any], trained: Path, tiny_model: Path
) -> None:
    source = trained / "checkpoints" / "step-00000002"
    event = export(tmp_path, wanted, "adapter", adapter=str(source), checkpoint=2)
    last = export_of_adapter(tmp_path / "last", wanted)
    assert event.check.passed
    hashes = [
        next(file.sha256 for file in one.files if file.path == "adapter_model.safetensors")
        for one in (event, last)
    ]
    assert hashes[0] != hashes[1]


def export_of_adapter(folder: Path, wanted: dict[str, Any]) -> ExportEvent:
    folder.mkdir()
    return export(folder, wanted, "adapter")


def test_a_merged_model_loads_with_transformers_alone(
    tmp_path: Path, wanted: dict[str, Any], trained: Path, tiny_model: Path
) -> None:
    event = export(tmp_path, wanted, "merged")
    folder = assert_whole(tmp_path / "out", event)
    assert event.check.passed
    assert event.check.loaded_with == "transformers"
    assert event.check.mean_difference < 1e-4  # float32 throughout
    tokenizer = AutoTokenizer.from_pretrained(folder)
    assert tokenizer.chat_template
    base = AutoModelForCausalLM.from_pretrained(tiny_model, dtype=torch.float32)
    original = answer(with_adapter(base, trained / "adapter"), tokenizer)
    assert answer(AutoModelForCausalLM.from_pretrained(folder), tokenizer) == original
    names = [file.path for file in event.files]
    assert "model.safetensors" in names
    assert not [name for name in names if name.endswith((".bin", ".pt"))]
    phases = [one for one in events(tmp_path / "out") if one.kind == "phase"]
    assert {one.phase for one in phases} == {"loading", "exporting", "checking"}
    written = [one for one in phases if one.detail == "Writing the merged model"]
    assert (written[0].current, written[-1].current) == (0, written[-1].total)


def test_a_base_in_bfloat16_stays_so_and_keeps_the_update(
    tmp_path: Path, wanted: dict[str, Any], trained: Path, tiny_model: Path, records: Path
) -> None:
    rounded = tmp_path / "bf16"
    AutoModelForCausalLM.from_pretrained(tiny_model, dtype=torch.bfloat16).save_pretrained(rounded)
    for file in tiny_model.glob("token*"):
        shutil.copy(file, rounded)
    shutil.copy(tiny_model / "chat_template.jinja", rounded)
    (rounded / "README.md").write_text("---\nlicense: apache-2.0\n---\n# Base\n")
    model = {**wanted["model"], "name": str(rounded)}
    event = export(tmp_path, wanted | {"model": model}, "merged")
    folder = assert_whole(tmp_path / "out", event)
    loaded = AutoModelForCausalLM.from_pretrained(folder)
    assert loaded.dtype == torch.bfloat16
    assert event.check.passed
    assert event.check.mean_difference < event.check.base_difference / 4
    assert event.check.tolerance == 0.05
    assert event.licence == "apache-2.0"
    assert yaml.safe_load((folder / "README.md").read_text().split("---")[1])["license"] == (
        "apache-2.0"
    )


def test_a_gguf_file_answers_alike(
    tmp_path: Path, wanted: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("UNISD_GGUF_CONVERTER", str(CONVERTER))
    event = export(tmp_path, wanted, "gguf", gguf_type="f32")
    folder = assert_whole(tmp_path / "out", event)
    (file,) = folder.glob("*.gguf")
    assert file.read_bytes()[:4] == b"GGUF"
    assert event.check.passed
    assert event.check.same_tokens == event.check.tokens


def test_without_a_converter_it_says_how_to_get_one(
    tmp_path: Path,
    wanted: dict[str, Any],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setenv("UNISD_GGUF_CONVERTER", str(tmp_path / "nowhere"))
    (tmp_path / "job.yaml").write_text(yaml.safe_dump(wanted | {"kind": "gguf", "content": "gguf"}))
    assert main(["export", str(tmp_path / "job.yaml"), "--out", str(tmp_path / "out")]) == 2
    assert "UNISD_GGUF_CONVERTER" in capsys.readouterr().err
    assert {one.name for one in (tmp_path / "out").iterdir()} == {"events.jsonl", "export.yaml"}


def test_files_that_answer_otherwise_are_not_kept(
    tmp_path: Path, wanted: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(original: Any, *_: Any) -> Any:
        with torch.no_grad():
            for factor in original.network.factors("default").values():
                factor.mul_(1.5)
        return job_write(original, *_)

    job_write = job.write_files
    monkeypatch.setattr(job, "write_files", broken)
    given = wanted | {"kind": "adapter", "content": "adapter"}
    (tmp_path / "job.yaml").write_text(yaml.safe_dump(given))
    assert main(["export", str(tmp_path / "job.yaml"), "--out", str(tmp_path / "out")]) == 1
    found = told(tmp_path / "out")
    assert not found.check.passed
    assert "log-probabilities differ" in found.check.reason
    assert events(tmp_path / "out")[-1].problem.code == "export_check_failed"
    assert {one.name for one in (tmp_path / "out").iterdir()} == {"events.jsonl", "export.yaml"}


def refused(folder: Path, wanted: dict[str, Any], kind: str) -> Problem:
    """Make it, which fails; nothing of it is left."""
    (folder / "job.yaml").write_text(yaml.safe_dump(wanted | {"kind": kind, "content": kind}))
    assert main(["export", str(folder / "job.yaml"), "--out", str(folder / "out")]) == 1
    assert {one.name for one in (folder / "out").iterdir()} == {"events.jsonl", "export.yaml"}
    problem = events(folder / "out")[-1].problem
    assert problem is not None
    return problem


def test_a_full_disk_is_told_before_and_while_it_fills(
    tmp_path: Path, wanted: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object, **__: object) -> None:
        # As safetensors says it: its error is no OSError.
        raise SafetensorError("Error while serializing: I/O error: No space left (os error 28)")

    with monkeypatch.context() as patch:
        patch.setattr(LlamaForCausalLM, "save_pretrained", full)
        (tmp_path / "while").mkdir()
        assert refused(tmp_path / "while", wanted, "merged").code == "disk_full"
    (tmp_path / "before").mkdir()
    monkeypatch.setattr(shutil, "disk_usage", lambda _: SimpleNamespace(free=1000))
    problem = refused(tmp_path / "before", wanted, "merged")
    assert problem.code == "disk_full"
    assert "0.00 GB left" in problem.message


def test_weights_that_are_not_finite_are_told(
    tmp_path: Path, wanted: dict[str, Any], trained: Path
) -> None:
    source = shutil.copytree(trained / "adapter", tmp_path / "diverged")
    file = source / "adapter_model.safetensors"
    save_file({name: one * torch.nan for name, one in load_file(file).items()}, file)
    problem = refused(tmp_path, wanted | {"adapter": str(source)}, "adapter")
    assert problem.code == "weights_not_finite"


def test_tolerances_are_as_told(wanted: dict[str, Any]) -> None:
    def allowed(content: str, stored: torch.dtype, gguf: str = "f16") -> float:
        given = wanted | {"kind": content, "content": content, "gguf_type": gguf}
        return check.tolerance(ExportJob.model_validate(given), torch.float32, stored)

    assert allowed("adapter", torch.float32) == 1e-3
    assert allowed("merged", torch.float32) == 1e-3
    assert allowed("merged", torch.bfloat16) == 0.05
    assert allowed("gguf", torch.float16) == 0.05
    assert allowed("gguf", torch.float16, "q8_0") == 0.2


@pytest.fixture
def hub(monkeypatch: pytest.MonkeyPatch) -> Any:
    with serving_hub(TOKEN) as running:
        for name, value in (
            ("HF_ENDPOINT", running.url),
            ("HF_HUB_OFFLINE", "0"),
            ("HF_HUB_DISABLE_XET", "1"),
            ("NO_PROXY", "127.0.0.1"),
            ("no_proxy", "127.0.0.1"),
        ):
            monkeypatch.setenv(name, value)
        yield running


def push(folder: Path, wanted: dict[str, Any], token: str) -> list[Any]:
    """Push from a child process, as a worker does; returns its events."""
    target = {"repository": "me/tiny", "private": True, "branch": "main"}
    given = wanted | {"kind": "hub", "content": "adapter", "hub": target}
    out = folder / "out"
    out.mkdir(parents=True)
    (out / "run.yaml").write_text(yaml.safe_dump(given))
    child = Trainer(["export", str(out / "run.yaml"), "--out", str(out)], out, token)
    child.wait(120)
    assert child.exit_code() is not None
    child.close()
    return events(out)


def test_a_push_puts_the_checked_files_on_the_hub_and_keeps_none(
    tmp_path: Path, wanted: dict[str, Any], hub: Hub, tiny_model: Path
) -> None:
    found = push(tmp_path, wanted, TOKEN)
    assert found[-1].outcome == "succeeded", (tmp_path / "out" / "trainer.log").read_text()
    event = told(tmp_path / "out")
    assert event.check.passed
    assert event.path is None
    assert (event.url or "").startswith(f"{hub.url}/me/tiny/commit/")
    files = hub.repositories["me/tiny"]
    assert hub.private["me/tiny"]
    assert len(hub.commits) == 1
    assert {one.path: one.sha256 for one in event.files} == {
        path: hashlib.sha256(content).hexdigest() for path, content in files.items()
    }
    assert not [one for one in (tmp_path / "out").rglob("*") if one.suffix == ".safetensors"]
    # What was pushed is what loads.
    folder = tmp_path / "pulled"
    folder.mkdir()
    for path, content in files.items():
        (folder / path).write_bytes(content)
    base = AutoModelForCausalLM.from_pretrained(tiny_model, dtype=torch.float32)
    with_adapter(base, folder)
    for path in (tmp_path / "out").rglob("*"):
        assert not path.is_file() or TOKEN.encode() not in path.read_bytes()


def test_a_refused_token_is_told_without_showing_it(
    tmp_path: Path, wanted: dict[str, Any], hub: Hub
) -> None:
    found = push(tmp_path, wanted, "hf_wrong-Token")
    problem = found[-1].problem
    assert problem.code == "hub_refused"
    assert "does not know the token" in problem.message
    assert not hub.repositories
    everything = b"".join(
        path.read_bytes() for path in (tmp_path / "out").rglob("*") if path.is_file()
    )
    assert b"wrong-Token" not in everything
    assert json.dumps([one.model_dump(mode="json") for one in found]).count("wrong-Token") == 0

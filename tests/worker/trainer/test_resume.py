"""Killed at some step and resumed: the same losses and the same adapter, bit for bit."""

from __future__ import annotations

import json
import os
import random
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
import torch
import yaml
from safetensors import SafetensorError
from safetensors.torch import load_file

from core.errors import StudioError
from core.validation import parse_config
from tests.worker.trainer.test_training import events, losses, of_kind, train
from tests.worker.trainer.tiny import tiny_config
from worker.trainer import checkpoint
from worker.trainer.__main__ import main
from worker.trainer.checkpoint import FOLDER, MANIFEST, find_snapshot

STEPS = 8


@pytest.fixture(scope="module")
def config(tiny_model, records):
    made = tiny_config(
        tiny_model,
        records,
        training={"max_steps": STEPS, "checkpoint_every_steps": 2, "keep_checkpoints": 2},
        teacher={"weights": "ema", "ema": {"every_steps": 3}},
        objective={
            "feature_matching": True,
            "clipping": {"quantile": 0.9},
            "agreement": True,
        },
        evaluation={"examples": 2, "every_steps": 4},
    )
    made["model"]["lora"]["dropout"] = 0.2
    return made


@pytest.fixture(scope="module")
def whole(tmp_path_factory, config):
    return train(tmp_path_factory.mktemp("whole"), config)


def resume(folder: Path, config: dict, earlier: Path) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    file = folder / "given.yaml"
    file.write_text(yaml.safe_dump(config))
    assert main([str(file), "--out", str(folder / "out"), "--resume", str(earlier)]) == 0
    return folder / "out"


def assert_same_adapters(one: Path, other: Path) -> None:
    for name in ("adapter", "ema_adapter"):
        ours, theirs = (load_file(out / name / "adapter_model.safetensors") for out in (one, other))
        assert set(ours) == set(theirs)
        assert all(torch.equal(ours[key], theirs[key]) for key in ours)


def kill_after(folder: Path, config: dict, lines: int) -> Path:
    """Run as a process of its own and kill it when it has written so many events."""
    folder.mkdir(parents=True)
    file, out = folder / "given.yaml", folder / "out"
    file.write_text(yaml.safe_dump(config))
    log = out / "events.jsonl"
    with subprocess.Popen(
        [sys.executable, "-m", "worker.trainer", str(file), "--out", str(out)],
        stdout=subprocess.DEVNULL,
        env={**os.environ, "OMP_NUM_THREADS": "1"},
    ) as process:
        while process.poll() is None:
            if log.exists() and log.read_bytes().count(b"\n") >= lines:
                process.send_signal(signal.SIGKILL)
                break
            time.sleep(0.005)
    return out


def test_killed_at_a_random_step_and_resumed(tmp_path, config, whole):
    # One thread in both: sums that are split otherwise differ in the last bit.
    torch.set_num_threads(1)
    lines = [event.kind for event in events(whole)]
    metrics = [index for index, kind in enumerate(lines) if kind == "metrics"]
    cut = random.choice(metrics[4:-2]) + random.randrange(3)
    killed = kill_after(tmp_path / "killed", config, cut)
    assert not (killed / "adapter").exists()
    resumed = resume(tmp_path / "resumed", config, killed)
    (said,) = [e.message for e in of_kind(resumed, "log") if e.message.startswith("Resumed")]
    assert "exactly" in said
    done = STEPS - len(losses(resumed))
    assert done in (2, 4, 6)
    assert losses(resumed) == losses(whole)[done:]
    assert losses(killed)[:done] == losses(whole)[:done]
    assert_same_adapters(resumed, whole)


def test_a_stopped_run_resumes_from_its_last_checkpoint(tmp_path, config, whole):
    """The checkpoint of the finished run's step 6 leads to the same end."""
    resumed = resume(tmp_path, config, whole)
    assert losses(resumed) == []  # its newest checkpoint is that of the last step
    assert_same_adapters(resumed, whole)


def test_only_the_newest_checkpoints_are_kept(whole):
    assert sorted(folder.name for folder in (whole / FOLDER).iterdir()) == [
        "step-00000006",
        "step-00000008",
    ]
    found = find_snapshot(whole)
    assert set(found.snapshot.tensors) == {"student", "ema", "optimizer", "random"}
    assert found.snapshot.state["data_position"] == STEPS * 4
    assert found.snapshot.state["metric_cursor"] == STEPS


@pytest.fixture
def copy(tmp_path, whole):
    return Path(shutil.copytree(whole, tmp_path / "copy"))


@pytest.mark.parametrize("file", ["student.safetensors", "state.json", MANIFEST])
@pytest.mark.parametrize("damage", ["flipped", "cut", "gone"])
def test_a_damaged_checkpoint_is_found_out_and_the_one_before_used(copy, file, damage):
    path = copy / FOLDER / "step-00000008" / file
    content = bytearray(path.read_bytes())
    if damage == "flipped":
        content[len(content) // 2] ^= 0xFF
        path.write_bytes(bytes(content))
    elif damage == "cut":
        path.write_bytes(bytes(content[: len(content) // 2]))
    else:
        path.unlink()
    found = find_snapshot(copy)
    assert found.folder.name == "step-00000006"
    assert list(found.damaged) == ["step-00000008"]


def test_the_run_says_which_checkpoint_it_passed_over(tmp_path, config, copy, whole):
    (copy / FOLDER / "step-00000008" / "ema.safetensors").write_bytes(b"no")
    resumed = resume(tmp_path / "again", config, copy)
    told = [event.message for event in of_kind(resumed, "log") if event.level == "error"]
    assert any("step-00000008 is damaged" in message for message in told)
    assert losses(resumed) == losses(whole)[6:]
    assert_same_adapters(resumed, whole)


def test_no_checkpoint_and_none_that_is_whole(tmp_path, copy):
    with pytest.raises(StudioError) as caught:
        find_snapshot(tmp_path / "nothing")
    assert caught.value.problem.code == "checkpoint_not_found"
    for folder in (copy / FOLDER).iterdir():
        (folder / "student.safetensors").unlink()
    with pytest.raises(StudioError) as caught:
        find_snapshot(copy)
    assert caught.value.problem.code == "checkpoint_damaged"


def test_a_checkpoint_of_another_configuration_is_refused(tmp_path, config, whole):
    other = json.loads(json.dumps(config))
    other["training"]["learning_rate"] = 0.5
    file = tmp_path / "given.yaml"
    file.write_text(yaml.safe_dump(other))
    assert main([str(file), "--out", str(tmp_path / "out"), "--resume", str(whole)]) == 2
    (finished,) = of_kind(tmp_path / "out", "finished")
    assert finished.problem.code == "checkpoint_of_another_run"


def test_what_a_checkpoint_of_an_earlier_version_did_not_know_has_its_default(config):
    from worker.trainer.session import _comparable, _completed

    defaults = _comparable(parse_config({"data": config["data"]}))
    now = _comparable(parse_config(config))
    before = json.loads(json.dumps(now))
    del before["training"]["devices"], before["generation"]["top_k"], before["model"]["revision"]
    assert _completed(before, defaults) == now
    other = _comparable(parse_config({**config, "generation": {"top_k": 5}}))
    assert _completed(before, defaults) != other


def test_the_data_may_lie_elsewhere_but_must_be_the_same(tmp_path, config, copy, whole):
    for step in (copy / FOLDER).glob("step-*0008"):
        shutil.rmtree(step)
    moved = json.loads(json.dumps(config))
    elsewhere = Path(shutil.copy(config["data"]["path"], tmp_path / "moved.jsonl"))
    moved["data"]["path"] = str(elsewhere)
    out = resume(tmp_path, moved, copy)
    assert losses(out) == losses(whole)[6:]
    assert_same_adapters(out, whole)
    elsewhere.write_text(elsewhere.read_text() + elsewhere.read_text().splitlines()[0] + "\n")
    given = tmp_path / "given.yaml"
    assert main([str(given), "--out", str(tmp_path / "other"), "--resume", str(copy)]) == 2


def test_an_unfinished_checkpoint_is_never_seen(tmp_path, config, monkeypatch):
    """Cut off in the middle of writing: only a temporary folder is left."""
    from worker.trainer import checkpoint

    def explode(*_: object, **__: object) -> None:
        # As safetensors says it: its error is no OSError.
        raise SafetensorError("Error while serializing: I/O error: No space left (os error 28)")

    monkeypatch.setattr(checkpoint, "save_file", explode)
    out = train(tmp_path, config, status=1)
    (finished,) = of_kind(out, "finished")
    assert finished.problem.code == "disk_full"
    assert [path.name for path in (out / FOLDER).iterdir()] == []


def test_a_checkpoint_is_found_though_a_trainer_that_was_cut_off_replaces_it(
    tmp_path, whole, monkeypatch
):
    copy = shutil.copytree(whole / FOLDER, tmp_path / "run" / FOLDER).parent
    read = checkpoint._load

    def replaced_meanwhile(folder: Path):
        newest = folder.with_name("step-00000099")
        if newest.exists():
            return read(folder)
        folder.rename(newest)
        for old in copy.glob(f"{FOLDER}/step-*"):
            if old != newest:
                shutil.rmtree(old)
        return read(folder)

    monkeypatch.setattr(checkpoint, "_load", replaced_meanwhile)
    found = find_snapshot(copy)
    assert (found.folder.name, found.damaged) == ("step-00000099", {})

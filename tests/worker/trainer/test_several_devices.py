"""Two processes on the CPU train together, stop together, die together and resume exactly."""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest
import yaml

from tests.worker.trainer.test_training import losses, of_kind, train
from tests.worker.trainer.tiny import tiny_config
from worker.child import Trainer
from worker.trainer.checkpoint import find_snapshot
from worker.trainer.interrupt import ORPHANED
from worker.trainer.processes import TIMEOUT_VARIABLE

PATIENCE = 90.0
ENDED_SECONDS = 10.0
"""What the others get to end after one has died; they take about one."""


@pytest.fixture(autouse=True)
def one_thread(monkeypatch):
    monkeypatch.setenv("OMP_NUM_THREADS", "1")


STEPS = 12


@pytest.fixture(scope="module")
def config(tiny_model, records):
    """Everything in which the processes depend on each other or draw random numbers."""
    made = tiny_config(
        tiny_model,
        records,
        training={
            "devices": 2,
            "max_steps": 400,
            "checkpoint_every_steps": 3,
            # The rate does not depend on the number of steps.
            "schedule": "constant",
            "warmup_ratio": 0.0,
        },
        teacher={"weights": "ema", "ema": {"every_steps": 2}},
        objective={"agreement": True, "feature_matching": True, "clipping": {"quantile": 0.9}},
        evaluation={"examples": 2, "every_steps": 5},
    )
    made["model"]["lora"]["dropout"] = 0.2
    return made


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory, config):
    """Two processes, until they are asked to stop."""
    run = Run(tmp_path_factory.mktemp("undisturbed") / "run", config)
    run.wait_for_steps(STEPS)
    run.trainer.stop()
    assert run.end(PATIENCE) == 0, run.trainer.last_words()
    return run.out


class Run:
    """A supervised run under way."""

    def __init__(self, folder: Path, config: dict, resume: Path | None = None) -> None:
        folder.mkdir(parents=True)
        self.out = folder
        file = folder / "given.yaml"
        file.write_text(yaml.safe_dump(config))
        command = [str(file), "--out", str(folder)]
        self.trainer = Trainer(command + (["--resume", str(resume)] if resume else []), folder)
        self.ranks: dict[int, psutil.Process] = {}

    def wait_for_steps(self, count: int) -> None:
        self._wait(lambda: self._steps() >= count, f"{count} steps")
        family = psutil.Process(self.trainer.pid).children(recursive=True)
        self.ranks = {int(one.environ()["RANK"]): one for one in family}
        assert sorted(self.ranks) == [0, 1]

    def end(self, seconds: float = ENDED_SECONDS) -> int:
        """The exit code, when nothing of the run is left."""
        begun = time.monotonic()
        self.trainer.wait(seconds)
        _, left = psutil.wait_procs(self.ranks.values(), seconds - (time.monotonic() - begun))
        code = self.trainer.exit_code()
        self.trainer.close()
        assert code is not None
        assert not left
        return code

    def _steps(self) -> int:
        log = self.out / "events.jsonl"
        return log.read_bytes().count(b'"train/loss"') if log.exists() else 0

    def _wait(self, condition, what: str) -> None:
        deadline = time.monotonic() + PATIENCE
        while time.monotonic() < deadline:
            if condition():
                return
            assert self.trainer.exit_code() is None, self.trainer.last_words()
            time.sleep(0.02)
        raise AssertionError(f"waited in vain for {what}: {self.trainer.last_words()}")


def test_asked_to_stop_all_stop_after_the_same_step(undisturbed):
    (finished,) = of_kind(undisturbed, "finished")
    assert finished.outcome == "stopped"
    assert (undisturbed / "adapter").is_dir()
    # One that had gone on would have left the one that writes waiting.
    kept = sorted(path.name for path in (undisturbed / "checkpoints").iterdir())
    assert kept[-1] == f"step-{len(losses(undisturbed)):08d}"


def test_two_processes_give_the_losses_of_one(tmp_path, config, undisturbed):
    """On the same global batch: half the devices, twice the passes."""
    one = config | {"training": config["training"] | {"devices": 1, "max_steps": 5}}
    one["training"]["gradient_accumulation_steps"] *= 2
    alone = train(tmp_path, one)
    assert losses(undisturbed)[:5] == pytest.approx(losses(alone), rel=1e-5)
    ours, theirs = (
        next(event.values for event in of_kind(out, "metrics") if event.step == 5)
        for out in (undisturbed, alone)
    )
    for name in theirs:
        if name.startswith("train/"):
            assert ours[name] == pytest.approx(theirs[name], rel=1e-3, abs=1e-6), name


def test_one_killed_the_others_end_and_the_run_resumes_exactly(tmp_path, config, undisturbed):
    killed = Run(tmp_path / "killed", config)
    killed.wait_for_steps(5)
    killed.ranks[1].kill()
    assert killed.end() == -signal.SIGKILL
    assert "Process 1 of 2 was killed by SIGKILL" in killed.trainer.last_words()
    assert not of_kind(killed.out, "finished")  # and every line is whole
    done = find_snapshot(killed.out).snapshot.state["metric_cursor"]
    assert done >= 3

    resumed = Run(tmp_path / "resumed", config, killed.out)
    resumed.wait_for_steps(STEPS - done)
    resumed.trainer._process.stdin.close()  # as when the supervisor dies
    assert resumed.end() == ORPHANED
    assert losses(resumed.out)[: STEPS - done] == losses(undisturbed)[done:STEPS]
    (said,) = [e.message for e in of_kind(resumed.out, "log") if e.message.startswith("Resumed")]
    assert "exactly" in said


def test_a_checkpoint_holds_the_random_states_of_all(undisturbed):
    states = find_snapshot(undisturbed).snapshot.tensors["random"]
    assert {"cpu", "cpu@1"} <= set(states)


def test_other_devices_than_asked_for_are_refused(tmp_path, config, monkeypatch):
    """As when somebody's own launcher starts another number of processes."""
    monkeypatch.setenv("RANK", "0")
    out = train(tmp_path, config, status=2)
    (finished,) = of_kind(out, "finished")
    assert finished.problem.code == "devices_mismatch"
    assert finished.problem.field == "training.devices"


def test_more_devices_than_the_host_has_are_refused(monkeypatch):
    import torch

    from core.errors import StudioError
    from worker.trainer.device import check_count

    check_count(8, torch.device("cpu"))
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 2)
    check_count(2, torch.device("cuda"))
    with pytest.raises(StudioError) as caught:
        check_count(3, torch.device("cuda"))
    assert caught.value.problem.code == "too_few_devices"
    assert caught.value.problem.field == "training.devices"


@pytest.mark.full
def test_asked_to_stop_before_the_first_step(tmp_path, config):
    run = Run(tmp_path / "run", config)
    run._wait((run.out / "events.jsonl").exists, "the first event")
    run.trainer.stop()
    assert run.end(PATIENCE) == 0, run.trainer.last_words()
    assert of_kind(run.out, "finished")[0].outcome == "stopped"


@pytest.mark.full
def test_a_killed_group_leaves_nothing_behind(tmp_path, config):
    run = Run(tmp_path / "run", config)
    run.wait_for_steps(2)
    run.trainer.kill()
    assert run.end() == -signal.SIGKILL


@pytest.mark.full
def test_the_leading_process_killed(tmp_path, config):
    run = Run(tmp_path / "run", config)
    run.wait_for_steps(2)
    run.ranks[0].kill()
    assert run.end() == -signal.SIGKILL
    assert not of_kind(run.out, "finished")


@pytest.mark.full
def test_one_that_does_not_answer_is_told(tmp_path, config, monkeypatch):
    monkeypatch.setenv(TIMEOUT_VARIABLE, "4")
    run = Run(tmp_path / "run", config)
    run.wait_for_steps(2)
    run.ranks[1].suspend()
    assert run.end(60) == 1
    (finished,) = of_kind(run.out, "finished")
    assert finished.problem.code == "process_unresponsive"


@pytest.mark.full
def test_at_a_terminal_events_are_printed_once(tmp_path, config):
    file = tmp_path / "run.yaml"
    short = config | {"training": config["training"] | {"max_steps": 2}}
    file.write_text(yaml.safe_dump(short))
    command = [sys.executable, "-m", "worker.trainer", str(file), "--out", str(tmp_path / "out")]
    done = subprocess.run(command, capture_output=True, text=True, timeout=PATIENCE)
    assert done.returncode == 0, done.stderr
    assert done.stdout.count("step 2/2") == 1
    again = subprocess.run(command, capture_output=True, text=True, timeout=PATIENCE)
    assert again.returncode == 2
    assert "out_not_empty" in again.stderr

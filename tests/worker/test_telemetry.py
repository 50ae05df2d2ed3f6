from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.worker.driver import MIB, FakeDriver, FakeGpu
from worker import telemetry


@pytest.fixture
def stranger() -> Iterator[int]:
    """A process that none of our workers started, as far as its parents tell."""
    # Nobody must wait for the sleeper's end of the pipe.
    script = """
import subprocess
print(subprocess.Popen(["sleep", "60"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL).pid)
"""
    parent = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, check=True, text=True
    )
    pid = int(parent.stdout)
    yield pid
    os.kill(pid, 9)


def test_the_host_is_described(tmp_path: Path) -> None:
    hardware = telemetry.hardware()
    assert hardware.cpu
    assert hardware.cores >= 1
    usage = telemetry.usage(tmp_path / "not" / "made" / "yet")
    assert 0 <= usage.cpu <= 1
    assert 0 < usage.memory_used < hardware.memory_total
    assert usage.disk_free > 0
    assert {"python", "torch", "celery"} <= set(telemetry.versions())
    assert hardware.gpus == sum(gpu.mine for gpu in usage.gpus)


def test_a_host_without_a_driver_has_no_gpus(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(telemetry, "pynvml", None)
    assert telemetry.usage(tmp_path).gpus == []
    hardware = telemetry.hardware()
    assert (hardware.gpus, hardware.gpu_memory, hardware.driver) == (0, None, None)
    assert telemetry.gpu_memory_in_use() is None


@pytest.mark.parametrize(
    ("visible", "mine"),
    [(None, [True, True]), ("1", [False, True]), ("GPU-a", [True, False]), ("", [False, False])],
)
def test_gpus_are_told_and_those_of_this_worker_are_marked(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, visible: str | None, mine: list[bool]
) -> None:
    gpus = FakeGpu("GPU-a", utilization=None), FakeGpu("GPU-b", total=24 * 1024 * MIB)
    monkeypatch.setattr(telemetry, "pynvml", FakeDriver(*gpus))
    if visible is None:
        monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)
    else:
        monkeypatch.setenv("CUDA_VISIBLE_DEVICES", visible)
    found = telemetry.usage(tmp_path).gpus
    assert [gpu.mine for gpu in found] == mine
    assert [gpu.utilization for gpu in found] == [None, 0.4]
    assert (found[0].name, found[0].temperature, found[0].power) == ("Fake", 35.0, 61.5)
    hardware = telemetry.hardware()
    smallest = [gpu.total for gpu, ours in zip(gpus, mine, strict=True) if ours]
    assert (hardware.gpus, hardware.gpu_memory) == (sum(mine), min(smallest, default=None))
    assert hardware.driver == "570.1"


def test_processes_are_recognised_and_strangers_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, stranger: int
) -> None:
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)
    unseen = 4_000_000  # as the driver names a process of another container
    gpu = FakeGpu(processes={os.getpid(): 5 * MIB, stranger: None, unseen: MIB})
    monkeypatch.setattr(telemetry, "pynvml", FakeDriver(gpu))
    busy = telemetry.usage(tmp_path, run_id="r1")
    ours, other, hidden = busy.gpus[0].processes
    assert (ours.known, ours.run_id, ours.memory) == (True, "r1", 5 * MIB)
    assert (other.known, other.run_id, other.name) == (False, None, "sleep")
    assert hidden.known  # it may be our trainer
    assert [problem.code for problem in busy.problems] == ["gpu_process_without_run"]
    assert str(stranger) in busy.problems[0].message
    idle = telemetry.usage(tmp_path, workers={stranger})
    assert [process.known for process in idle.gpus[0].processes] == [True, True, False]

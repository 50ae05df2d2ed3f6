"""Whether a GPU's memory came back, and what happens to a worker where it did not."""

from __future__ import annotations

import pytest

from app.db import Database
from app.models import Worker
from app.settings import Settings
from tests.worker.driver import MIB, FakeDriver, FakeGpu
from worker import gpu_proof, telemetry
from worker.gpu_proof import GpuProof
from worker.presence import Presence


@pytest.fixture
def gpu(monkeypatch: pytest.MonkeyPatch) -> FakeGpu:
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)
    monkeypatch.setattr(gpu_proof, "_PATIENCE_SECONDS", 0.2)
    monkeypatch.setattr(gpu_proof, "_LOOK_SECONDS", 0.05)
    fake = FakeGpu(used=1000 * MIB)
    monkeypatch.setattr(telemetry, "pynvml", FakeDriver(fake))
    return fake


def test_without_a_gpu_nothing_is_claimed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(telemetry, "pynvml", None)
    proof = GpuProof()
    proof.look(1)
    assert proof.finish() is None


@pytest.mark.parametrize(("left", "returned"), [(0, True), (500, True), (600, False)])
def test_what_is_left_is_told(gpu: FakeGpu, left: int, returned: bool) -> None:
    proof = GpuProof()
    gpu.used += left * MIB
    memory = proof.finish()
    assert memory is not None
    assert memory.returned is returned
    assert memory.after - memory.before == left * MIB


def test_memory_of_a_process_that_came_meanwhile_is_not_the_trainers(gpu: FakeGpu) -> None:
    proof = GpuProof()
    gpu.used += 9000 * MIB
    gpu.processes[4_000_000] = 9000 * MIB
    memory = proof.finish()
    assert memory is not None
    assert memory.returned


def test_a_worker_whose_memory_did_not_come_back_is_quarantined_with_the_reason(
    gpu: FakeGpu, database: Database, settings: Settings
) -> None:
    presence = Presence(database, settings)
    presence.start()
    proof = GpuProof()
    gpu.used += 3 * 1024 * MIB
    memory = proof.finish()
    assert memory is not None
    with database.write() as session:
        proof.quarantine(session, presence, "r1", memory)
    presence.stop()
    with database.read() as session:
        worker = session.get_one(Worker, presence.worker_id)
        assert (worker.mode, worker.mode_by) == ("quarantined", presence.actor)
        assert "3.0 GiB" in worker.mode_reason
        assert "r1" in worker.mode_reason

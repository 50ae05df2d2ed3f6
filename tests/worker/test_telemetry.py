from __future__ import annotations

from pathlib import Path

from worker import telemetry


def test_the_host_is_described(tmp_path: Path) -> None:
    hardware = telemetry.hardware()
    assert hardware.cpu
    assert hardware.cores >= 1
    usage = telemetry.usage(tmp_path / "not" / "made" / "yet")
    assert 0 <= usage.cpu <= 1
    assert 0 < usage.memory_used < hardware.memory_total
    assert usage.disk_free > 0
    assert {"python", "torch", "celery"} <= set(telemetry.versions())
    for gpu in usage.gpus:
        assert gpu.name

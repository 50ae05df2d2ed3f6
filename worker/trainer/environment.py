"""What a run was made with, so that it can be made again."""

from __future__ import annotations

import os
import platform
import subprocess
from importlib.metadata import distributions
from pathlib import Path
from typing import Any, Final

import torch

from worker.trainer import device as devices
from worker.trainer.event_log import EventLog

_VARIABLES: Final = (
    "CUDA_VISIBLE_DEVICES",
    "CUBLAS_WORKSPACE_CONFIG",
    "HF_HUB_OFFLINE",
    "MKL_NUM_THREADS",
    "NCCL_DEBUG",
    "OMP_NUM_THREADS",
    "PYTORCH_CUDA_ALLOC_CONF",
    "TOKENIZERS_PARALLELISM",
    "UNISD_BENCHMARK_DIR",
)
"""Environment variables that can change a run's numbers or speed. None of them holds a secret."""
_GIT_SECONDS: Final = 5


def report_start(log: EventLog, device: str, dtype: torch.dtype, seed: int) -> None:
    """Emit the first event: what runs, on what, made with what."""
    log.emit(
        "started",
        device=device,
        dtype=str(dtype).removeprefix("torch."),
        versions=devices.versions(),
        environment=describe_environment(seed),
    )


def describe_environment(seed: int) -> dict[str, Any]:
    """Packages, code, drivers, variables and seed of this process. Unknown things are absent."""
    found: dict[str, Any] = {
        "packages": {
            one.metadata["Name"]: one.version for one in distributions() if one.metadata["Name"]
        },
        "platform": platform.platform(),
        "seed": seed,
        "variables": {name: os.environ[name] for name in _VARIABLES if name in os.environ},
    }
    found |= _code()
    if torch.cuda.is_available():
        found["cuda"] = torch.version.cuda
        found["gpus"] = [
            torch.cuda.get_device_name(index) for index in range(torch.cuda.device_count())
        ]
        found["cudnn"] = torch.backends.cudnn.version()  # type: ignore[no-untyped-call]
    driver = _driver()
    if driver is not None:
        found["driver"] = driver
    return found


def _code() -> dict[str, Any]:
    """Commit of the code that runs, where it runs from a checkout, and whether it was changed."""
    folder = Path(__file__).parent
    commit = _git(folder, "rev-parse", "HEAD")
    if commit is None:
        return {}
    return {"commit": commit, "changed": bool(_git(folder, "status", "--porcelain", "-uno"))}


def _git(folder: Path, *arguments: str) -> str | None:
    try:
        done = subprocess.run(  # noqa: S603 - fixed arguments
            ["git", "-C", str(folder), *arguments],  # noqa: S607 - wherever it is installed
            capture_output=True,
            check=True,
            text=True,
            timeout=_GIT_SECONDS,
        )
    except (OSError, subprocess.SubprocessError):
        return None
    return done.stdout.strip()


def _driver() -> str | None:
    try:
        first = Path("/proc/driver/nvidia/version").read_text(encoding="utf-8").partition("\n")[0]
    except OSError:
        return None
    return first.removeprefix("NVRM version:").strip()

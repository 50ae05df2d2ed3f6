"""What an attempt that was cut off leaves behind on its host."""

from __future__ import annotations

import shutil
from pathlib import Path

import psutil

from app.workers.processes import process_runs


def still_writes(pid: int | None, directory: str) -> bool:
    """Whether a trainer of this host that lost its worker still writes into its folder.

    A worker that dies at once has told nobody which process its trainer is; then all are looked at.
    """
    if pid is not None:
        return process_runs(pid)
    for process in psutil.process_iter():
        try:
            if directory in process.cmdline():
                return process.status() != psutil.STATUS_ZOMBIE
        except psutil.Error:
            continue
    return False


def remove_temporary(directory: Path) -> None:
    """Remove what a trainer that was killed had begun to write under a passing name."""
    for found in list(directory.rglob(".*.tmp")):
        if found.is_dir():
            shutil.rmtree(found, ignore_errors=True)
        else:
            found.unlink(missing_ok=True)

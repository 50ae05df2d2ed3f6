"""Processes of this host, and a name for the set of them."""

from __future__ import annotations

import platform
from functools import lru_cache
from pathlib import Path

import psutil


@lru_cache
def host_key() -> str:
    """Names the set of processes in which a process number means the same.

    Host names do not do: containers and network namespaces share or repeat them.
    """
    try:
        boot = Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii").strip()
        space = Path("/proc/self/ns/pid").readlink()
    except OSError:  # not Linux
        return platform.node()[:100]
    return f"{boot}/{space}"[:100]


def process_runs(pid: int) -> bool:
    """Whether a process of this host runs; one that merely waits to be reaped does not."""
    try:
        return bool(psutil.Process(pid).status() != psutil.STATUS_ZOMBIE)
    except psutil.NoSuchProcess:
        return False

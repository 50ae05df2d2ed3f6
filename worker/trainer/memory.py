"""How much memory there is."""

from __future__ import annotations

from pathlib import Path
from typing import Final

import torch

SPARE: Final = 2
"""Use at most this part, 1/SPARE, of the free memory for what is only a convenience."""


def fits(size: int, device: torch.device) -> bool:
    """Whether `size` bytes that one could do without may be taken."""
    free = free_memory(device)
    return free is None or size * SPARE <= free


def free_memory(device: torch.device) -> int | None:
    """Free bytes on the device, or None where nobody says."""
    if device.type == "cuda":
        return int(torch.cuda.mem_get_info(device)[0])
    try:
        lines = Path("/proc/meminfo").read_text(encoding="ascii").splitlines()
    except OSError:
        return None
    available = next((line for line in lines if line.startswith("MemAvailable:")), None)
    return int(available.split()[1]) * 1024 if available else None


def process_peak() -> int | None:
    """Largest resident size of this process so far in bytes, or None where nobody says."""
    try:
        lines = Path("/proc/self/status").read_text(encoding="ascii").splitlines()
    except OSError:
        return None
    peak = next((line for line in lines if line.startswith("VmHWM:")), None)
    return int(peak.split()[1]) * 1024 if peak else None

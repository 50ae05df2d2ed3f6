"""Torch's generators on the run's streams of randomness (`core.seeds`)."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import torch

from core.seeds import derive_seed, draw

__all__ = ["derive_seed", "draw", "seeded"]


@contextmanager
def seeded(seed: int, device: torch.device) -> Iterator[None]:
    """Run torch's generators from `seed`, and put the ones of CPU and CUDA back afterwards."""
    devices = [torch.cuda.current_device()] if device.type == "cuda" else []
    with torch.random.fork_rng(devices):
        torch.manual_seed(seed)
        yield

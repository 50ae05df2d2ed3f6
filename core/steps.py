"""How long a run is."""

from __future__ import annotations

import math

from core.config import TrainingConfig


def global_batch(training: TrainingConfig) -> int:
    """Sequences per optimizer step and device."""
    return training.batch_size * training.gradient_accumulation_steps


def total_steps(training: TrainingConfig, records: int, processes: int = 1) -> int:
    """Optimizer steps of the run: `max_steps`, else as many as the epochs need, rounded up."""
    if training.max_steps is not None:
        return training.max_steps
    return max(1, math.ceil(training.epochs * records / (global_batch(training) * processes)))

"""How long a run is, which records a step sees, and at which learning rate."""

from __future__ import annotations

import math
import random
from functools import lru_cache

from core.config import TrainingConfig
from worker.trainer.randomness import derive_seed


def global_batch(training: TrainingConfig) -> int:
    """Sequences per optimizer step and device."""
    return training.batch_size * training.gradient_accumulation_steps


def total_steps(training: TrainingConfig, records: int, processes: int = 1) -> int:
    """Optimizer steps of the run: `max_steps`, else as many as the epochs need, rounded up."""
    if training.max_steps is not None:
        return training.max_steps
    return max(1, math.ceil(training.epochs * records / (global_batch(training) * processes)))


def learning_rate(training: TrainingConfig, step: int, steps: int) -> float:
    """Learning rate of optimizer step `step` (from 1) of `steps`.

    The rise starts above 0 and the fall ends above 0: a step at rate 0 would be wasted.
    """
    warmup = math.ceil(training.warmup_ratio * steps)
    if step <= warmup:
        return training.learning_rate * step / warmup
    progress = (step - 1 - warmup) / max(1, steps - warmup)
    if training.schedule == "cosine":
        return training.learning_rate * 0.5 * (1 + math.cos(math.pi * progress))
    if training.schedule == "linear":
        return training.learning_rate * (1 - progress)
    return training.learning_rate


def record_order(records: int, seed: int, place: int, *, shuffle: bool) -> int:
    """Which record stands at `place` of the run's endless order.

    Every epoch visits all records once, in a new order if shuffled.
    """
    epoch, position = divmod(place, records)
    return _epoch_order(records, seed, epoch)[position] if shuffle else position


@lru_cache(maxsize=4)
def _epoch_order(records: int, seed: int, epoch: int) -> list[int]:
    order = list(range(records))
    random.Random(derive_seed(seed, "order", epoch)).shuffle(order)  # noqa: S311
    return order

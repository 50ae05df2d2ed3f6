"""Which records a step sees, and at which learning rate."""

from __future__ import annotations

import math
import random
from functools import lru_cache

from core.config import TrainingConfig
from core.steps import global_batch, total_steps
from worker.trainer.randomness import derive_seed

__all__ = ["global_batch", "learning_rate", "record_order", "total_steps"]


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

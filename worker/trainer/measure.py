"""Clocks and sums of one optimizer step."""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field

import torch

from worker.trainer.model import Network
from worker.trainer.objective import TokenScores
from worker.trainer.rollout import Rollout


@dataclass
class StepMeasure:
    """Adds up what the micro-batches of a step report."""

    network: Network
    seconds: defaultdict[str, float] = field(default_factory=lambda: defaultdict(float))
    processed: defaultdict[str, int] = field(default_factory=lambda: defaultdict(int))
    sums: defaultdict[str, float] = field(default_factory=lambda: defaultdict(float))
    loss: float = 0.0
    completion_tokens: int = 0
    sequences: int = 0
    truncated: int = 0
    started: float = field(default_factory=time.perf_counter)

    def __post_init__(self) -> None:
        if self.network.device.type == "cuda":
            torch.cuda.reset_peak_memory_stats(self.network.device)

    @contextmanager
    def part(self, name: str, tokens: int) -> Iterator[None]:
        """Time a part of the step and count the tokens that it processes."""
        begun = time.perf_counter()
        yield
        self.network.synchronize()
        self.seconds[name] += time.perf_counter() - begun
        self.processed[name] += tokens

    def add(self, loss: float, scores: TokenScores, rollouts: Sequence[Rollout]) -> None:
        """Take in a micro-batch: its share of the loss, and its tokens' values."""
        self.loss += loss
        self.sequences += len(rollouts)
        self.truncated += sum(rollout.truncated for rollout in rollouts)
        self.completion_tokens += len(scores.divergence_N)
        self.sums["train/entropy/student"] += float(scores.student_entropy_N.sum())
        self.sums["train/entropy/teacher"] += float(scores.teacher_entropy_N.sum())
        self.sums["train/logprob/student"] += float(scores.student_logprob_N.sum())
        self.sums["train/logprob/teacher"] += float(scores.teacher_logprob_N.sum())

    def metrics(self) -> dict[str, float]:
        """Metrics of the step. Times in seconds, lengths in tokens, the rest in nats."""
        elapsed = time.perf_counter() - self.started
        values = {name: total / self.completion_tokens for name, total in self.sums.items()}
        values |= {
            "train/loss": self.loss,
            "train/loss/divergence": self.loss,
            "train/completion_length": self.completion_tokens / self.sequences,
            "train/truncated_share": self.truncated / self.sequences,
            "throughput/tokens_per_second": self.completion_tokens / elapsed,
            "time/step": elapsed,
        }
        values |= {f"time/{name}": seconds for name, seconds in self.seconds.items()}
        values |= {f"tokens/{name}": float(count) for name, count in self.processed.items()}
        if self.network.device.type == "cuda":
            values["memory/gpu_peak"] = float(torch.cuda.max_memory_allocated(self.network.device))
        return values

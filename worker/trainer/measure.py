"""Clocks, sums and extremes of one optimizer step, over all micro-batches and processes."""

# ruff: noqa: N806 - capital letters in tensor names are axes

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

import torch
from torch import Tensor

from worker.trainer.mechanisms import quantile_grid, unflatten
from worker.trainer.memory import process_peak
from worker.trainer.model import Network
from worker.trainer.processes import Processes

if TYPE_CHECKING:
    from worker.trainer.step import Scored

PHRASE: Final = 4
"""Tokens of a phrase: shorter ones return in any text."""


def repeated(ids: Sequence[int]) -> int:
    """Phrases of a completion that stood in it before."""
    phrases = [tuple(ids[at : at + PHRASE]) for at in range(len(ids) - PHRASE + 1)]
    return len(phrases) - len(set(phrases))


@dataclass
class StepMeasure:
    """Adds up what the micro-batches of a step report.

    Attributes:
        seconds: time of each part of the step.
        processed: tokens that each part put through the network.
        sums: sums over tokens or sequences, by name.
        lowest, highest: extremes of the agreement weights.
        divergences: of the tokens in the loss, micro-batch by micro-batch.
    """

    network: Network
    seconds: defaultdict[str, float] = field(default_factory=lambda: defaultdict(float))
    processed: defaultdict[str, int] = field(default_factory=lambda: defaultdict(int))
    sums: defaultdict[str, float] = field(default_factory=lambda: defaultdict(float))
    terms: defaultdict[str, float] = field(default_factory=lambda: defaultdict(float))
    ceiling: float | None = None
    lowest: float = float("inf")
    highest: float = float("-inf")
    divergences: list[Tensor] = field(default_factory=list)
    views: int = 0
    has_teacher: bool = False
    started: float = field(default_factory=time.perf_counter)

    def __post_init__(self) -> None:
        if self.network.device.type == "cuda":
            torch.cuda.reset_peak_memory_stats(self.network.device)

    @contextmanager
    def part(self, name: str) -> Iterator[None]:
        """Time a part of the step."""
        begun = time.perf_counter()
        yield
        self.network.synchronize()
        self.seconds[name] += time.perf_counter() - begun

    def add(self, scored: Scored, ceiling: Tensor | float | None) -> None:
        """Take in a micro-batch: its share of the loss, and its tokens' values."""
        for name, share_BT in (scored.terms or {}).items():
            self.terms[name] += float(share_BT.double().sum())
        scores, completions = scored.scores, scored.batch.completions
        self.processed["student"] += sum(
            len(example.student.ids) + len(completion.ids)
            for example, completion in zip(scored.batch.examples, completions, strict=True)
        )
        self._count("sequences", len(completions))
        self._count("truncated", sum(completion.truncated for completion in completions))
        self._count("sampled", sum(completion.source == "rollout" for completion in completions))
        own = [one.ids for one in completions if one.source == "rollout"]
        self._count("phrases", sum(max(0, len(ids) - PHRASE + 1) for ids in own))
        self._count("repeated", sum(map(repeated, own)))
        self._count("tokens", len(scores.divergence_N))
        self._count("loss_tokens", int(scored.mask_BT.sum()))
        self._count("student_entropy", float(scores.student_entropy_N.sum()))
        self._count("student_logprob", float(scores.student_logprob_N.sum()))
        if scored.teachers is not None:
            self._add_teachers(scored)
        if ceiling is not None:
            self.ceiling = float(ceiling)
            clipped_BT = (scored.clipped_BT >= self.ceiling) & scored.mask_BT
            self._count("clipped", int(clipped_BT.sum()))

    def _count(self, name: str, value: float) -> None:
        self.sums[name] += value

    def _add_teachers(self, scored: Scored) -> None:
        teachers, mask_BT = scored.teachers, scored.mask_BT
        assert teachers is not None  # noqa: S101 - the caller has looked
        self.has_teacher = True
        divergence_BT = unflatten(scored.scores.divergence_N, scored.tokens_BT)
        self.divergences.append(divergence_BT[mask_BT])
        self._count("divergence", float(scored.scores.divergence_N.sum()))
        self._count("teacher_entropy", float(scored.scores.teacher_entropy_N.sum()))
        self._count("teacher_logprob", float(scored.scores.teacher_logprob_N.sum()))
        self._count("with_negative", sum(teachers.has_negative))
        known_N = teachers.negative_N.isfinite()
        self._count("negative_tokens", int(known_N.sum()))
        self._count("negative_logprob", float(teachers.negative_N[known_N].sum()))
        self.views = len(teachers.auxiliary_KN)
        self._count("auxiliary_logprob", float(teachers.auxiliary_KN.sum()))
        if scored.contrastive_BT is not None:
            self._count("violations", int(((scored.contrastive_BT > 0) & mask_BT).sum()))
        if scored.feature_BT is not None:
            self._count("feature_distance", float(scored.feature_BT[mask_BT].sum()))
        if scored.agreement is not None:
            weight_N = scored.agreement.weight.expand_as(mask_BT)[mask_BT]
            disagreement_N = scored.agreement.disagreement.expand_as(mask_BT)[mask_BT]
            self._count("weight", float(weight_N.sum()))
            self._count("disagreement", float(disagreement_N.sum()))
            if len(weight_N):
                self.lowest = min(self.lowest, float(weight_N.min()))
                self.highest = max(self.highest, float(weight_N.max()))

    def reduce(self, processes: Processes) -> None:
        """Put the sums of all processes together; times stay this process's own."""
        if processes.alone:
            return
        for table in (self.sums, self.terms):
            names = sorted(table)
            totals = processes.add([table[name] for name in names], self.network.device)
            table.update(zip(names, totals, strict=True))
        extremes = torch.tensor([self.lowest, -self.highest], device=self.network.device)
        every = processes.gather(extremes).view(-1, 2).amin(0)
        self.lowest, self.highest = float(every[0]), -float(every[1])

    def divergence_quantiles(self, processes: Processes) -> list[float] | None:
        """Of the global batch's divergences, from 0 to 1 by 0.01; None without a teacher."""
        if not self.has_teacher:
            return None
        quantiles: list[float] = quantile_grid(
            processes.gather(torch.cat(self.divergences))
        ).tolist()
        return quantiles

    @property
    def loss(self) -> float:
        """The logged loss: the sum of its terms."""
        return sum(self.terms.values())

    def metrics(self) -> dict[str, float]:
        """Metrics of the step. Times in seconds, lengths in tokens, the rest in nats or shares."""
        elapsed = time.perf_counter() - self.started
        sums = self.sums
        values = {
            "train/loss": self.loss,
            "train/entropy/student": sums["student_entropy"] / sums["tokens"],
            "train/logprob/student": sums["student_logprob"] / sums["tokens"],
            "train/completion_length": sums["tokens"] / sums["sequences"],
            "train/truncated_share": sums["truncated"] / sums["sequences"],
            "throughput/tokens_per_second": sums["tokens"] / elapsed,
            "time/step": elapsed,
        }
        values |= {f"train/loss/{name}": total for name, total in self.terms.items()}
        values |= {f"time/{name}": seconds for name, seconds in self.seconds.items()}
        values |= {f"tokens/{name}": float(count) for name, count in self.processed.items()}
        # Of this process's own work, which is also what it measured the time of.
        values |= {
            f"throughput/{name}": count / self.seconds[name]
            for name, count in self.processed.items()
            if self.seconds.get(name)
        }
        peak = process_peak()
        if peak is not None:
            values["memory/process_peak"] = float(peak)
        if self.network.device.type == "cuda":
            values["memory/gpu_peak"] = float(torch.cuda.max_memory_allocated(self.network.device))
        return values | self._of_mechanisms()

    def _of_mechanisms(self) -> dict[str, float]:
        """Metrics of a mechanism that is off are absent."""
        sums, values = self.sums, dict[str, float]()
        counted = max(1.0, sums["loss_tokens"])
        if self.has_teacher:
            # Of all tokens, before clipping, weights and masks: what there is to learn.
            values["train/divergence"] = sums["divergence"] / sums["tokens"]
            values["train/entropy/teacher"] = sums["teacher_entropy"] / sums["tokens"]
            values["train/logprob/teacher"] = sums["teacher_logprob"] / sums["tokens"]
        if sums["loss_tokens"] < sums["tokens"]:
            values["train/masked_share"] = 1 - sums["loss_tokens"] / sums["tokens"]
        if sums["phrases"]:
            values["train/repeated_share"] = sums["repeated"] / sums["phrases"]
        if sums["sampled"] < sums["sequences"]:
            values["train/on_policy_share"] = sums["sampled"] / sums["sequences"]
        if self.ceiling is not None:
            values["train/clip_ceiling"] = self.ceiling
            values["train/clipped_share"] = sums["clipped"] / counted
        if "weight" in sums:
            values["train/agreement/disagreement"] = sums["disagreement"] / counted
            values["train/agreement/weight_mean"] = sums["weight"] / counted
            values["train/agreement/weight_min"] = self.lowest
            values["train/agreement/weight_max"] = self.highest
            values["train/logprob/auxiliary"] = sums["auxiliary_logprob"] / (
                self.views * sums["tokens"]
            )
        if "violations" in sums:
            values["train/contrastive/violations"] = sums["violations"] / counted
            without = 1 - sums["with_negative"] / sums["sequences"]
            values["train/contrastive/without_negative"] = without
            if sums["negative_tokens"]:
                values["train/logprob/negative"] = (
                    sums["negative_logprob"] / sums["negative_tokens"]
                )
        if "feature_distance" in sums:
            values["train/feature_distance"] = sums["feature_distance"] / counted
        return values

"""One micro-batch: both views of the same sampled tokens, the loss, and its gradient."""

# ruff: noqa: N803, N806, N815 - capital letters in tensor names are axes

from __future__ import annotations

import math
from collections.abc import Sequence
from contextlib import nullcontext
from dataclasses import dataclass
from typing import NamedTuple

import torch
from torch import Tensor

from core.config import RunConfig
from worker.trainer.batch import completion_hidden, completion_mask, lay_out, targets
from worker.trainer.chat import Example
from worker.trainer.failures import failure
from worker.trainer.measure import StepMeasure
from worker.trainer.model import Network
from worker.trainer.objective import (
    Divergence,
    TokenScores,
    score_tokens,
    token_contributions,
    unflatten,
)
from worker.trainer.randomness import seeded
from worker.trainer.rollout import Rollout


class Scored(NamedTuple):
    """A micro-batch after its pass: token values (N or B, T), detached from the graph."""

    examples: Sequence[Example]
    rollouts: Sequence[Rollout]
    scores: TokenScores
    contributions_BT: Tensor | None


@dataclass(frozen=True)
class Scorer:
    """Scores sampled tokens under student and teacher, as the configuration says."""

    network: Network
    config: RunConfig

    def what(self, *, top_k: int) -> Divergence:
        """The divergence at the temperature of the rollout."""
        return Divergence(
            alpha=self.config.objective.alpha,
            temperature=self.config.generation.temperature,
            top_k=top_k,
        )

    def observe(self, examples: Sequence[Example], rollouts: Sequence[Rollout]) -> Scored:
        """Score without gradient and dropout: what a recording shows."""
        completions = [rollout.ids for rollout in rollouts]
        self.network.peft.eval()
        teacher_NH = self._teacher_hidden(examples, completions, None)
        with torch.no_grad():
            student_NH = self._student_hidden(examples, completions, None)
            scores = self._compare(
                student_NH, teacher_NH, completions, top_k=self.config.recording.top_k
            )
        return Scored(examples, rollouts, scores, None)

    def accumulate(
        self,
        examples: Sequence[Example],
        rollouts: Sequence[Rollout],
        measure: StepMeasure,
        *,
        dropout_seed: int,
        top_k: int = 0,
    ) -> Scored:
        """Add this micro-batch's gradient of the global batch's loss.

        Raises:
            StudioError: `loss_not_finite`; no gradient was added then.
        """
        completions = [rollout.ids for rollout in rollouts]
        teacher_NH = self._teacher_hidden(examples, completions, measure)
        self.network.peft.train()
        with seeded(dropout_seed, self.network.device):
            student_NH = self._student_hidden(examples, completions, measure)
        with measure.part("student", 0):
            scores = self._compare(student_NH, teacher_NH, completions, top_k=top_k)
            contributions_BT = self._contributions(scores.divergence_N, completions)
            loss = contributions_BT.sum()
            check_finite("loss", float(loss.detach()))
            loss.backward()  # type: ignore[no-untyped-call]
        detached = TokenScores(*(values.detach() for values in scores))
        measure.add(float(loss.detach()), detached, rollouts)
        return Scored(examples, rollouts, detached, contributions_BT.detach())

    def _contributions(self, divergence_N: Tensor, completions: Sequence[list[int]]) -> Tensor:
        """(B, T): share of each token in the loss of the whole global batch; sums to it."""
        training = self.config.training
        sequences = training.batch_size * training.gradient_accumulation_steps
        mask_BT = completion_mask(completions, self.network.device)
        return token_contributions(unflatten(divergence_N, mask_BT), mask_BT) / sequences

    def _teacher_hidden(
        self,
        examples: Sequence[Example],
        completions: Sequence[list[int]],
        measure: StepMeasure | None,
    ) -> Tensor:
        prompts = [example.teacher.ids for example in examples]
        layout = lay_out(prompts, completions, self.network)
        live = self.config.teacher.weights == "student"
        timed = measure.part("teacher", layout.tokens) if measure else nullcontext()
        with timed, self.network.teacher(adapter=live):
            return completion_hidden(self.network, layout)

    def _student_hidden(
        self,
        examples: Sequence[Example],
        completions: Sequence[list[int]],
        measure: StepMeasure | None,
    ) -> Tensor:
        prompts = [example.student.ids for example in examples]
        layout = lay_out(prompts, completions, self.network)
        with measure.part("student", layout.tokens) if measure else nullcontext():
            return completion_hidden(self.network, layout)

    def _compare(
        self,
        student_NH: Tensor,
        teacher_NH: Tensor,
        completions: Sequence[list[int]],
        *,
        top_k: int,
    ) -> TokenScores:
        return score_tokens(
            student_NH,
            teacher_NH,
            self.network.head_VH,
            targets(completions, self.network.device),
            self.what(top_k=top_k),
        )


def check_finite(name: str, value: float) -> None:
    """Raise `loss_not_finite` if the step must not be taken."""
    if not math.isfinite(value):
        raise failure(
            "loss_not_finite",
            f"The {name} became {value}.",
            "Lower training.learning_rate, or set model.dtype to float32.",
            field="training.learning_rate",
        )

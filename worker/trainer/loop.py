"""The training loop, to be read from top to bottom."""

from __future__ import annotations

import math
from dataclasses import dataclass
from itertools import islice
from typing import Final

import torch

from core.config import RunConfig
from worker.trainer.chat import Chat, Example
from worker.trainer.dataset import Dataset
from worker.trainer.evaluation import Reference, reference_fit
from worker.trainer.event_log import EventLog
from worker.trainer.interrupt import Interrupt
from worker.trainer.measure import StepMeasure
from worker.trainer.model import Network
from worker.trainer.randomness import derive_seed
from worker.trainer.rollout import Rollout, sample
from worker.trainer.saving import History
from worker.trainer.schedule import global_batch, learning_rate, record_order
from worker.trainer.step import Scorer, check_finite
from worker.trainer.trajectories import Recorder

SUMMARY_EVERY: Final = 10


@dataclass
class Trainer:
    """A run's parts, loaded and checked.

    Attributes:
        held_out: references to evaluate on; empty when evaluation is off.
        history: filled while training, for the model card.
    """

    config: RunConfig
    log: EventLog
    interrupt: Interrupt
    network: Network
    chat: Chat
    dataset: Dataset
    held_out: list[Reference]
    history: History

    def __post_init__(self) -> None:
        training = self.config.training
        self._optimizer = torch.optim.AdamW(
            self.network.trainable(),
            lr=training.learning_rate,
            betas=(0.9, 0.999),
            weight_decay=training.weight_decay,
        )
        self._scorer = Scorer(self.network, self.config)
        self._recorder = Recorder(self.log, self.chat.tokenizer)
        self._order = record_order(
            len(self.dataset.train), training.seed, shuffle=self.config.data.shuffle
        )
        self._tokens = 0

    def train(self) -> None:
        """Run all optimizer steps.

        Raises:
            StopRequested: a stop was asked for; unfinished work was thrown away.
            StudioError: `loss_not_finite`, or a file could not be written.
        """
        steps = self.history.total_steps
        self._evaluate(0)
        if not self.held_out:
            self.log.phase("training", "Training", 0, steps)
        for step in range(1, steps + 1):
            self._record_pinned(step)
            metrics = self._optimize(step)
            self.history.losses.append(metrics["train/loss"])
            self.log.metrics(step, steps, self._epoch(step), metrics)
            self._recorder.write(step)
            self._summarize(step, metrics)
            if step == steps or step % self.config.evaluation.every_steps == 0:
                self._evaluate(step)
            if step < steps:  # the last step is done: there is nothing left to stop
                self.interrupt.check()

    def _optimize(self, step: int) -> dict[str, float]:
        """One optimizer step over the global batch. Returns its metrics."""
        training = self.config.training
        measure = StepMeasure(self.network)
        self._optimizer.zero_grad(set_to_none=True)
        wanted = self._wanted(step)
        for micro in range(training.gradient_accumulation_steps):
            self.interrupt.check()
            examples = self._next_examples()
            prompts = [example.student.ids for example in examples]
            with measure.part("rollout", sum(map(len, prompts))):
                rollouts = self._sample(prompts, "rollout", step, micro)
            measure.processed["rollout"] += sum(len(rollout.ids) for rollout in rollouts)
            scored = self._scorer.accumulate(
                examples,
                rollouts,
                measure,
                dropout_seed=derive_seed(training.seed, "dropout", step, micro),
                top_k=self.config.recording.top_k if wanted else 0,
            )
            self._recorder.add(scored, wanted, step=step, pinned=False)
            wanted = max(0, wanted - len(rollouts))
        rate = learning_rate(training, step, self.history.total_steps)
        norm = self._update(rate)
        self._tokens += measure.completion_tokens
        return measure.metrics() | {
            "train/grad_norm": norm,
            "train/learning_rate": rate,
            "train/tokens": float(self._tokens),
        }

    def _update(self, rate: float) -> float:
        """Clip the gradient and move the adapter. Returns the norm before clipping."""
        for group in self._optimizer.param_groups:
            group["lr"] = rate
        limit = self.config.training.max_grad_norm or math.inf
        norm = float(torch.nn.utils.clip_grad_norm_(self.network.trainable(), limit))
        check_finite("gradient's norm", norm)
        self._optimizer.step()
        return norm

    def _next_examples(self) -> list[Example]:
        indices = islice(self._order, self.config.training.batch_size)
        return [self.chat.example(self.dataset.train[index]) for index in indices]

    def _sample(self, prompts: list[list[int]], *stream: str | int) -> list[Rollout]:
        seed = derive_seed(self.config.training.seed, *stream)
        return sample(self.network, prompts, self.config.generation, seed, self.interrupt)

    def _wanted(self, step: int) -> int:
        """Rollouts of this step's batch to record."""
        recording = self.config.recording
        due = step % recording.every_steps == 0 or step == 1
        return recording.trajectories_per_step if due else 0

    def _record_pinned(self, step: int) -> None:
        """Sample the pinned examples anew, with the student as it is before the step."""
        recording = self.config.recording
        records = self.dataset.train[: recording.pinned_examples]
        if (step - 1) % recording.pinned_every_steps:
            return
        size = self.config.training.batch_size
        for start in range(0, len(records), size):
            examples = [self.chat.example(record) for record in records[start : start + size]]
            prompts = [example.student.ids for example in examples]
            # The same seed each time: what changes between recordings is the student.
            rollouts = self._sample(prompts, "pinned", start)
            scored = self._scorer.observe(examples, rollouts)
            self._recorder.add(scored, len(rollouts), step=step, pinned=True)

    def _evaluate(self, step: int) -> None:
        if not self.held_out:
            return
        total = len(self.held_out)

        def progress(done: int) -> None:
            self.log.phase("evaluating", "Scoring held-out references", done, total)
            self.interrupt.check()

        self.log.phase("evaluating", "Scoring held-out references", 0, total)
        batch_size = self.config.training.batch_size
        metrics = reference_fit(self.network, self.held_out, batch_size, progress)
        self.history.evaluations[step] = metrics
        self.log.metrics(step, self.history.total_steps, self._epoch(step), metrics)
        self.log.say(
            f"Held-out references after step {step}: {metrics['eval/reference/nll']:.4f} nats per "
            f"token, perplexity {metrics['eval/reference/perplexity']:.2f}."
        )
        if step < self.history.total_steps:
            self.log.phase("training", "Training", step, self.history.total_steps)

    def _epoch(self, step: int) -> float:
        return step * global_batch(self.config.training) / len(self.dataset.train)

    def _summarize(self, step: int, metrics: dict[str, float]) -> None:
        if step % SUMMARY_EVERY and step != self.history.total_steps:
            return
        recent = self.history.losses[-SUMMARY_EVERY:]
        self.log.say(
            f"Step {step} of {self.history.total_steps}: mean loss of the last {len(recent)} steps "
            f"{sum(recent) / len(recent):.4f}, {metrics['train/completion_length']:.0f} tokens per "
            f"completion, {metrics['time/step']:.1f} s per step."
        )

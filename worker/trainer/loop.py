"""The training loop, to be read from top to bottom."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Final

import torch

from core.config import RunConfig
from core.views import Example
from worker.trainer.alarms import Watch, refuse_not_finite
from worker.trainer.chat import Chat
from worker.trainer.checkpoint import (
    Snapshot,
    load_optimizer,
    load_random,
    optimizer_tensors,
    random_tensors,
    save_snapshot,
)
from worker.trainer.dataset import Dataset
from worker.trainer.ema import ema_distance, half_life, synchronize_ema
from worker.trainer.evaluation.examinations import Examinations
from worker.trainer.evaluation.references import Reference, reference_fit
from worker.trainer.event_log import EventLog
from worker.trainer.interrupt import Interrupt
from worker.trainer.measure import StepMeasure
from worker.trainer.model import EMA, STUDENT, Network
from worker.trainer.processes import Processes
from worker.trainer.randomness import derive_seed, draw
from worker.trainer.rollout import Rollout, Sampler, Sampling
from worker.trainer.saving import History
from worker.trainer.schedule import global_batch, learning_rate, record_order
from worker.trainer.step import Batch, Completion, Scored, Scorer
from worker.trainer.trajectories import Recorder

SUMMARY_EVERY: Final = 10


@dataclass
class Trainer:
    """A run's parts, loaded and checked.

    Attributes:
        example: all views of a training record, by its index and the epoch.
        presampled: the base model's completions of the training records, for `presampled`.
        held_out: references to evaluate on; empty when evaluation is off.
        history: filled while training, for the model card.
        examinations: sets of questions to answer and grade; None when there are none.
        identity: what a checkpoint must have in common with the run that resumes from it.
    """

    config: RunConfig
    log: EventLog
    interrupt: Interrupt
    network: Network
    sampler: Sampler
    chat: Chat
    dataset: Dataset
    example: Callable[[int, int], Example]
    held_out: list[Reference]
    history: History
    presampled: list[Rollout] = field(default_factory=list)
    processes: Processes = field(default_factory=Processes)
    examinations: Examinations | None = None
    identity: dict[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        training = self.config.training
        self._optimizer = torch.optim.AdamW(
            self.network.trainable(),
            lr=training.learning_rate,
            betas=(0.9, 0.999),
            weight_decay=training.weight_decay,
        )
        self._scorer = Scorer(self.network, self.config, self.processes)
        self._recorder = Recorder(self.log, self.chat.tokenizer, self.config)
        self._tokens = 0
        self._local = training.batch_size * training.gradient_accumulation_steps
        self._global = global_batch(training) * self.processes.count
        self._watch = Watch(self.log, self._global)
        if training.gradient_checkpointing:
            self.network.causal.activation_checkpointing_enable({"use_reentrant": False})

    def train(self) -> None:
        """Run the optimizer steps that are left.

        Raises:
            StopRequested: a stop was asked for; unfinished work was thrown away.
            StudioError: `loss_not_finite`, or a file could not be written.
        """
        steps = self.history.total_steps
        if not self.history.steps:
            self._evaluate(0)
        if not self._evaluates or self.history.steps:
            self.log.phase("training", "Training", self.history.steps, steps)
        for step in range(self.history.steps + 1, steps + 1):
            self._record_pinned(step)
            metrics = self._optimize(step)
            self.history.losses.append(metrics["train/loss"])
            self.log.metrics(step, steps, self._epoch(step), metrics)
            self._watch.look(step, metrics)
            self._recorder.write(step)
            self._summarize(step, metrics)
            if step == steps or step % self.config.evaluation.every_steps == 0:
                self._evaluate(step)
            self._checkpoint(step)
            if step < steps:  # the last step is done: there is nothing left to stop
                self._check_stop()

    def _check_stop(self) -> None:
        """All processes stop after the same step."""
        self.processes.check(self.interrupt, self.network.device)

    def _optimize(self, step: int) -> dict[str, float]:
        """One optimizer step over the global batch. Returns its metrics."""
        training = self.config.training
        measure = StepMeasure(self.network)
        self._optimizer.zero_grad(set_to_none=True)
        batch = self._next_batch(step, measure)
        wanted = self._wanted(step)
        # By a micro-batch's place in the global batch: however many processes share the work, each
        # sequence meets the same dropout. (The 0 keeps the streams of earlier checkpoints.)
        first = self.processes.rank * training.gradient_accumulation_steps
        places = range(first, first + training.gradient_accumulation_steps)
        seeds = [derive_seed(training.seed, "dropout", step, 0, place) for place in places]
        recorded = -(-wanted // training.batch_size)  # micro-batches that hold the wanted rollouts
        scored: Scored | None = None
        for scored in self._scorer.accumulate(
            batch,
            measure,
            dropout_seeds=seeds,
            top_k=[self.config.recording.top_k] * recorded,
        ):
            share = sum(float(term.sum()) for term in (scored.terms or {}).values())
            refuse_not_finite(self.log, step, "loss", share, scored)
            self._recorder.add(scored, wanted, step=step, pinned=False)
            wanted = max(0, wanted - len(scored.batch.examples))
            self.interrupt.check()
        assert scored is not None  # noqa: S101 - a batch has at least one sequence
        rate = learning_rate(training, step, self.history.total_steps)
        norm = self._update(rate, step, scored)
        measure.reduce(self.processes)
        if self._recorded(step):
            quantiles = measure.divergence_quantiles(self.processes)
            self._recorder.conclude(measure.loss, quantiles)
        self._tokens += int(measure.sums["tokens"])
        return (
            measure.metrics()
            | self._synchronize_teacher(step)
            | {
                "train/grad_norm": norm,
                "train/learning_rate": rate,
                "train/tokens": float(self._tokens),
                "train/epoch": self._epoch(step),
            }
        )

    def _update(self, rate: float, step: int, scored: Scored) -> float:
        """Clip the gradient and move the adapter. Returns the norm before clipping."""
        parameters = self.network.trainable()
        self.processes.add_gradients(parameters)
        for group in self._optimizer.param_groups:
            group["lr"] = rate
        limit = self.config.training.max_grad_norm or math.inf
        norm = float(torch.nn.utils.clip_grad_norm_(parameters, limit))
        refuse_not_finite(self.log, step, "gradient's norm", norm, scored)
        self._optimizer.step()
        return norm

    def _synchronize_teacher(self, step: int) -> dict[str, float]:
        """Move the EMA teacher when it is due. Returns its metrics."""
        if self.config.teacher.weights != "ema":
            return {}
        ema = self.config.teacher.ema
        if step % ema.every_steps == 0:
            synchronize_ema(self.network, ema.decay)
        return {
            "train/ema/distance": ema_distance(self.network),
            "train/ema/half_life": half_life(ema.decay, ema.every_steps),
        }

    def _next_batch(self, step: int, measure: StepMeasure) -> Batch:
        """This process's share of the step's global batch, sampled at once.

        The student does not move within a step, so all its rollouts can share a batch.
        """
        first = (step - 1) * self._global + self.processes.rank * self._local
        places = range(first, first + self._local)
        records = len(self.dataset.train)
        shuffle = self.config.data.shuffle
        order = [
            record_order(records, self.config.training.seed, place, shuffle=shuffle)
            for place in places
        ]
        examples = [
            self.example(index, place // records)
            for index, place in zip(order, places, strict=True)
        ]
        completions: list[Completion | None] = [
            self._known_completion(index, place, example)
            for index, place, example in zip(order, places, examples, strict=True)
        ]
        missing = [number for number, known in enumerate(completions) if known is None]
        prompts = [examples[number].student.ids for number in missing]
        with measure.part("rollout"):
            rollouts = self._sample(prompts, [places[number] for number in missing], "rollout")
        for number, rollout in zip(missing, rollouts, strict=True):
            completions[number] = Completion(rollout.ids, rollout.truncated)
        measure.processed["rollout"] += sum(map(len, prompts))
        measure.processed["rollout"] += sum(len(rollout.ids) for rollout in rollouts)
        return Batch(examples, [known for known in completions if known is not None])

    def _known_completion(self, index: int, place: int, example: Example) -> Completion | None:
        """The completion that need not be sampled now, or None."""
        objective = self.config.objective
        if objective.completions == "presampled":
            rollout = self.presampled[index]
            return Completion(rollout.ids, rollout.truncated, "presampled")
        on_policy = objective.completions == "rollout" or (
            objective.completions == "mixed"
            and draw(self.config.training.seed, "on_policy", place) < objective.on_policy_share
        )
        if on_policy:
            return None
        ids = [*self.chat.reference(example.record), self.network.end_ids[0]]
        return Completion(ids, truncated=False, source="reference")

    def _sample(
        self, prompts: list[list[int]], places: list[int], *stream: str | int
    ) -> list[Rollout]:
        if not prompts:
            return []
        seed = self.config.training.seed
        seeds = [derive_seed(seed, *stream, place) for place in places]
        return self.sampler.sample(prompts, Sampling.of(self.config.generation), seeds)

    def _wanted(self, step: int) -> int:
        """Rollouts of this step's batch to record."""
        leads = self.processes.leads and self._recorded(step)
        return self.config.recording.trajectories_per_step if leads else 0

    def _recorded(self, step: int) -> bool:
        """Whether rollouts of this step's batch are recorded; the same in all processes."""
        return step % self.config.recording.every_steps == 0 or step == 1

    def _record_pinned(self, step: int) -> None:
        """Sample the pinned examples anew, with the student as it is before the step."""
        if (step - 1) % self.config.recording.pinned_every_steps == 0:
            self.processes.lead(lambda: self._sample_pinned(step), self.interrupt)

    def _sample_pinned(self, step: int) -> None:
        recording = self.config.recording
        pinned = range(min(recording.pinned_examples, len(self.dataset.train)))
        size = self.config.training.batch_size
        for start in range(0, len(pinned), size):
            part = pinned[start : start + size]
            examples = [self.example(index, 0) for index in part]
            # The same seed each time: what changes between recordings is the student.
            prompts = [example.student.ids for example in examples]
            rollouts = self._sample(prompts, list(part), "pinned")
            completions = [Completion(rollout.ids, rollout.truncated) for rollout in rollouts]
            scored = self._scorer.observe(Batch(examples, completions))
            self._recorder.add(scored, len(rollouts), step=step, pinned=True)

    @property
    def _evaluates(self) -> bool:
        return bool(self.held_out or self.examinations)

    def _evaluate(self, step: int) -> None:
        if self._evaluates:
            self.processes.lead(lambda: self._examine(step), self.interrupt)

    def _examine(self, step: int) -> None:
        metrics = self._fit_references(step) if self.held_out else {}
        if self.examinations is not None:
            metrics |= self.examinations.hold(step)
        self.history.evaluations[step] = metrics
        self.log.metrics(step, self.history.total_steps, self._epoch(step), metrics)
        if step < self.history.total_steps:
            self.log.phase("training", "Training", step, self.history.total_steps)

    def _fit_references(self, step: int) -> dict[str, float]:
        total = len(self.held_out)

        def progress(done: int) -> None:
            self.log.phase("evaluating", "Scoring held-out references", done, total)
            self.interrupt.check()

        self.log.phase("evaluating", "Scoring held-out references", 0, total)
        batch_size = self.config.training.batch_size
        metrics = reference_fit(self.network, self.held_out, batch_size, progress)
        self.log.say(
            f"Held-out references after step {step}: {metrics['eval/reference/nll']:.4f} nats per "
            f"token, perplexity {metrics['eval/reference/perplexity']:.2f}."
        )
        return metrics

    def _epoch(self, step: int) -> float:
        return step * self._global / len(self.dataset.train)

    def _summarize(self, step: int, metrics: dict[str, float]) -> None:
        if step % SUMMARY_EVERY and step != self.history.total_steps:
            return
        recent = self.history.losses[-SUMMARY_EVERY:]
        self.log.say(
            f"Step {step} of {self.history.total_steps}: mean loss of the last {len(recent)} steps "
            f"{sum(recent) / len(recent):.4f}, {metrics['train/completion_length']:.0f} tokens per "
            f"completion, {metrics['time/step']:.1f} s per step."
        )

    def _checkpoint(self, step: int) -> None:
        every = self.config.training.checkpoint_every_steps
        if every is not None and step % every == 0:
            self.keep_checkpoint()

    def keep_checkpoint(self) -> None:
        """Write a checkpoint after the last whole step, unless they are switched off.

        All processes come here: the one that leads writes what it learns from the others.
        """
        training, step = self.config.training, self.history.steps
        if training.checkpoint_every_steps is None:
            return
        snapshot = self.snapshot()
        if self.processes.leads:
            save_snapshot(self.log.folder, step, snapshot, training.keep_checkpoints)
            self.log.say(f"Wrote a checkpoint after step {step}.", "debug")

    def snapshot(self) -> Snapshot:
        """Everything that the steps to come depend on, the same in all processes."""
        factors = self.network.factors(STUDENT)
        names = {id(parameter): name for name, parameter in factors.items()}
        tensors = {
            "student": dict(factors),
            "optimizer": optimizer_tensors(self._optimizer, names),
            "random": random_tensors(self.processes),
        }
        if self.config.teacher.weights == "ema":
            tensors["ema"] = self.network.factors(EMA)
        state = {
            "history": self.history.as_dict(),
            "tokens": self._tokens,
            "metric_cursor": self.history.steps,
            "data_position": self.history.steps * self._global,
            "first_metrics": self._watch.first,
            **self.identity,
        }
        return Snapshot(tensors, state)

    def restore(self, snapshot: Snapshot) -> None:
        """Put back what `snapshot` kept."""
        factors = self.network.factors(STUDENT)
        groups = {"student": factors}
        if self.config.teacher.weights == "ema":
            groups["ema"] = self.network.factors(EMA)
        with torch.no_grad():
            for group, parameters in groups.items():
                for name, parameter in parameters.items():
                    parameter.copy_(snapshot.tensors[group][name])
        load_optimizer(self._optimizer, factors, snapshot.tensors["optimizer"])
        load_random(snapshot.tensors["random"], self.processes.rank)
        self.history = History.from_dict(snapshot.state["history"])
        self._tokens = int(snapshot.state["tokens"])
        self._watch.first = dict(snapshot.state["first_metrics"])

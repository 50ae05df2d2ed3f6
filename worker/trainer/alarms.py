"""Watches the signal: what makes a run useless is said at once, not found out at the end."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Final, NamedTuple

from worker.trainer.event_log import EventLog
from worker.trainer.failures import failure, write_failure
from worker.trainer.files import write_atomically
from worker.trainer.step import Scored

DUMP: Final = "failed-batch.json"
FIRST_STEPS: Final = 3
SAME: Final = 1e-6
"""Mean divergence in nats below which teacher and student say the same."""
COLLAPSED: Final = 0.1
"""Share of its first value below which a length or an entropy has collapsed."""
ALL: Final = 0.99
REST: Final = 10
"""Quiet steps after which an alarm that rings again is news."""
EVIDENCE: Final = 24
"""Sequences that must show it, one step after the other, before a run is said to go astray."""
REPEATED: Final = 0.5
"""Share of repeated phrases that no sane text of a student has."""
TWICE: Final = 2.0
"""And it must stand at this many times what it was at the run's start."""
MOSTLY: Final = 0.75
"""Where more than this is truncated from the start, all of it says nothing new."""
EXPLODED: Final = 5.0
"""Times its start that a divergence must reach, and beside that so many nats:"""
FAR: Final = 0.5


class Alarm(NamedTuple):
    """What is wrong, and what could mend it."""

    code: str
    message: str
    remedy: str


@dataclass
class Watch:
    """Looks at the metrics of every step; an alarm that rings is not raised again until it rested.

    Attributes:
        sequences: in the batch of a step.
        first: what the first steps had, to tell a collapse by; part of a checkpoint.
    """

    log: EventLog
    sequences: int = EVIDENCE
    first: dict[str, float] = field(default_factory=dict)
    _same: int = 0
    _astray: dict[str, int] = field(default_factory=dict)
    _last_rang: dict[str, int] = field(default_factory=dict)

    def look(self, step: int, metrics: Mapping[str, float]) -> None:
        """Report what is new."""
        for alarm in self._alarms(step, metrics):
            if step - self._last_rang.get(alarm.code, -REST) >= REST:
                self.log.emit("alarm", step=step, **alarm._asdict())
            self._last_rang[alarm.code] = step

    def _alarms(self, step: int, metrics: Mapping[str, float]) -> list[Alarm]:
        found = [
            self._teacher_equals_student(metrics) if step <= FIRST_STEPS else None,
            _everything_clipped(metrics),
            _no_loss_tokens(metrics),
            _no_negatives(metrics),
            *self._collapsed(metrics),
            self._repeats(metrics),
            self._endless(metrics),
            self._exploded(metrics),
        ]
        return [alarm for alarm in found if alarm is not None]

    def _teacher_equals_student(self, metrics: Mapping[str, float]) -> Alarm | None:
        divergence = metrics.get("train/divergence")
        self._same += divergence is not None and divergence < SAME
        if self._same < FIRST_STEPS:
            return None
        return Alarm(
            "teacher_equals_student",
            f"Teacher and student say the same since the first step ({divergence:.2e} nats).",
            "Look at the teacher's prompt in a recorded trajectory: does it show the worked "
            "example? With a live teacher and an equal prompt there is nothing to learn.",
        )

    def _collapsed(self, metrics: Mapping[str, float]) -> Iterator[Alarm]:
        for name, what in (
            ("train/completion_length", "completions"),
            ("train/entropy/student", "entropy"),
        ):
            value = metrics[name]
            first = self.first.setdefault(name, value)
            if value < COLLAPSED * first:
                yield Alarm(
                    f"{what}_collapsed",
                    f"The student's {what} fell to {value:.3g}, from {first:.3g} at first.",
                    "Lower training.learning_rate, or take a teacher that moves less.",
                )

    def _repeats(self, metrics: Mapping[str, float]) -> Alarm | None:
        name = "train/repeated_share"
        start = self._start(name, metrics)
        share = metrics.get(name, 0.0)
        if not self._lasts(name, astray=share >= max(REPEATED, TWICE * start)):
            return None
        return Alarm(
            "completions_repetitive",
            f"The student repeats itself: {share:.0%} of its phrases stood in the same completion "
            f"before, {start:.0%} at first. A falling loss says nothing here.",
            "Stop the run and go on from an earlier checkpoint, with a lower "
            "training.learning_rate or a teacher that stays (teacher.weights: base or ema).",
        )

    def _endless(self, metrics: Mapping[str, float]) -> Alarm | None:
        name = "train/truncated_share"
        start = self._start(name, metrics)
        share = metrics.get(name, 0.0)
        if not self._lasts(name, astray=share >= ALL and start < MOSTLY):
            return None
        return Alarm(
            "completions_endless",
            f"The student no longer ends its completions: {share:.0%} run into "
            f"generation.max_completion_length, {start:.0%} at first.",
            "Read a recorded trajectory. If the text is sound, raise the length; else lower "
            "training.learning_rate, or take a teacher that stays (teacher.weights: base or ema).",
        )

    def _exploded(self, metrics: Mapping[str, float]) -> Alarm | None:
        name = "train/divergence"
        start = self._start(name, metrics)
        value = metrics.get(name, 0.0)
        if not self._lasts(name, astray=value >= max(FAR, EXPLODED * start)):
            return None
        return Alarm(
            "divergence_exploded",
            f"Teacher and student drift apart: {value:.3g} nats per token, {start:.3g} at first.",
            "Lower training.learning_rate, or set objective.clipping.",
        )

    def _start(self, name: str, metrics: Mapping[str, float]) -> float:
        """Mean of a metric over the steps that make the start of the run."""
        seen, counted = self.first.get(f"{name} at first", 0.0), f"{name} steps"
        steps = self.first.get(counted, 0.0)
        if name in metrics and steps < self._patience:
            steps += 1
            seen += (metrics[name] - seen) / steps
            self.first |= {f"{name} at first": seen, counted: steps}
        return seen

    def _lasts(self, name: str, *, astray: bool) -> bool:
        """Whether it has been so for long enough that chance does not explain it."""
        self._astray[name] = self._astray.get(name, 0) + 1 if astray else 0
        return self._astray[name] >= self._patience

    @property
    def _patience(self) -> int:
        return max(FIRST_STEPS, math.ceil(EVIDENCE / self.sequences))


def _everything_clipped(metrics: Mapping[str, float]) -> Alarm | None:
    share = metrics.get("train/clipped_share", 0.0)
    if share < ALL:
        return None
    return Alarm(
        "everything_clipped",
        f"{share:.0%} of the tokens are clipped: they have no gradient.",
        "Raise objective.clipping.ceiling, or give a quantile.",
    )


def _no_loss_tokens(metrics: Mapping[str, float]) -> Alarm | None:
    if metrics.get("train/masked_share", 0.0) < 1:
        return None
    return Alarm(
        "no_loss_tokens",
        "Every rollout of the batch was truncated and masked: the step taught nothing.",
        "Raise generation.max_completion_length, or set objective.mask_truncated to false.",
    )


def _no_negatives(metrics: Mapping[str, float]) -> Alarm | None:
    if metrics.get("train/contrastive/without_negative", 0.0) < 1:
        return None
    return Alarm(
        "teacher_scores_missing",
        "No record of the batch has a usable negative demonstration: the contrastive term is 0.",
        "Look at the preparation's counts in the log; raise "
        "objective.contrastive.negatives_per_record, or switch the mechanism off.",
    )


def refuse_not_finite(log: EventLog, step: int, what: str, value: float, scored: Scored) -> None:
    """Keep the batch for inspection and end the run, unless the value is finite.

    Raises:
        StudioError: `loss_not_finite`.
    """
    if math.isfinite(value):
        return
    path = log.folder / DUMP
    try:
        write_atomically(path, json.dumps(_dump(step, what, value, scored)).encode())
    except OSError as error:
        raise write_failure(path, error) from error
    problem = failure(
        "loss_not_finite",
        f"The {what} became {value} at step {step}; the batch is kept in {DUMP}.",
        "Lower training.learning_rate, or set model.dtype to float32.",
        field="training.learning_rate",
    )
    told = problem.problem.model_dump(include={"code", "message", "remedy"})
    log.emit("alarm", step=step, severity="error", **told)
    raise problem


def _dump(step: int, what: str, value: float, scored: Scored) -> dict[str, object]:
    """The batch as plain data. Numbers that are not finite are written as texts."""
    scores = scored.scores
    return {
        "step": step,
        "what": what,
        "value": str(value),
        "sequences": [
            {
                "record": example.record.id,
                "student_prompt": example.student.text,
                "teacher_prompt": example.teacher.text,
                "completion_ids": completion.ids,
            }
            for example, completion in zip(
                scored.batch.examples, scored.batch.completions, strict=True
            )
        ],
        "tokens": {
            name: [str(number) for number in getattr(scores, f"{name}_N").tolist()]
            for name in ("divergence", "student_logprob", "teacher_logprob")
        },
    }

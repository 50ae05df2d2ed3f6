"""Makes what the configured mechanisms need before training, and nothing else."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

from core.records import Record
from worker.trainer.failures import mistake
from worker.trainer.preparation.asking import Asker
from worker.trainer.preparation.embeddings import embed, neighbours
from worker.trainer.preparation.induction import induce
from worker.trainer.preparation.negatives import write_negatives
from worker.trainer.preparation.presampled import presample
from worker.trainer.rollout import Rollout

SPARE: Final = 8
"""Neighbours beyond K that step in where one is too long."""


@dataclass(frozen=True)
class Contexts:
    """What the views of the training records are made of; empty where a mechanism is off.

    Attributes:
        neighbours: indices of similar records, nearest first, per record.
        instructions: K induced instructions.
        negatives: wrong demonstrations per record.
        presampled: the base model's completion per record.
    """

    neighbours: list[list[int]] = field(default_factory=list)
    instructions: list[str] = field(default_factory=list)
    negatives: list[list[str]] = field(default_factory=list)
    presampled: list[Rollout] = field(default_factory=list)


def prepare_contexts(asker: Asker, records: Sequence[Record]) -> Contexts:
    """Run the preparation steps that the configuration needs.

    Raises:
        StopRequested: a stop was asked for; what was made is in the cache.
        StudioError: `too_few_records`, `induction_failed`, or a model that cannot be had.
    """
    objective = asker.config.objective
    agreement = objective.agreement
    nearest: list[list[int]] = []
    instructions: list[str] = []
    if agreement.enabled and agreement.contexts == "retrieval":
        check_pool(records, agreement.views)
        nearest = _nearest(asker, records)
    if agreement.enabled and agreement.contexts == "induction":
        instructions = induce(asker, records, agreement.views)
        for number, instruction in enumerate(instructions, start=1):
            asker.log.say(f"Induced instruction {number}: {instruction}")
    negatives: list[list[str]] = []
    if objective.contrastive.enabled:
        negatives = _negatives(asker, records)
    presampled = presample(asker, records) if objective.completions == "presampled" else []
    return Contexts(nearest, instructions, negatives, presampled)


def check_pool(records: Sequence[Record], views: int) -> None:
    """Raise `too_few_records` unless every record has `views` others with another prompt."""
    different = len({record.prompt for record in records})
    if different <= views:
        raise mistake(
            "too_few_records",
            f"{views} auxiliary teachers need {views} other records as context, but there are "
            f"only {different} records with different prompts.",
            "Lower objective.agreement.views, or add records.",
            field="objective.agreement.views",
        )


def _nearest(asker: Asker, records: Sequence[Record]) -> list[list[int]]:
    total = len(records)

    def progress(done: int) -> None:
        asker.log.phase("preparing", "Embedding the prompts", done, total)
        asker.interrupt.check()

    agreement = asker.config.objective.agreement
    vectors = embed(records, agreement.embedding_model, progress)
    return neighbours(vectors, [record.prompt for record in records], agreement.views + SPARE)


def _negatives(asker: Asker, records: Sequence[Record]) -> list[list[str]]:
    wanted = asker.config.objective.contrastive.negatives_per_record
    found = write_negatives(asker, records, wanted)
    counts = dict(found.counts)
    asked, usable = counts.pop("asked"), counts.pop("usable", 0)
    without = counts.pop("records_without")
    reasons = ", ".join(f"{name} {number}" for name, number in sorted(counts.items())) or "none"
    asker.log.say(
        f"Negative demonstrations: {usable} of {asked} usable (thrown away: {reasons}); "
        f"{without} of {len(records)} records have none and train without the contrastive term.",
        "warning" if without else "info",
    )
    return found.of_record

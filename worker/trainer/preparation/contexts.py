"""Makes what the configured mechanisms need before training, and nothing else."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

from core.made import INSTRUCTIONS, NEGATIVES, instructions_key, negatives_key
from core.record import Record
from core.views import ViewContexts, first_of_each, question
from worker.trainer.failures import mistake
from worker.trainer.preparation.asking import Asker
from worker.trainer.preparation.embeddings import embed, neighbours
from worker.trainer.preparation.induction import induce
from worker.trainer.preparation.negatives import Negatives, write_negatives
from worker.trainer.preparation.presampled import presample
from worker.trainer.rollout import Rollout

SPARE: Final = 32
"""Neighbours beyond K that step in where one is too long."""


@dataclass(frozen=True)
class Contexts(ViewContexts):
    """What the views are made of, and what else is made before training.

    Attributes:
        presampled: the base model's completion per record.
        counts: what was made and thrown away, by name.
    """

    presampled: list[Rollout] = field(default_factory=list)
    counts: dict[str, int] = field(default_factory=dict)


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
    if agreement.enabled and agreement.contexts != "induction":
        check_pool(records, agreement.views)
    if agreement.enabled and agreement.contexts == "retrieval":
        nearest = _nearest(asker, records)
    if agreement.enabled and agreement.contexts == "induction":
        instructions = induce(asker, records, agreement.views)
        asker.made(INSTRUCTIONS).put(instructions_key(records, asker.config), instructions)
        for number, instruction in enumerate(instructions, start=1):
            asker.log.say(f"Induced instruction {number}: {instruction}")
    negatives = _negatives(asker, records) if objective.contrastive.enabled else Negatives([], {})
    presampled = presample(asker, records) if objective.completions == "presampled" else []
    counts = {f"negatives/{name}": count for name, count in negatives.counts.items()}
    return Contexts(
        nearest, instructions, negatives.of_record, asker.longest_view, presampled, counts
    )


def check_pool(records: Sequence[Record], views: int) -> None:
    """Raise `too_few_records` unless every record has `views` others with another prompt."""
    different = len(first_of_each(records))
    if different <= views:
        raise mistake(
            "too_few_records",
            f"{views} auxiliary teachers need {views} other records as context, but there are "
            f"only {different} records with different prompts.",
            "Lower objective.agreement.views, or add records.",
            field="objective.agreement.views",
        )


def _nearest(asker: Asker, records: Sequence[Record]) -> list[list[int]]:
    """Neighbours among the first records of each question; the other records share theirs."""
    first = first_of_each(records)
    kept = list(first.values())

    def progress(done: int) -> None:
        asker.log.phase("preparing", "Embedding the prompts", done, len(kept))
        asker.interrupt.check()

    agreement = asker.config.objective.agreement
    unique = [records[index] for index in kept]
    vectors = embed(unique, agreement.embedding_model, progress)
    asker.log.phase("preparing", "Looking for similar records")
    prompts = [record.prompt for record in unique]
    nearest = neighbours(vectors, prompts, agreement.views + SPARE, asker.interrupt.check)
    place = {kept[row]: [kept[other] for other in near] for row, near in enumerate(nearest)}
    return [place[first[question(record)]] for record in records]


def _negatives(asker: Asker, records: Sequence[Record]) -> Negatives:
    wanted = asker.config.objective.contrastive.negatives_per_record
    found = write_negatives(asker, records, wanted)
    _keep_negatives(asker, records, found)
    counts = dict(found.counts)
    asked, usable = counts.pop("asked"), counts.pop("usable", 0)
    without = counts.pop("records_without")
    reasons = ", ".join(f"{name} {number}" for name, number in sorted(counts.items())) or "none"
    asker.log.say(
        f"Negative demonstrations: {usable} of {asked} usable (thrown away: {reasons}); "
        f"{without} of {len(records)} records have none and train without the contrastive term.",
        "warning" if without else "info",
    )
    return found


def _keep_negatives(asker: Asker, records: Sequence[Record], found: Negatives) -> None:
    """For those who show the views of a run before it starts."""
    kept = asker.made(NEGATIVES)
    for record, texts in zip(records, found.of_record, strict=True):
        key = negatives_key(record, asker.config, asker.longest_view)
        if not kept.has(key):
            kept.put(key, texts)

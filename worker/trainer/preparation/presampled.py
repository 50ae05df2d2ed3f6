"""Completions that the base model samples once before training, unverified (`ssd`)."""

from __future__ import annotations

from collections.abc import Sequence

from core.prompts import student_messages
from core.record import Record
from worker.trainer.preparation.asking import Asker, Question
from worker.trainer.preparation.cache import Cache
from worker.trainer.randomness import derive_seed
from worker.trainer.rollout import Rollout, Sampling


def presample(asker: Asker, records: Sequence[Record]) -> list[Rollout]:
    """One completion per record, as the run's generation settings say."""
    how = Sampling.of(asker.config.generation)
    cache = Cache("completions", asker.settings(how))
    questions = []
    for record in records:
        prompt = asker.prompt(student_messages(record, asker.config))
        seed = derive_seed(asker.config.training.seed, "presampled", record.id)
        questions.append(Question([prompt, seed], prompt, seed))
    return asker.ask(cache, questions, how, "Sampling the base model's completions")

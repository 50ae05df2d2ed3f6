"""Puts a record behind the prompts of all its views, each within the longest prompt allowed."""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from itertools import islice
from typing import Final

from core.config import RunConfig
from core.prompts import (
    Message,
    example_messages,
    instruction_messages,
    negative_messages,
    worked_example,
)
from core.record import Record
from worker.trainer.chat import Chat, Example, View
from worker.trainer.preparation.contexts import Contexts, first_of_each, question
from worker.trainer.randomness import derive_seed

TRIES: Final = 64
"""Random contexts looked at for a record before the shortest ones are taken."""


class Views:
    """All views of the training records.

    Args:
        chat: renders and tokenizes.
        config: the run's configuration.
        records: training records, in the order of `contexts`.
        contexts: what was prepared.
    """

    def __init__(
        self, chat: Chat, config: RunConfig, records: Sequence[Record], contexts: Contexts
    ) -> None:
        self._chat = chat
        self._config = config
        self._records = records
        self.contexts = contexts
        self._agreement = config.objective.agreement
        self._longest = contexts.longest or config.generation.max_prompt_length
        self._pool = list(first_of_each(records).values())
        self._shortest = self._by_length() if self._shows_others_at_random() else []

    def _shows_others_at_random(self) -> bool:
        return self._agreement.enabled and self._agreement.contexts == "random"

    def _by_length(self) -> list[int]:
        """The records whose worked examples have the fewest tokens, shortest first."""

        def tokens(index: int) -> int:
            return len(self._chat.tokens(worked_example(self._records[index], self._config)))

        # One more than is tried, as a record does not stand in for itself.
        return sorted(self._pool, key=tokens)[: TRIES + 1]

    def example(self, index: int, epoch: int) -> Example:
        """The record's prompts in an epoch; other epochs get other random contexts and negatives.

        A record has fewer auxiliary views than are wanted only if it does not fit (`fits`).
        """
        example = self._chat.example(self._records[index])
        auxiliary: tuple[View, ...] = ()
        if self._agreement.enabled:
            auxiliary = self._first_views(index, self._candidates(index, epoch))
        return example._replace(auxiliary=auxiliary, negative=self._negative(index, epoch))

    def fits(self, index: int) -> bool:
        """Whether enough auxiliary views fit for the record, in every epoch.

        Random contexts that are too long give way to the shortest ones, which are the same in
        every epoch: if enough of those fit, enough are found always.
        """
        if not self._agreement.enabled:
            return True
        found = self._first_views(index, self._fixed_candidates(index))
        return len(found) == self._agreement.views

    def _first_views(self, index: int, candidates: Iterator[list[Message]]) -> tuple[View, ...]:
        """The first K of the candidates that fit."""
        record = self._records[index]
        views = (self._chat.view(messages, record) for messages in candidates)
        fitting = (view for view in views if len(view.ids) <= self._longest)
        return tuple(islice(fitting, self._agreement.views))

    def _candidates(self, index: int, epoch: int) -> Iterator[list[Message]]:
        """Prompts of auxiliary teachers, in the order in which they are wanted."""
        if not self._shows_others_at_random():
            return self._fixed_candidates(index)
        seed = derive_seed(self._config.training.seed, "contexts", epoch, index)
        drawn = random.Random(seed).sample(self._pool, min(len(self._pool), TRIES))  # noqa: S311
        return self._shown(index, [*drawn, *self._shortest])

    def _fixed_candidates(self, index: int) -> Iterator[list[Message]]:
        """Those that do not hang on the epoch."""
        if self._agreement.contexts == "induction":
            record, instructions = self._records[index], self.contexts.instructions
            return (instruction_messages(record, text, self._config) for text in instructions)
        retrieved = self._agreement.contexts == "retrieval"
        return self._shown(index, self.contexts.neighbours[index] if retrieved else self._shortest)

    def _shown(self, index: int, others: Sequence[int]) -> Iterator[list[Message]]:
        """Prompts with other records' examples: none twice, never one of the same question."""
        record = self._records[index]
        taken = {question(record)}
        for other in others:
            shown = self._records[other]
            if question(shown) not in taken:
                taken.add(question(shown))
                yield example_messages(record, shown, self._config)

    def _negative(self, index: int, epoch: int) -> View | None:
        """One of the record's wrong demonstrations that fit, or None."""
        negatives = self.contexts.negatives[index] if self.contexts.negatives else []
        record = self._records[index]
        seed = derive_seed(self._config.training.seed, "negative", epoch, index)
        for number in range(len(negatives)):
            text = negatives[(seed + number) % len(negatives)]
            view = self._chat.view(negative_messages(record, text, self._config), record)
            if len(view.ids) <= self._longest:
                return view
        return None

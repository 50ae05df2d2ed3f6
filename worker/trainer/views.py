"""Puts a record behind the prompts of all its views, each within the longest prompt allowed."""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from itertools import islice
from typing import Final

from core.config import RunConfig
from core.prompts import example_messages, instruction_messages, negative_messages
from core.records import Record
from worker.trainer.chat import Chat, Example, View
from worker.trainer.preparation.contexts import Contexts
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
        self._longest = config.generation.max_prompt_length
        self._by_length = sorted(
            range(len(records)),
            key=lambda index: len(records[index].prompt) + len(records[index].rationale or ""),
        )

    def example(self, index: int, epoch: int) -> Example:
        """The record's prompts in an epoch; other epochs get other random contexts and negatives.

        A record has fewer auxiliary views than are wanted only if no more contexts fit.
        """
        record = self._records[index]
        example = self._chat.example(record)
        return example._replace(
            auxiliary=tuple(islice(self._auxiliary(index, epoch), self._agreement.views))
            if self._agreement.enabled
            else (),
            negative=self._negative(index, epoch),
        )

    def fits(self, index: int) -> bool:
        """Whether enough auxiliary views fit for the record, in every epoch."""
        if not self._agreement.enabled:
            return True
        found = islice(self._auxiliary(index, 0), self._agreement.views)
        return sum(1 for _ in found) == self._agreement.views

    def _auxiliary(self, index: int, epoch: int) -> Iterator[View]:
        """Auxiliary views that fit, best first."""
        record = self._records[index]
        if self._agreement.contexts == "induction":
            prompts = (
                instruction_messages(record, instruction, self._config)
                for instruction in self.contexts.instructions
            )
        else:
            prompts = (
                example_messages(record, self._records[other], self._config)
                for other in self._others(index, epoch)
            )
        for messages in prompts:
            view = self._chat.view(messages, record)
            if len(view.ids) <= self._longest:
                yield view

    def _others(self, index: int, epoch: int) -> Iterator[int]:
        """Records to show beside this one; never itself nor one with the same prompt."""
        taken = {index}
        own = self._records[index].prompt
        for other in self._candidates(index, epoch):
            if other not in taken and self._records[other].prompt != own:
                taken.add(other)
                yield other

    def _candidates(self, index: int, epoch: int) -> Iterator[int]:
        if self._agreement.contexts == "retrieval":
            yield from self.contexts.neighbours[index]
        else:
            seed = derive_seed(self._config.training.seed, "contexts", epoch, index)
            draw = random.Random(seed)  # noqa: S311
            count = len(self._records)
            yield from draw.sample(range(count), min(count, TRIES))
        # The same for every epoch: what fits once fits always.
        yield from self._by_length[:TRIES]

    def _negative(self, index: int, epoch: int) -> View | None:
        """One of the record's wrong demonstrations that fit, or None."""
        if not self.contexts.negatives:
            return None
        record = self._records[index]
        views = (
            self._chat.view(negative_messages(record, text, self._config), record)
            for text in self.contexts.negatives[index]
        )
        fitting = [view for view in views if len(view.ids) <= self._longest]
        if not fitting:
            return None
        seed = derive_seed(self._config.training.seed, "negative", epoch, index)
        return fitting[seed % len(fitting)]

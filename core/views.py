"""Puts a record behind the prompts of all its views, each within the longest prompt allowed.

The trainer and the studio's preflight share this, so that what is shown before a run is what the
run then does.
"""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import islice
from typing import Final, NamedTuple, Protocol

from core.config import RunConfig
from core.prompts import (
    Message,
    example_messages,
    instruction_messages,
    negative_messages,
    student_messages,
    teacher_messages,
    worked_example,
)
from core.record import Record
from core.seeds import derive_seed

TRIES: Final = 64
"""Random contexts looked at for a record before the shortest ones are taken."""


class View(NamedTuple):
    """One prompt, rendered and tokenized. It ends where the assistant's turn begins."""

    text: str
    ids: list[int]


class Example(NamedTuple):
    """A record behind the prompts of all its views."""

    record: Record
    student: View
    teacher: View
    auxiliary: tuple[View, ...] = ()
    negative: View | None = None

    @property
    def prompt_tokens(self) -> int:
        """Length of the longest prompt."""
        views = (self.student, self.teacher, *self.auxiliary, *filter(None, [self.negative]))
        return max(len(view.ids) for view in views)


class Renderer(Protocol):
    """A tokenizer with its chat template."""

    def view(self, messages: list[Message], record: Record) -> View:
        """A record's conversation, up to where the model answers."""
        ...

    def tokens(self, text: str) -> list[int]:
        """Token ids of a text as it stands, without special tokens added."""
        ...


@dataclass(frozen=True)
class ViewContexts:
    """What the views of the training records are made of; empty where a mechanism is off.

    Attributes:
        neighbours: indices of similar records, nearest first, per record.
        instructions: K induced instructions.
        negatives: wrong demonstrations per record.
        longest: tokens that the prompt of a view may have; None for what the configuration says.
    """

    neighbours: list[list[int]] = field(default_factory=list)
    instructions: list[str] = field(default_factory=list)
    negatives: list[list[str]] = field(default_factory=list)
    longest: int | None = None


def primary_views(renderer: Renderer, record: Record, config: RunConfig) -> Example:
    """A record behind the prompts of student and primary teacher."""
    return Example(
        record,
        renderer.view(student_messages(record, config), record),
        renderer.view(teacher_messages(record, config), record),
    )


def longest_view(config: RunConfig, context: int | None) -> int:
    """Tokens that the prompt of a view may have, so that its completion has room too.

    Args:
        config: the run's configuration.
        context: positions that the model knows, or None if it does not say.
    """
    generation = config.generation
    if context is None:
        return generation.max_prompt_length
    return min(generation.max_prompt_length, context - generation.max_completion_length)


def first_of_each(records: Sequence[Record]) -> dict[str, int]:
    """The index of the first record with each question, by the question.

    Upper and lower case and spaces do not make another question: its example would give the answer
    away, and two of them would be one context twice.
    """
    found: dict[str, int] = {}
    for index, record in enumerate(records):
        found.setdefault(question(record), index)
    return found


def question(record: Record) -> str:
    """A record's prompt as far as it tells questions apart."""
    return " ".join(record.prompt.casefold().split())


class Views:
    """All views of the training records.

    Args:
        chat: renders and tokenizes.
        config: the run's configuration.
        records: training records, in the order of `contexts`.
        contexts: what was prepared.
    """

    def __init__(
        self, chat: Renderer, config: RunConfig, records: Sequence[Record], contexts: ViewContexts
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
        example = primary_views(self._chat, self._records[index], self._config)
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

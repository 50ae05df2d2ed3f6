"""Asks the base model many things and keeps each answer as soon as it is there."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final, NamedTuple

from core.config import RunConfig
from core.made import made_settings, model_settings
from core.prompts import Message
from core.views import longest_view
from worker.trainer.chat import Chat
from worker.trainer.event_log import EventLog
from worker.trainer.interrupt import Interrupt
from worker.trainer.preparation.cache import Cache
from worker.trainer.preparation.identity import model_identity
from worker.trainer.rollout import Rollout, Sampler, Sampling
from worker.trainer.token_text import decode

BATCH: Final = 16
_SENTENCES: Final = re.compile(r".*(?:[.!?][\"'”’)\]*]*(?=\s|$)|[。！？])", re.DOTALL)


class Question(NamedTuple):
    """What to ask: the key of its answer in the cache, the prompt's tokens, and a seed."""

    key: Any
    prompt: list[int]
    seed: int


@dataclass(frozen=True)
class Asker:
    """The base model, asked before the first step: the student's adapter is still neutral.

    Attributes:
        context: positions that the model knows, or None if it does not say.
    """

    config: RunConfig
    chat: Chat
    sampler: Sampler
    log: EventLog
    interrupt: Interrupt
    context: int | None = None

    @property
    def longest_view(self) -> int:
        """Tokens that the prompt of a view may have, so that its completion has room too."""
        return longest_view(self.config, self.context)

    def has_room(self, prompt: Sequence[int], how: Sampling) -> bool:
        """Whether the model has positions for the prompt and the longest answer."""
        return self.context is None or len(prompt) + how.max_tokens <= self.context

    def prompt(self, messages: list[Message]) -> list[int]:
        """Tokens of a conversation up to where the model answers."""
        return self.chat.conversation(messages)

    def settings(self, how: Sampling) -> list[Any]:
        """What every answer of this model depends on."""
        return [*model_settings(self._identity(), self.config), how._asdict()]

    def made(self, kind: str) -> Cache:
        """What is made from answers of this model, for those who show views."""
        return Cache(kind, made_settings(self._identity(), self.config))

    def _identity(self) -> list[Any]:
        model = self.config.model
        return model_identity(model.name, model.revision)

    def text(self, answer: Rollout) -> str:
        """What was answered; of an answer that ran out of tokens, its whole sentences."""
        text = decode(self.chat.tokenizer, answer.ids, special=False).strip()
        if not answer.truncated:
            return text
        whole = _SENTENCES.match(text)
        return whole[0] if whole else ""

    def ask(
        self, cache: Cache, questions: Sequence[Question], how: Sampling, doing: str
    ) -> list[Rollout]:
        """Answers in the order of the questions, those in the cache without asking again."""
        known = [_rollout(cache.get(question.key)) for question in questions]
        missing = [index for index, answer in enumerate(known) if answer is None]
        missing.sort(key=lambda index: len(questions[index].prompt))
        total, done = len(questions), len(questions) - len(missing)
        self.log.phase("preparing", doing, done, total)
        for start in range(0, len(missing), BATCH):
            self.interrupt.check()
            batch = missing[start : start + BATCH]
            asked = [questions[index] for index in batch]
            answers = self.sampler.sample(
                [question.prompt for question in asked], how, [question.seed for question in asked]
            )
            for index, question, answer in zip(batch, asked, answers, strict=True):
                cache.put(question.key, [answer.ids, answer.truncated])
                known[index] = answer
            self.log.phase("preparing", doing, done + start + len(batch), total)
        return [answer for answer in known if answer is not None]


def _rollout(kept: Any) -> Rollout | None:  # noqa: ANN401 - what the cache holds
    return None if kept is None else Rollout(list(kept[0]), bool(kept[1]))

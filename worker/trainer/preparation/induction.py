"""Instructions that the model induces from worked examples, as contexts of auxiliary teachers."""

from __future__ import annotations

import random
from collections.abc import Sequence
from typing import Final

from core.record import Record
from worker.trainer.failures import failure
from worker.trainer.grading.texts import normalized
from worker.trainer.preparation.asking import Asker, Question
from worker.trainer.preparation.cache import Cache
from worker.trainer.preparation.wording import INSTRUCTION_REQUEST, ask_for_instruction
from worker.trainer.randomness import derive_seed
from worker.trainer.rollout import Sampling
from worker.trainer.token_text import decode

EXAMPLES: Final = 4
TRIES: Final = 6
"""Handfuls of examples per instruction that is wanted, at most."""
HOW: Final = Sampling(temperature=0.8, top_p=0.95, top_k=0, max_tokens=80)


def induce(asker: Asker, records: Sequence[Record], count: int) -> list[str]:
    """`count` different instructions, each from a handful of examples of its own.

    Raises:
        StudioError: `induction_failed` if the model repeats itself or says nothing.
    """
    cache = Cache("instructions", asker.settings(HOW))
    found: dict[str, str] = {}
    for attempt in range(TRIES):
        numbers = range(attempt * count, (attempt + 1) * count)
        questions = [_question(asker, records, number) for number in numbers]
        for answer in asker.ask(cache, questions, HOW, "Inducing instructions"):
            # Half an instruction is better than none.
            cut = decode(asker.chat.tokenizer, answer.ids, special=False)
            text = " ".join((asker.text(answer) or cut).split())
            if not _is_echo(text):
                found.setdefault(normalized(text), text)
        if len(found) >= count:
            return list(found.values())[:count]
    raise failure(
        "induction_failed",
        f"The model gave {len(found)} different instructions, and {count} are needed.",
        "Lower objective.agreement.views, or take other contexts.",
        field="objective.agreement.contexts",
    )


def _is_echo(text: str) -> bool:
    """Whether a text says nothing, or only repeats a part of the request, as small models do."""
    return normalized(text) in normalized(INSTRUCTION_REQUEST)


def _question(asker: Asker, records: Sequence[Record], number: int) -> Question:
    """The request with a handful of examples, or with fewer where they are too long together."""
    seed = derive_seed(asker.config.training.seed, "induction", number)
    chosen = random.Random(seed).sample(records, min(EXAMPLES, len(records)))  # noqa: S311
    for shown in range(len(chosen), 0, -1):
        prompt = asker.prompt(ask_for_instruction(chosen[:shown], asker.config))
        if asker.has_room(prompt, HOW):
            break
    else:
        raise failure(
            "induction_failed",
            f"Not even the worked example of line {chosen[0].line} alone fits into the model's "
            f"context of {asker.context} tokens.",
            "Take other contexts, or a model with a longer context.",
            field="objective.agreement.contexts",
        )
    return Question([prompt, seed], prompt, seed)

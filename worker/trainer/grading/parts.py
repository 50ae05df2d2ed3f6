"""Which part of an answer each piece of its text belongs to: reasoning, letter, code, action."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import accumulate
from typing import Final, Literal, NamedTuple

from core.record import Record
from worker.trainer.grading.choice import letter_place
from worker.trainer.grading.code import code_places
from worker.trainer.grading.texts import answer_place
from worker.trainer.grading.tools import call_places

Part = Literal["reasoning", "answer letter", "answer", "code", "action", "arguments", "end"]
REST: Final[Part] = "reasoning"


class Place(NamedTuple):
    """Characters of a text that are one part of it."""

    begin: int
    end: int
    part: Part


def parts_of(record: Record, text: str) -> list[Place]:
    """The parts of an answer that are not reasoning, in their order.

    The letter that a multiple-choice answer names, what follows the last “Answer:” for numbers and
    texts, the code, the names of the tools called and their arguments.
    """
    return sorted(_places(record, text))


def _places(record: Record, text: str) -> Iterator[Place]:
    match record.task:
        case "choice":
            found = letter_place(text, record.choices)
            if found:
                yield Place(*found, "answer letter")
        case "number" | "text":
            found = answer_place(text)
            if found:
                yield Place(*found, "answer")
        case "code":
            for place in code_places(text):
                yield Place(*place, "code")
        case "tools":
            for action, arguments in call_places(text):
                yield Place(*action, "action")
                if arguments:
                    yield Place(*arguments, "arguments")


def parts_of_tokens(record: Record, pieces: Sequence[str], *, ended: bool) -> list[Part]:
    """The part that each token belongs to: that of its first character that is no space.

    Args:
        record: says what kind of answer it is.
        pieces: texts of the tokens, which together are the answer.
        ended: whether the last token is the end of the answer and no text.
    """
    told = pieces[:-1] if ended else pieces
    text = "".join(told)
    places = parts_of(record, text)
    ends = list(accumulate(map(len, told)))
    parts: list[Part] = [
        _part(places, end - len(piece.lstrip()) if piece.strip() else end - len(piece))
        for piece, end in zip(told, ends, strict=True)
    ]
    return [*parts, "end"] if ended else parts


def _part(places: Sequence[Place], at: int) -> Part:
    return next((place.part for place in places if place.begin <= at < place.end), REST)

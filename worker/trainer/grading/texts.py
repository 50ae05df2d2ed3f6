"""Free texts as answers: what is taken for the answer, and when two say the same."""

from __future__ import annotations

import re
import unicodedata
from typing import Final

_ARTICLES: Final = frozenset({"a", "an", "the"})
_AFTER_ANSWER: Final = re.compile(
    r"[ \t*_#]*\b(?:(?:the|final|so|my)\s+)*answer\**\s*:\s*(.+)", re.IGNORECASE
)
_SIGNS: Final = frozenset("+-*/<>=^%.")
"""Punctuation that can be the point of an answer: 1/2 is not 12, and x<3 is not x>3."""
_BETWEEN: Final = re.compile(r"(?<=\w)\s*([<>=/^]+)\s*(?=\w)|(?<=\d)\s+([-+])\s+(?=\d)")
_BEFORE: Final = re.compile(r"[-+]?\.?\d")
_TRAILING: Final = re.compile(r"(?:[-*/<>=^.]|(?<!\d)%)+$")
_PERCENT: Final = re.compile(r"(?<=\d)\s+%")


def split_answer(text: str) -> tuple[str, str] | None:
    """What stands before the last “Answer:”, and what follows it on its line; None without one."""
    places = list(_AFTER_ANSWER.finditer(text))
    answer = places[-1][1].strip(" \t\r*_") if places else ""
    return (text[: places[-1].start()].strip(), answer) if answer else None


def answer_place(text: str) -> tuple[int, int] | None:
    """Where the answer stands that follows the last “Answer:”, as (begin, end); None without."""
    places = list(_AFTER_ANSWER.finditer(text))
    return places[-1].span(1) if places else None


def after_answer(text: str) -> str:
    """What follows the last “Answer:” on its line, else the whole text."""
    found = split_answer(text)
    return found[1] if found else text.strip()


def same(one: str, other: str) -> bool:
    """Whether two texts say the same; where nothing but articles and signs is left, exactly."""
    if not normalized(other):
        return one.strip().casefold() == other.strip().casefold()
    return normalized(one) == normalized(other)


def normalized(text: str) -> str:
    """Lower case without punctuation, articles, separators in numbers and spare spaces.

    Signs of arithmetic stay where they join words or numbers, and before a number.
    """
    text = unicodedata.normalize("NFKC", text).replace("\u2212", "-").casefold()
    text = re.sub(r"(?<=\d),(?=\d{3}\b)", "", text)
    text = "".join(" " if _is_punctuation(char) else char for char in text)
    text = _PERCENT.sub("%", _BETWEEN.sub(lambda sign: sign[1] or sign[2], text))
    words = map(_bare, text.split())
    return " ".join(word for word in words if word and word not in _ARTICLES)


def _is_punctuation(char: str) -> bool:
    kind = unicodedata.category(char)
    return char not in _SIGNS and (char in "`|~" or kind == "Sc" or kind.startswith("P"))


def _bare(word: str) -> str:
    """A word without the signs at its ends that mean nothing there: `**23**.` is 23."""
    word = _TRAILING.sub("", word)
    while word and word[0] in _SIGNS and not _BEFORE.match(word):
        word = word[1:]
    return word

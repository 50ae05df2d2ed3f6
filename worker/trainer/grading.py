"""Whether an answer is right: letters of multiple choice, else normalised texts.

Ambiguous answers count as not extracted; nothing is guessed.
"""

from __future__ import annotations

import re
import string
from collections.abc import Sequence
from typing import Final, NamedTuple

from core.records import LETTERS, Record

_ENDS: Final = r"(?=\s*(?:$|[.,;:)\]*\n-])|\s+(?i:because|since)\b)"
"""“A” and “I” are words too; they are letters only where something ends."""
_STATED: Final = re.compile(
    r"\b(?i:answer|option|choice)\s*(?i:is)?\s*[:=-]?\s*[(\[*]*"
    rf"(?:([B-HJ-Z])(?![A-Za-z'])|([AI]){_ENDS})",
    re.MULTILINE,
)
_FIRST: Final = re.compile(r"^\s*\(?\*{0,2}([A-Z])\*{0,2}(?:[.):]|\s*$)", re.MULTILINE)
_ARTICLES: Final = re.compile(r"\b(a|an|the)\b")
_AFTER_ANSWER: Final = re.compile(r"answer\s*:\s*(.+)", re.IGNORECASE)


class Grade(NamedTuple):
    """A verdict.

    Attributes:
        extracted: the letter or text that was taken for the answer; None if there was none.
        correct: whether it is right; a missing answer is not.
    """

    extracted: str | None
    correct: bool


def grade(record: Record, text: str) -> Grade:
    """Grade a completion against a record's answer."""
    if record.correct is not None:
        letter = extract_letter(text, record.choices)
        return Grade(letter, letter == LETTERS[record.correct])
    given = after_answer(text)
    right = normalized(record.answer)
    return Grade(given or None, normalized(given) == right or normalized(text) == right)


def extract_letter(text: str, choices: Sequence[str]) -> str | None:
    """The letter that a text chooses, or None.

    In this order: letters named as the answer (“Answer: B”, “the answer is B”), letters that begin
    a line (“B.”, “(B)”, “B”), options quoted in full. At each level all must agree.
    """
    known = LETTERS[: len(choices)]
    for found in (
        ["".join(groups) for groups in _STATED.findall(text)],
        _FIRST.findall(text),
        _quoted(text, choices),
    ):
        letters = {letter for letter in found if letter in known}
        if len(letters) == 1:
            return letters.pop()
        if letters:
            return None
    return None


def _quoted(text: str, choices: Sequence[str]) -> list[str]:
    """Letters of the options that stand in the text as whole words."""
    plain = f" {normalized(text)} "
    return [
        LETTERS[index]
        for index, choice in enumerate(choices)
        if normalized(choice) and f" {normalized(choice)} " in plain
    ]


def after_answer(text: str) -> str:
    """What follows the last “Answer:” on its line, else the whole text."""
    found = _AFTER_ANSWER.findall(text)
    return (found[-1] if found else text).strip()


def normalized(text: str) -> str:
    """Lower case without punctuation, articles, separators in numbers and spare spaces."""
    text = re.sub(r"(?<=\d),(?=\d{3}\b)", "", text.casefold())
    text = "".join(
        " " if char in string.punctuation and char not in ".-" else char for char in text
    )
    text = re.sub(r"\.(?!\d)|(?<!\S)-(?!\d)", " ", text)
    return " ".join(_ARTICLES.sub(" ", text).split())

"""Whether an answer is right: letters of multiple choice, else normalised texts.

Ambiguous answers count as not extracted; nothing is guessed.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from typing import Final, NamedTuple

from core.record import Record
from core.record_fields import LETTERS

_ENDS: Final = r"(?=\s*(?:$|[.,;:)\]}*\n-])|\s+(?i:because|since)\b)"
"""“A” and “I” are words too, and so is “a”; they are letters only where something ends."""
_OPENS: Final = r"[\s(\[*_\"'“$]*(?:\\(?:boxed|text)\{)*"
_LETTER: Final = rf"(?:([B-HJ-Z])(?![A-Za-z'’])|([AI]){_ENDS})"
_ANSWER: Final = re.compile(
    r"\b(?i:answer)\**\s*(?:"
    rf"[:=]{_OPENS}(?:{_LETTER}|([a-z]){_ENDS})"
    rf"|(?i:is)\s*:?{_OPENS}(?i:option\s+|choice\s+)?[(\[*]*{_LETTER}"
    rf"|-?{_OPENS}{_LETTER})",
    re.MULTILINE,
)
_OPTION: Final = re.compile(
    rf"\b(?i:option|choice)\s*(?i:is)?\s*[:=-]?{_OPENS}{_LETTER}", re.MULTILINE
)
_FIRST: Final = re.compile(r"^\s*\(?\*{0,2}([A-Z])\*{0,2}(?:[.):]|\s*$)", re.MULTILINE)
_HEDGED: Final = re.compile(r"[)\]*.]*\s*(?:or|and|/|&)\s*[(\[*]*([A-Z])\b")
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
    return Grade(given or None, _same(given, record.answer) or _same(text, record.answer))


def extract_letter(text: str, choices: Sequence[str]) -> str | None:
    """The letter that a text chooses, or None.

    In this order: the last line that names an answer (“Answer: B”, “the answer is B”), letters
    named as an option (“the best option is B”), letters that begin a line (“B.”, “(B)”, “B”),
    options quoted in full. What is found at the first level that finds something must agree.
    """
    known = LETTERS[: len(choices)]
    for found in (_answered(text), _letters(_OPTION, text), _FIRST.findall(text)):
        letters = {letter for letter in found if letter in known}
        if letters:
            return letters.pop() if len(letters) == 1 else None
    quoted = set(_quoted(text, choices))
    return quoted.pop() if len(quoted) == 1 else None


def _answered(text: str) -> list[str]:
    """Letters on the last line that names an answer: whoever thinks aloud may change their mind."""
    places = list(_ANSWER.finditer(text))
    if not places:
        return []
    begin = text.rfind("\n", 0, places[-1].start()) + 1
    found: list[str] = []
    for place in places:
        if place.start() >= begin:
            found.append("".join(filter(None, place.groups())).upper())
            other = _HEDGED.match(text, place.end())
            found += [other[1]] if other else []
    return found


def _letters(pattern: re.Pattern[str], text: str) -> list[str]:
    return ["".join(groups) for groups in pattern.findall(text)]


def _quoted(text: str, choices: Sequence[str]) -> list[str]:
    """Letters of the options that stand in the text as whole words."""
    plain = f" {normalized(text)} "
    return [
        LETTERS[index]
        for index, choice in enumerate(choices)
        if normalized(choice) and f" {normalized(choice)} " in plain
    ]


def split_answer(text: str) -> tuple[str, str] | None:
    """What stands before the last “Answer:”, and what follows it on its line; None without one."""
    places = list(_AFTER_ANSWER.finditer(text))
    answer = places[-1][1].strip(" \t\r*_") if places else ""
    return (text[: places[-1].start()].strip(), answer) if answer else None


def after_answer(text: str) -> str:
    """What follows the last “Answer:” on its line, else the whole text."""
    found = split_answer(text)
    return found[1] if found else text.strip()


def _same(one: str, other: str) -> bool:
    """Whether two texts say the same; where nothing but articles and signs is left, exactly."""
    if not normalized(other):
        return one.strip().casefold() == other.strip().casefold()
    return normalized(one) == normalized(other)


def normalized(text: str) -> str:
    """Lower case without punctuation, articles, separators in numbers and spare spaces.

    Signs of arithmetic stay where they join words or numbers, and before a number.
    """
    text = re.sub(r"(?<=\d),(?=\d{3}\b)", "", text.casefold())
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

"""The letter that an answer to a multiple-choice question chooses.

Ambiguous answers count as not extracted; nothing is guessed.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final

from core.record_fields import LETTERS
from worker.trainer.grading.texts import normalized

_ENDS: Final = r"(?=\s*(?:$|[.,;:)\]}*\n!$`\"'’”<-](?!\w))|\s+(?i:because|since)\b)"
"""“A” and “I” are words too, and so is “a”; they are letters only where something ends."""
_OPENS: Final = r"[\s(\[{<*_\"'‘“`$]*(?:\\(?:boxed|text)\{)*"
_LETTER: Final = rf"(?:([B-HJ-Z])(?![A-Za-z0-9]|['’-]\w)|([AI]){_ENDS})"
_ANSWER: Final = re.compile(
    r"\b(?i:answer)\**\s*(?:"
    rf"[:=]{_OPENS}(?:{_LETTER}|([a-z]){_ENDS})"
    rf"|(?i:is)\s*(?:(?i:definitely|clearly|probably)\s+)?:?{_OPENS}(?i:option\s+|choice\s+)?[(\[*]*{_LETTER}"
    rf"|-?{_OPENS}{_LETTER})",
    re.MULTILINE,
)
_OPTION: Final = re.compile(
    rf"\b(?i:option|choice)\s*(?i:is)?\s*[:=-]?{_OPENS}{_LETTER}", re.MULTILINE
)
_FIRST: Final = re.compile(r"^\s*\(?\*{0,2}([A-Z])\*{0,2}(?:[.):]|\s*$)", re.MULTILINE)
_HEDGED: Final = re.compile(
    r"[)\]*.]*\s*(?:\(?\s*(?:or|and)\b\s*(?:maybe\s+)?|/|&|,)\s*[(\[*]*"
    r"(?:([B-HJ-Z])\b|([AI])(?=\s*(?:$|[.,;)\]])))"
)
_BOXED: Final = re.compile(r"\\boxed\{\s*(?:\\text\{)?\(?([A-Z])\)?\s*\}")


def extract_letter(text: str, choices: Sequence[str]) -> str | None:
    r"""The letter that a text chooses, or None.

    In this order: what is boxed (“\boxed{B}”), the last line that names an answer (“Answer: B”,
    “the answer is B”), letters named as an option (“the best option is B”), letters that begin a
    line (“B.”, “(B)”, “B”), options quoted in full. What is found at the first level that finds
    something must agree.
    """
    known = set(LETTERS[: len(choices)])
    for named in (set(_BOXED.findall(text)), set(_answered(text))):
        if named:  # a letter that is no option is an answer all the same, and not a right one
            return named.pop() if len(named) == 1 and named <= known else None
    for found in (_letters(_OPTION, text), _FIRST.findall(text)):
        letters = known.intersection(found)
        if letters:
            return letters.pop() if len(letters) == 1 else None
    quoted = set(_quoted(text, choices))
    return quoted.pop() if len(quoted) == 1 else None


def letter_place(text: str, choices: Sequence[str]) -> tuple[int, int] | None:
    """Where the letter stands that a text chooses, as (begin, end); None where none is named."""
    letter = extract_letter(text, choices)
    if letter is None:
        return None
    for pattern in (_BOXED, _ANSWER, _OPTION, _FIRST):
        places = [
            found.span(group)
            for found in pattern.finditer(text)
            for group in range(1, pattern.groups + 1)
            if (found[group] or "").upper() == letter
        ]
        if places:
            return places[-1]
    return None


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
            found += [other[1] or other[2]] if other else []
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

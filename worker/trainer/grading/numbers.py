"""The number that an answer to a calculation gives."""

from __future__ import annotations

import re
from decimal import Decimal, InvalidOperation
from typing import Final

_NUMBER: Final = r"[-+]?(?:\d{1,3}(?:,\d{3})+|\d+)(?:\.\d+)?"
_FOUND: Final = re.compile(rf"(?<![\w.,])([-+]?)[$€£]?\s*({_NUMBER})(?![\d]|[.,]\d)")
_MARKED: Final = re.compile(r"####[ \t]*(.+)")
_NEXT: Final = re.compile(r"^\s*(?:Question|Q)\s*:", re.MULTILINE)
"""Where a base model goes on with a question of its own."""
_BOXED: Final = re.compile(r"\\boxed\{([^{}]*)\}")
_NAMED: Final = re.compile(
    r"\b(?:final\s+)?answer\**\s{0,8}(?:[:=]|is\b)\s{0,8}:?[*\s]{0,8}(.+)", re.IGNORECASE
)


def extract_number(text: str) -> str | None:
    r"""The number that a text ends with as its result, or None.

    In this order, each time the last place: after `####`, in `\boxed{}`, after “Answer:” or “the
    answer is”, the last line. Where that place holds several numbers, only what follows its last
    equals sign counts; several that differ are no answer.
    """
    text = text.replace("\u2212", "-")
    later = _NEXT.search(text, 1)
    text = text[: later.start()] if later and text[: later.start()].strip() else text
    for pattern in (_MARKED, _BOXED, _NAMED):
        places = pattern.findall(text)
        if places:
            return _only_number(places[-1])
    lines = [line for line in text.splitlines() if line.strip()]
    return _only_number(lines[-1]) if lines else None


def same_number(one: str | None, other: str) -> bool:
    """Whether two numbers are equal; what is no number equals nothing."""
    first, second = _value(one), _value(other)
    return first is not None and first == second


def _only_number(text: str) -> str | None:
    found: set[str] = {
        (sign if number[0] not in "+-" else "") + number.replace(",", "")
        for sign, number in _FOUND.findall(text.rpartition("=")[2])
    }
    if len({_value(number) for number in found}) != 1:
        return None
    return found.pop().removeprefix("+")


def _value(text: str | None) -> Decimal | None:
    if text is None:
        return None
    try:
        value = Decimal(text.replace(",", "").strip().lstrip("$"))
    except InvalidOperation:
        return None
    return value if value.is_finite() else None

"""Finds and sorts examples of one evaluation. Pure."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from math import isnan, nan
from typing import Final, Literal

from app.errors import NotFoundError
from app.evaluations.quadrants import Quadrant, gain, quadrant
from app.evaluations.schemas import Example

Sort = Literal[
    "index",
    "-index",
    "tokens",
    "-tokens",
    "gain",
    "-gain",
    "jsd",
    "-jsd",
    "base_logprob",
    "-base_logprob",
    "tuned_logprob",
    "-tuned_logprob",
    "reverse_jsd",
    "-reverse_jsd",
    "reverse_logprob",
    "-reverse_logprob",
    "gold_change",
    "-gold_change",
]
Bounds = tuple[float | None, float | None]
"""Least and greatest; what has no value lies within no bounds."""
_ANY: Final[Bounds] = (None, None)


@dataclass(frozen=True)
class ExampleFilter:
    """Which examples a list shows."""

    correct: bool | None = None
    regressed: bool | None = None
    quadrant: Quadrant | None = None
    text: str | None = None
    jsd: Bounds = _ANY
    base_logprob: Bounds = _ANY


def find_example(examples: Sequence[Example], index: int, sample: int) -> Example:
    """One answer, or `NotFoundError`."""
    for one in examples:
        if (one.index, one.sample) == (index, sample):
            return one
    raise NotFoundError(
        f"The evaluation has no answer {sample} to question {index}.",
        "Choose one of its examples.",
    )


def select_examples(
    examples: Sequence[Example], wanted: ExampleFilter, *, sort: Sort, limit: int, offset: int
) -> tuple[list[Example], int]:
    """A page of examples and how many there are."""
    value = _VALUES[sort.removeprefix("-")]
    sign = -1 if sort.startswith("-") else 1

    def place(one: Example) -> tuple[bool, float, float, int, int]:
        # Examples without the value come last, whichever way they are sorted.
        key, jsd = value(one), _of(one, "forward", "jsd")
        # Of equal ones the farthest from the base comes first; a position is enough for itself.
        tie = 0.0 if sort.endswith("index") or isnan(jsd) else -jsd
        return isnan(key), sign * key, tie, one.index, one.sample

    found = sorted((one for one in examples if _matches(one, wanted)), key=place)
    return found[offset : offset + limit], len(found)


def _matches(example: Example, wanted: ExampleFilter) -> bool:
    if wanted.correct is not None and example.correct is not wanted.correct:
        return False
    regressed = quadrant(example) == "regressed"
    if wanted.regressed is not None and regressed is not wanted.regressed:
        return False
    if wanted.quadrant is not None and quadrant(example) != wanted.quadrant:
        return False
    for name, bounds in (("jsd", wanted.jsd), ("base_logprob", wanted.base_logprob)):
        if bounds != _ANY and not _within(_of(example, "forward", name), bounds):
            return False
    text = (wanted.text or "").casefold()
    shown = (example.id, example.prompt, example.answer)
    return not text or any(text in part.casefold() for part in shown)


def _within(value: float, bounds: Bounds) -> bool:
    low, high = bounds
    above = value >= low if low is not None else not isnan(value)
    return above and (high is None or value <= high)


def _of(example: Example, direction: str, name: str) -> float:
    """A mean of a completion; NaN where it says nothing."""
    strip = getattr(example.retention, direction) if example.retention else None
    return nan if strip is None else float(getattr(strip, name))


def _gain(example: Example) -> float:
    found = gain(example)
    return nan if found is None else found


def _gold_change(example: Example) -> float:
    """By how much the reference has become more likely."""
    return _of(example, "gold", "tuned_logprob") - _of(example, "gold", "base_logprob")


_VALUES: Final[dict[str, Callable[[Example], float]]] = {
    "index": lambda example: example.index,
    "tokens": lambda example: example.tokens,
    "gain": _gain,
    "jsd": lambda example: _of(example, "forward", "jsd"),
    "base_logprob": lambda example: _of(example, "forward", "base_logprob"),
    "tuned_logprob": lambda example: _of(example, "forward", "tuned_logprob"),
    "reverse_jsd": lambda example: _of(example, "reverse", "jsd"),
    "reverse_logprob": lambda example: _of(example, "reverse", "tuned_logprob"),
    "gold_change": _gold_change,
}

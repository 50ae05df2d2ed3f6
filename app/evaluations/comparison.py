"""Compares two evaluations example by example. Pure: rows in, figures out."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

from app.evaluations.schemas import Comparison, Example, Quadrants, Retained, Side, Strip
from app.statistics import Interval, mcnemar, paired_bootstrap, wilson
from core.errors import Problem, StudioError

DIRECTIONS: Final = ("forward", "reverse", "gold")
_Pair = tuple[Example, Example]


def rate_intervals(summary: Mapping[str, Any]) -> dict[str, Interval]:
    """Wilson intervals of a summary's rates; none where a question has several answers."""
    questions = int(summary.get("questions", 0))
    if questions != summary.get("answers"):
        return {}
    return {
        name: wilson(round(summary[name] * questions), questions)
        for name in ("accuracy", "extracted")
    }


def compare(first: Sequence[Example], second: Sequence[Example]) -> Comparison:
    """Compare two evaluations on the answers that both gave to the same question.

    Raises:
        StudioError: `evaluations_differ` if they have no question in common.
    """
    ones, others = _by_key(first), _by_key(second)
    common = [key for key in ones if key in others]
    if not common:
        raise StudioError(
            Problem(
                code="evaluations_differ",
                message="The two evaluations have no question in common.",
                remedy="Compare evaluations of the same set.",
            )
        )
    pairs = [(ones[key], others[key]) for key in common]
    rates = [_means(pairs, lambda example: float(example.correct), side) for side in (0, 1)]
    verdicts = [[pair[side].correct for pair in pairs] for side in (0, 1)]
    return Comparison(
        examples=len(pairs),
        only_first=len(ones) - len(pairs),
        only_second=len(others) - len(pairs),
        first=_side([pair[0] for pair in pairs]),
        second=_side([pair[1] for pair in pairs]),
        accuracy=paired_bootstrap(*rates),
        quadrants=_quadrants(*verdicts),
        mcnemar=mcnemar(*verdicts),
        retention={
            direction: found
            for direction in DIRECTIONS
            if (found := _retained(pairs, direction)) is not None
        },
    )


def _by_key(examples: Sequence[Example]) -> dict[tuple[str, int, str, int], Example]:
    """Examples by what was asked; the prompt tells one wording of a question from another."""
    return {(one.id, one.line, one.prompt, one.sample): one for one in examples}


def _side(examples: Sequence[Example]) -> Side:
    return Side(
        accuracy=wilson(sum(one.correct for one in examples), len(examples)),
        extracted=wilson(sum(one.extracted is not None for one in examples), len(examples)),
    )


def _means(pairs: Sequence[_Pair], value: Callable[[Example], float], side: int) -> list[float]:
    """One value for each question: the mean over its answers."""
    of_question: dict[tuple[str, int], list[float]] = defaultdict(list)
    for pair in pairs:
        of_question[pair[0].id, pair[0].line].append(value(pair[side]))
    return [sum(values) / len(values) for values in of_question.values()]


def _quadrants(first: Sequence[bool], second: Sequence[bool]) -> Quadrants:
    pairs = list(zip(first, second, strict=True))
    return Quadrants(
        both=pairs.count((True, True)),
        only_first=pairs.count((True, False)),
        only_second=pairs.count((False, True)),
        neither=pairs.count((False, False)),
    )


def _retained(pairs: Sequence[_Pair], direction: str) -> Retained | None:
    strips = [
        (one, other)
        for pair in pairs
        if (one := _strip(pair[0], direction)) and (other := _strip(pair[1], direction))
    ]
    if not strips:
        return None
    count = len(strips)
    return Retained(
        examples=count,
        lower_jsd=wilson(sum(other.jsd < one.jsd for one, other in strips), count),
        higher_base_logprob=wilson(
            sum(other.base_logprob > one.base_logprob for one, other in strips), count
        ),
        jsd=paired_bootstrap([one.jsd for one, _ in strips], [other.jsd for _, other in strips]),
        base_logprob=paired_bootstrap(
            [one.base_logprob for one, _ in strips], [other.base_logprob for _, other in strips]
        ),
    )


def _strip(example: Example, direction: str) -> Strip | None:
    found: Strip | None = getattr(example.retention, direction) if example.retention else None
    return found

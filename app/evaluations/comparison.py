"""Compares two evaluations example by example. Pure: rows in, figures out."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

from app.evaluations.schemas import Comparison, Example, Quadrants, Retained, Side, Strip
from app.statistics import Interval, mcnemar, paired_bootstrap, two_level_bootstrap, wilson
from core.errors import Problem, StudioError

DIRECTIONS: Final = ("forward", "reverse", "gold")
_Pair = tuple[Example, Example]
_ByKey = dict[tuple[str, int, str, int], Example]


def rate_intervals(summary: Mapping[str, Any]) -> dict[str, Interval]:
    """Wilson intervals of a summary's rates; none where a question has several answers."""
    questions = int(summary.get("questions", 0))
    if questions != summary.get("answers"):
        return {}
    return {
        name: wilson(round(summary[name] * questions), questions)
        for name in ("accuracy", "extracted")
    }


def compare(first: Sequence[Sequence[Example]], second: Sequence[Sequence[Example]]) -> Comparison:
    """Compare two models on the answers that both gave to the same questions.

    Args:
        first: The first model's evaluations, one for each seed that it was trained with.
        second: The second's, in the order of the same seeds.

    Raises:
        StudioError: `evaluations_differ` if they have no question in common, or are not of equally
            many seeds.
    """
    if len(first) != len(second):
        raise _different(
            f"{len(first)} evaluations cannot be compared with {len(second)}: one for each seed is "
            "needed on both sides."
        )
    ones, others = [_by_key(one) for one in first], [_by_key(one) for one in second]
    common = [key for key in ones[0] if all(key in side for side in [*ones, *others])]
    if not common:
        raise _different(_why_apart(ones, others))
    seeds = [
        [(one[key], other[key]) for key in common] for one, other in zip(ones, others, strict=True)
    ]
    pairs = [pair for seed in seeds for pair in seed]
    # Several answers to one question are not independent, be they of seeds or of samples.
    single = len(seeds) == 1 and len({(one.id, one.line) for one, _ in pairs}) == len(pairs)
    verdicts = [[pair[side].correct for pair in pairs] for side in (0, 1)]
    return Comparison(
        seeds=len(seeds),
        examples=len(common),
        only_first=sum(len(one) - len(common) for one in ones),
        only_second=sum(len(other) - len(common) for other in others),
        first=_side([pair[0] for pair in pairs], single=single),
        second=_side([pair[1] for pair in pairs], single=single),
        accuracy=_difference(seeds, lambda example: float(example.correct)),
        quadrants=_quadrants(*verdicts),
        mcnemar=mcnemar(*verdicts) if single else None,
        retention={
            direction: found
            for direction in DIRECTIONS
            if (found := _retained(seeds, direction, single=single)) is not None
        },
    )


def _different(message: str) -> StudioError:
    remedy = "Compare evaluations of the same set."
    return StudioError(Problem(code="evaluations_differ", message=message, remedy=remedy))


def _why_apart(ones: Sequence[_ByKey], others: Sequence[_ByKey]) -> str:
    asked = [{key[:2] for side in sides for key in side} for sides in (ones, others)]
    if asked[0] & asked[1]:
        return (
            "The same questions were put in other words: the prompts differ, by chat template, "
            "system message, worked examples or options."
        )
    return "The evaluations have no question in common."


def _by_key(examples: Sequence[Example]) -> _ByKey:
    """Examples by what was asked; the prompt tells one wording of a question from another."""
    return {(one.id, one.line, one.prompt, one.sample): one for one in examples}


def _side(examples: Sequence[Example], *, single: bool) -> Side:
    return Side(
        accuracy=_rate([one.correct for one in examples], single=single),
        extracted=_rate([one.extracted is not None for one in examples], single=single),
    )


def _rate(hits: Sequence[bool], *, single: bool) -> Interval:
    """A share; with its Wilson interval where every question counts once."""
    found = wilson(sum(hits), len(hits))
    if single or found.estimate is None:
        return found
    note = "several answers to a question: no interval of a rate"
    return Interval(estimate=found.estimate, n=len(hits), note=note)


def _difference(seeds: Sequence[Sequence[_Pair]], value: Callable[[Example], float]) -> Interval:
    """Mean of second − first over questions, and over seeds where there are several."""
    sides = [[_means(pairs, value, side) for pairs in seeds] for side in (0, 1)]
    if len(seeds) == 1:
        return paired_bootstrap(sides[0][0], sides[1][0])
    return two_level_bootstrap(
        [
            [other - one for one, other in zip(*both, strict=True)]
            for both in zip(*sides, strict=True)
        ]
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


def _retained(seeds: Sequence[Sequence[_Pair]], direction: str, *, single: bool) -> Retained | None:
    """Only examples on which both models of every seed said something."""
    places = [
        place
        for place in range(len(seeds[0]))
        if all(_strip(one, direction) for seed in seeds for one in seed[place])
    ]
    if not places:
        return None
    kept = [[seed[place] for place in places] for seed in seeds]
    strips = [
        (one, other)
        for seed in kept
        for pair in seed
        if (one := _strip(pair[0], direction)) and (other := _strip(pair[1], direction))
    ]

    def value(name: str) -> Callable[[Example], float]:
        return lambda example: float(getattr(_strip(example, direction), name))

    return Retained(
        examples=len(places),
        lower_jsd=_rate([other.jsd < one.jsd for one, other in strips], single=single),
        higher_base_logprob=_rate(
            [other.base_logprob > one.base_logprob for one, other in strips], single=single
        )
        if direction == "forward"
        else None,
        jsd=_difference(kept, value("jsd")),
        base_logprob=_difference(kept, value("base_logprob")) if direction == "forward" else None,
        tuned_logprob=_difference(kept, value("tuned_logprob")),
    )


def _strip(example: Example, direction: str) -> Strip | None:
    found: Strip | None = getattr(example.retention, direction) if example.retention else None
    return found

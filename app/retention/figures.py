"""Figures of what a model has kept of its base. Pure: examples in, figures out."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Sequence
from typing import Final

from app.evaluations.quadrants import gain, grade, quadrant
from app.evaluations.schemas import Example, Strip
from app.retention.schemas import BaseQuadrants, Direction, DirectionFigures, Points, Retention
from app.statistics import Interval, mcnemar, paired_bootstrap, perplexity, summarize, wilson
from core.errors import Problem, StudioError

DIRECTIONS: Final[tuple[Direction, ...]] = ("forward", "reverse", "gold")
_SEVERAL: Final = "several answers to a question: no interval of a rate"


def retention_of(examples: Sequence[Example], direction: Direction = "forward") -> Retention:
    """All figures of one result.

    Args:
        examples: its answers.
        direction: whose points are given.

    Raises:
        StudioError: `retention_not_measured` if none was compared with the base.
    """
    compared = [one for one in examples if one.retention is not None]
    if not compared:
        raise _not_measured()
    ours = [one.correct for one in compared]
    bases = [_base_correct(one) for one in compared]
    single = len({(one.id, one.line) for one in compared}) == len(compared)
    found = [quadrant(one) for one in compared]
    return Retention(
        answers=len(examples),
        compared=len(compared),
        quadrants=BaseQuadrants(
            regressed=found.count("regressed"),
            improved=found.count("improved"),
            both_right=found.count("both_right"),
            both_wrong=found.count("both_wrong"),
        ),
        accuracy=_rate(compared, lambda one: one.correct, single=single),
        base_accuracy=_rate(compared, _base_correct, single=single),
        gain=paired_bootstrap(
            _by_question(compared, _base_correct),
            _by_question(compared, lambda one: one.correct),
        ),
        mcnemar=mcnemar(bases, ours) if single else None,
        directions={name: _figures(compared, name) for name in DIRECTIONS},
        points=_points(compared, direction),
    )


def strip(example: Example, direction: Direction) -> Strip | None:
    """What both say of one completion; None where that is empty, or nothing was compared."""
    found: Strip | None = getattr(example.retention, direction) if example.retention else None
    return found


def _not_measured() -> StudioError:
    return StudioError(
        Problem(
            code="retention_not_measured",
            message="This evaluation was not compared with the base.",
            remedy="Evaluate again with `retention: true`.",
        )
    )


def _base_correct(example: Example) -> bool:
    return example.retention is not None and example.retention.base_correct


def _rate(examples: Sequence[Example], hit: Callable[[Example], bool], *, single: bool) -> Interval:
    """A share; with its Wilson interval where every question has one answer."""
    if single:
        return wilson(sum(map(hit, examples)), len(examples))
    values = _by_question(examples, hit)
    return Interval(estimate=sum(values) / len(values), n=len(values), note=_SEVERAL)


def _by_question(examples: Sequence[Example], value: Callable[[Example], float]) -> list[float]:
    """One value for each question: the mean over its answers."""
    of_question: dict[tuple[str, int], list[float]] = defaultdict(list)
    for one in examples:
        of_question[one.id, one.line].append(float(value(one)))
    return [sum(values) / len(values) for values in of_question.values()]


def _figures(examples: Sequence[Example], direction: Direction) -> DirectionFigures:
    strips = [found for one in examples if (found := strip(one, direction)) is not None]
    base = summarize([one.base_logprob for one in strips])
    tuned = summarize([one.tuned_logprob for one in strips])
    return DirectionFigures(
        examples=len(strips),
        empty=len(examples) - len(strips),
        jsd=summarize([one.jsd for one in strips]),
        base_logprob=base,
        tuned_logprob=tuned,
        base_perplexity=_perplexity(base.mean),
        tuned_perplexity=_perplexity(tuned.mean),
    )


def _perplexity(mean: float | None) -> float | None:
    found = None if mean is None else perplexity(mean)
    return None if found == float("inf") else found


def _points(examples: Sequence[Example], direction: Direction) -> Points:
    shown = [
        (one, kept, quarter, gained)
        for one in examples
        if (kept := strip(one, direction)) is not None
        and (quarter := quadrant(one)) is not None
        and (gained := gain(one)) is not None
    ]
    return Points(
        index=[one.index for one, *_ in shown],
        sample=[one.sample for one, *_ in shown],
        quadrant=[quarter for *_, quarter, _ in shown],
        grade=[grade(one) for one, *_ in shown],
        gain=[gained for *_, gained in shown],
        jsd=[kept.jsd for _, kept, *_ in shown],
        base_logprob=[kept.base_logprob for _, kept, *_ in shown],
        tuned_logprob=[kept.tuned_logprob for _, kept, *_ in shown],
    )

"""Intervals and tests for what runs achieved: pure functions over numbers.

They live here because `core` promises pydantic alone and the trainer reports raw results without
intervals; the command line imports them from here too.

A result that has no interval says why in `note`; nothing is raised for too little data. Values that
are not finite are refused: what is missing must be left out, and counted, by the caller.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, Final

import numpy as np
import numpy.typing as npt
from pydantic import BaseModel, ConfigDict, Field

from core.errors import Problem, StudioError

LEVEL: Final = 0.95
RESAMPLES: Final = 10_000
_CHUNK: Final = 2_000_000
"""Numbers drawn at once."""
_FEW_VALUES: Final = 64

_Array = npt.NDArray[np.float64]


class _Result(BaseModel):
    model_config = ConfigDict(frozen=True, allow_inf_nan=False)


class Interval(_Result):
    """An estimate and where the truth is likely to lie."""

    estimate: float | None = Field(description="Null where there is nothing to estimate from.")
    low: float | None = Field(default=None, description="Null where there is no interval.")
    high: float | None = Field(default=None, description="Null where there is no interval.")
    n: int = Field(ge=0, description="Observations.")
    level: float = Field(default=LEVEL, description="Confidence level.")
    note: str = Field(default="", description="Why there is no interval, or what it leaves out.")


class Summary(_Result):
    """How values are distributed; null where there are too few."""

    n: int
    mean: float | None
    sd: float | None = Field(description="Sample standard deviation (divisor n − 1).")
    p10: float | None
    p25: float | None
    median: float | None
    p75: float | None
    p90: float | None


class McNemar(_Result):
    """Two graders of the same examples, or two models on them, where they differ."""

    only_first: int = Field(description="Examples that only the first got right.")
    only_second: int = Field(description="Examples that only the second got right.")
    p: float = Field(description="Two-sided exact p-value of “neither is better”.")


def wilson(successes: int, n: int, level: float = LEVEL) -> Interval:
    """Score interval of a rate (Wilson, 1927), without continuity correction.

    Raises:
        StudioError: `statistics_input` unless 0 ≤ successes ≤ n.
    """
    if not 0 <= successes <= n:
        raise _refused(f"{successes} successes of {n} are no rate")
    if n == 0:
        return Interval(estimate=None, n=0, level=level, note="no examples")
    z = float(_special().ndtri((1 + level) / 2))
    rate, shrink = successes / n, 1 + z * z / n
    middle = (rate + z * z / (2 * n)) / shrink
    half = z * math.sqrt(rate * (1 - rate) / n + z * z / (4 * n * n)) / shrink
    low = 0.0 if successes == 0 else max(0.0, middle - half)
    high = 1.0 if successes == n else min(1.0, middle + half)
    return Interval(estimate=rate, low=low, high=high, n=n, level=level)


def mean_interval(values: Sequence[float], level: float = LEVEL) -> Interval:
    """Mean with Student's t interval, for few independent values such as one per seed.

    Raises:
        StudioError: `statistics_input` for a value that is not finite.
    """
    array = _finite(values)
    n = len(array)
    if n == 0:
        return Interval(estimate=None, n=0, level=level, note="no values")
    mean = _mean(array)
    if n == 1:
        return Interval(estimate=mean, n=1, level=level, note="one value has no interval")
    half = _student(level, n - 1) * float(array.std(ddof=1)) / math.sqrt(n)
    note = "all values are equal" if _all_equal(array) else ""
    half = 0.0 if note else half
    return Interval(estimate=mean, low=mean - half, high=mean + half, n=n, level=level, note=note)


def welch(first: Sequence[float], second: Sequence[float], level: float = LEVEL) -> Interval:
    """Mean of `second` less mean of `first`, independent of each other, with Welch's t interval.

    Args:
        first: At least one value.
        second: At least one value.
        level: Confidence level.

    Raises:
        StudioError: `statistics_input` for a side without values or a value that is not finite.
    """
    ones, others = _finite(first), _finite(second)
    if not len(ones) or not len(others):
        raise _refused("a side has no values")
    estimate, n = _mean(others) - _mean(ones), len(ones) + len(others)
    if len(ones) == 1 or len(others) == 1:
        note = "one value on a side: no interval"
        return Interval(estimate=estimate, n=n, level=level, note=note)
    errors = [float(side.var(ddof=1)) / len(side) for side in (ones, others)]
    total = sum(errors)
    if not total:
        note = "all values of a side are equal"
        return Interval(estimate=estimate, low=estimate, high=estimate, n=n, level=level, note=note)
    shares = [
        (error / total) ** 2 / (len(side) - 1)
        for error, side in zip(errors, (ones, others), strict=True)
    ]
    half = _student(level, 1 / sum(shares)) * math.sqrt(total)
    return Interval(estimate=estimate, low=estimate - half, high=estimate + half, n=n, level=level)


def student_quantiles(freedom: npt.NDArray[np.int64], level: float = LEVEL) -> _Array:
    """Half-widths of Student's t intervals in standard errors, one for each degree of freedom."""
    kinds, places = np.unique(freedom, return_inverse=True)
    found = np.array([_student(level, int(kind)) for kind in kinds], dtype=np.float64)
    return np.asarray(found[places], dtype=np.float64)


def paired_bootstrap(
    first: Sequence[float],
    second: Sequence[float],
    *,
    seed: int = 0,
    resamples: int = RESAMPLES,
    level: float = LEVEL,
) -> Interval:
    """Mean of `second − first` over the same examples, with a BCa bootstrap interval (Efron, 1987).

    Args:
        first: One value per example.
        second: The same examples, in the same order.
        seed: Of the resampling; the same seed gives the same interval.
        resamples: Bootstrap samples.
        level: Confidence level.

    Raises:
        StudioError: `statistics_input` for unequal lengths or a value that is not finite.
    """
    if len(first) != len(second):
        raise _refused(f"pairs need equal lengths, not {len(first)} and {len(second)}")
    difference = _finite(second) - _finite(first)
    n = len(difference)
    if n == 0:
        return Interval(estimate=None, n=0, level=level, note="no examples")
    mean = _mean(difference)
    if n == 1:
        return Interval(estimate=mean, n=1, level=level, note="one example has no interval")
    if _all_equal(difference):
        return Interval(
            estimate=mean, low=mean, high=mean, n=n, level=level, note="all differences are equal"
        )
    means = _resampled_means(difference, np.random.default_rng(seed), resamples)
    low, high = np.quantile(means, _bca_levels(difference, means, level))
    return Interval(estimate=mean, low=float(low), high=float(high), n=n, level=level)


def two_level_bootstrap(
    differences: Sequence[Sequence[float]],
    *,
    seed: int = 0,
    resamples: int = RESAMPLES,
    level: float = LEVEL,
) -> Interval:
    """Mean over seeds and examples, both of which are drawn from many: percentile bootstrap.

    Every resample draws seeds, and examples once for all of its seeds, since all seeds answered the
    same examples (the pigeonhole bootstrap of Owen, 2007): what is hard stays hard for every seed.
    With few seeds it is somewhat too narrow, because it cannot see more spread than they show.

    Args:
        differences: One row per training seed, one column per example.
        seed: Of the resampling.
        resamples: Bootstrap samples.
        level: Confidence level.

    Returns:
        An interval whose `n` is the number of examples.

    Raises:
        StudioError: `statistics_input` for rows of unequal lengths or a value that is not finite.
    """
    if len({len(row) for row in differences}) > 1:
        raise _refused("every seed needs a value for the same examples")
    rows = [_finite(row) for row in differences]
    if not rows or not len(rows[0]):
        return Interval(estimate=None, n=0, level=level, note="no examples")
    table = np.stack(rows)
    seeds, n = table.shape
    mean = _mean(table.ravel())
    if seeds == 1 and n == 1:
        return Interval(estimate=mean, n=1, level=level, note="one value has no interval")
    generator = np.random.default_rng(seed)
    drawn = []
    for count in _chunks(resamples, n):
        examples = generator.multinomial(n, np.full(n, 1 / n), size=count) / n
        groups = generator.multinomial(seeds, np.full(seeds, 1 / seeds), size=count) / seeds
        drawn.append(np.sum((examples @ table.T) * groups, axis=1))
    low, high = np.quantile(np.concatenate(drawn), [(1 - level) / 2, (1 + level) / 2])
    note = "one seed: how much seeds vary is not in the interval" if seeds == 1 else ""
    if n == 1:
        note = "one example: how much examples vary is not in the interval"
    return Interval(estimate=mean, low=float(low), high=float(high), n=n, level=level, note=note)


def mcnemar(first: Sequence[bool], second: Sequence[bool]) -> McNemar:
    """Exact test of two sets of verdicts on the same examples (McNemar, 1947; binomial).

    Raises:
        StudioError: `statistics_input` for unequal lengths.
    """
    if len(first) != len(second):
        raise _refused(f"pairs need equal lengths, not {len(first)} and {len(second)}")
    pairs = list(zip(first, second, strict=True))
    only_first = sum(1 for one, two in pairs if one and not two)
    only_second = sum(1 for one, two in pairs if two and not one)
    differing = only_first + only_second
    p = (
        1.0
        if not differing
        else 2 * float(_special().bdtr(min(only_first, only_second), differing, 0.5))
    )
    return McNemar(only_first=only_first, only_second=only_second, p=min(1.0, p))


def summarize(values: Sequence[float]) -> Summary:
    """Mean, spread and quantiles (linear interpolation).

    Raises:
        StudioError: `statistics_input` for a value that is not finite.
    """
    array = _finite(values)
    n = len(array)
    if n == 0:
        return Summary(n=0, mean=None, sd=None, p10=None, p25=None, median=None, p75=None, p90=None)
    p10, p25, median, p75, p90 = map(float, np.quantile(array, [0.1, 0.25, 0.5, 0.75, 0.9]))
    sd = float(array.std(ddof=1)) if n > 1 else None
    return Summary(n=n, mean=_mean(array), sd=sd, p10=p10, p25=p25, median=median, p75=p75, p90=p90)


def perplexity(mean_logprob: float) -> float:
    """exp(−mean log-probability per token, nats); infinite where that exceeds the numbers.

    Raises:
        StudioError: `statistics_input` if the mean is not finite.
    """
    value = float(_finite([mean_logprob])[0])
    return math.exp(-value) if -value < 709 else math.inf


def student_interval(
    estimate: float, error: float, freedom: int, n: int, level: float = LEVEL
) -> Interval:
    """An estimate with its standard error and degrees of freedom, as Student's t interval."""
    if freedom < 1:
        note = "as many unknowns as runs: more seeds are needed for an interval"
        return Interval(estimate=estimate, n=n, level=level, note=note)
    half = _student(level, freedom) * error
    return Interval(estimate=estimate, low=estimate - half, high=estimate + half, n=n, level=level)


def _resampled_means(values: _Array, generator: np.random.Generator, resamples: int) -> _Array:
    """Means of `resamples` samples with replacement."""
    n = len(values)
    kinds, counts = np.unique(values, return_counts=True)
    if len(kinds) <= _FEW_VALUES:
        # How often each value is drawn is multinomial: the same distribution, much less to draw.
        drawn = generator.multinomial(n, counts / n, size=resamples)
        return np.asarray(drawn @ kinds / n, dtype=np.float64)
    return np.concatenate(
        [
            values[generator.integers(0, n, size=(count, n))].mean(axis=1)
            for count in _chunks(resamples, n)
        ]
    )


def _bca_levels(values: _Array, means: _Array, level: float) -> list[float]:
    """Quantiles of the bootstrap means that correct for bias and for skewness."""
    mean = values.mean()
    # Ties count half: means of few distinct values often equal the estimate.
    below = (means < mean).mean() + (means == mean).mean() / 2
    bias = float(_special().ndtri(np.clip(below, 1 / len(means), 1 - 1 / len(means))))
    centred = values - mean  # proportional to what the jackknife of a mean gives
    skew = float((centred**3).sum() / (6 * (centred**2).sum() ** 1.5))
    levels = []
    for tail in ((1 - level) / 2, (1 + level) / 2):
        z = bias + float(_special().ndtri(tail))
        levels.append(float(_special().ndtr(bias + z / (1 - skew * z))))
    return levels


def _chunks(resamples: int, n: int) -> list[int]:
    size = max(1, _CHUNK // n)
    full, rest = divmod(resamples, size)
    return [size] * full + [rest] * bool(rest)


def _special() -> Any:  # noqa: ANN401 - the library has no types
    import scipy.special  # noqa: PLC0415 - large, and seldom needed

    return scipy.special


def _student(level: float, freedom: float) -> float:
    return float(_special().stdtrit(freedom, (1 + level) / 2))


def _mean(array: _Array) -> float:
    """A mean that of equal values is that value, without rounding."""
    return float(array[0]) if _all_equal(array) else float(array.mean())


def _all_equal(array: _Array) -> bool:
    return bool((array == array[0]).all())


def _finite(values: Sequence[float]) -> _Array:
    array = np.asarray(values, dtype=np.float64)
    if not np.isfinite(array).all():
        raise _refused("a value is not finite")
    return array


def _refused(reason: str) -> StudioError:
    return StudioError(
        Problem(
            code="statistics_input",
            message=f"No statistics of these values: {reason}.",
            remedy="Leave out what is missing, and say how many were.",
        )
    )

from __future__ import annotations

import math

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from app.metrics.downsample import bands, downsample
from app.metrics.points import Points

FINITE = st.floats(-1e6, 1e6)
VALUE = st.one_of(FINITE, st.sampled_from([math.nan, math.inf, -math.inf]))
VALUES = st.one_of(st.lists(VALUE, max_size=400), st.lists(FINITE, max_size=400))


def _points(values: list[float]) -> Points:
    steps = list(range(len(values)))
    return Points.of(steps, values, [float(step) for step in steps])


@given(values=VALUES, limit=st.integers(5, 100))
def test_no_spike_is_lost_and_the_ends_stay(values: list[float], limit: int) -> None:
    kept = downsample(_points(values), limit)
    steps = kept.steps.tolist()
    assert len(steps) <= limit
    assert steps == sorted(set(steps))
    np.testing.assert_array_equal(kept.values, [values[step] for step in steps])
    np.testing.assert_array_equal(kept.times, kept.steps)
    if values:
        assert (steps[0], steps[-1]) == (0, len(values) - 1)
    finite = [value for value in values if math.isfinite(value)]
    if finite:
        shown = [value for value in kept.values.tolist() if math.isfinite(value)]
        assert (min(shown), max(shown)) == (min(finite), max(finite))
    assert np.isfinite(kept.values).all() == (len(finite) == len(values))


@given(values=VALUES, limit=st.integers(8, 100))
def test_every_stretch_keeps_its_extremes_and_a_gap(values: list[float], limit: int) -> None:
    """Against a plain reading of the rule, bucket by bucket."""
    kept = set(downsample(_points(values), limit).steps.tolist())
    if len(values) <= limit:
        return
    inner = list(enumerate(values))[1:-1]
    gaps = any(not math.isfinite(value) for _, value in inner)
    size = math.ceil(len(inner) / ((limit - 2) // (3 if gaps else 2)))
    expected = {0, len(values) - 1}
    for start in range(0, len(inner), size):
        bucket = inner[start : start + size]
        finite = [(value, step) for step, value in bucket if math.isfinite(value)]
        if finite:
            lowest, highest = min(finite)[0], max(finite)[0]
            expected.add(next(step for value, step in finite if value == lowest))
            expected.add(next(step for value, step in finite if value == highest))
        expected |= set([step for step, value in bucket if not math.isfinite(value)][:1])
    assert kept == expected


def test_short_series_stay_as_they_are() -> None:
    points = _points([1.0, math.nan, 2.0])
    assert downsample(points, 5) is points


@given(values=VALUES, limit=st.integers(5, 60))
def test_bands_are_the_mean_and_the_extremes_of_their_buckets(
    values: list[float], limit: int
) -> None:
    """Against a plain reading of the rule, bucket by bucket."""
    kept = bands(_points(values), limit)
    assert len(kept.counts) <= limit
    assert kept.counts.sum() == len(values)
    named: list[int] = []
    place = 0
    for i, count in enumerate(kept.counts.tolist()):
        bucket = list(enumerate(values))[place : place + count]
        place += count
        finite = [value for _, value in bucket if math.isfinite(value)]
        assert (kept.points.steps[i], kept.points.times[i]) == (place - 1, place - 1)
        named += [step for step, value in bucket if not math.isfinite(value)][:1]
        if not finite:
            assert np.isnan([kept.points.values[i], kept.low[i], kept.high[i]]).all()
            continue
        assert (kept.low[i], kept.high[i]) == (min(finite), max(finite))
        assert kept.low[i] <= kept.points.values[i] <= kept.high[i]
        np.testing.assert_allclose(
            kept.points.values[i], sum(finite) / len(finite), rtol=1e-9, atol=1e-6
        )
    assert kept.gaps.steps.tolist() == named
    np.testing.assert_array_equal(kept.gaps.values, [values[step] for step in named])
    if values:
        assert (kept.counts[0], kept.counts[-1]) == (1, 1) or len(values) < 3


def test_the_mean_of_the_largest_numbers_stays_one_of_them() -> None:
    kept = bands(_points([1.0, *[1.7e308] * 20, 1.0]), 5)
    assert np.isfinite(kept.points.values).all()

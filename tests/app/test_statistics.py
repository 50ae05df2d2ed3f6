"""Intervals against published values, scipy's own methods, naive code and their coverage."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from app.statistics import (
    Interval,
    mcnemar,
    mean_interval,
    paired_bootstrap,
    perplexity,
    student_interval,
    student_quantiles,
    summarize,
    two_level_bootstrap,
    welch,
    wilson,
)
from core.errors import StudioError

FINITE = st.floats(-1e6, 1e6)


def within(interval: Interval, truth: float) -> bool:
    assert interval.low is not None
    assert interval.high is not None
    return interval.low <= truth <= interval.high


@pytest.mark.parametrize(
    ("successes", "n", "low", "high"),
    [  # Newcombe, Statistics in Medicine 17 (1998), table I, method 3
        (81, 263, 0.2553, 0.3662),
        (15, 148, 0.0624, 0.1605),
        (0, 20, 0.0000, 0.1611),
        (1, 29, 0.0061, 0.1718),
    ],
)
def test_wilson_gives_the_published_intervals(successes, n, low, high):
    found = wilson(successes, n)
    assert (round(found.low, 4), round(found.high, 4)) == (low, high)


@given(st.integers(1, 3000), st.data())
def test_wilson_is_scipys(n, data):
    successes = data.draw(st.integers(0, n))
    found = wilson(successes, n)
    expected = stats.binomtest(successes, n).proportion_ci(method="wilson")
    assert found.low == pytest.approx(expected.low, abs=1e-12)
    assert found.high == pytest.approx(expected.high, abs=1e-12)
    assert 0 <= found.low <= found.estimate <= found.high <= 1


def test_no_examples_is_a_result_and_no_error():
    for found in (
        wilson(0, 0),
        mean_interval([]),
        paired_bootstrap([], []),
        two_level_bootstrap([]),
        two_level_bootstrap([[], []]),
    ):
        assert (found.estimate, found.low, found.n) == (None, None, 0)
        assert found.note.startswith("no ")
    assert summarize([]).mean is None
    assert mcnemar([], []).p == 1


def test_one_value_has_an_estimate_without_an_interval():
    for found in (
        mean_interval([3.5]),
        paired_bootstrap([1.0], [4.5]),
        two_level_bootstrap([[3.5]]),
    ):
        assert (found.estimate, found.low, found.high, found.n) == (3.5, None, None, 1)
        assert found.note
    assert summarize([3.5]).sd is None
    assert student_interval(3.5, 0.0, 0, 4).low is None


def test_equal_values_have_an_interval_without_width():
    tenth = [0.1] * 7
    for found in (mean_interval(tenth), paired_bootstrap([0.0] * 7, tenth)):
        assert (found.estimate, found.low, found.high) == (0.1, 0.1, 0.1)
        assert "equal" in found.note


@pytest.mark.parametrize("bad", [math.nan, math.inf, -math.inf])
def test_values_that_are_not_finite_are_refused(bad):
    for attempt in (
        lambda: mean_interval([1.0, bad]),
        lambda: paired_bootstrap([1.0, bad], [1.0, 2.0]),
        lambda: two_level_bootstrap([[1.0, bad]]),
        lambda: summarize([bad]),
        lambda: perplexity(bad),
    ):
        with pytest.raises(StudioError) as error:
            attempt()
        assert error.value.problem.code == "statistics_input"


def test_pairs_and_tables_must_fit():
    for attempt in (
        lambda: paired_bootstrap([1.0], [1.0, 2.0]),
        lambda: mcnemar([True], []),
        lambda: two_level_bootstrap([[1.0], [1.0, 2.0]]),
        lambda: wilson(3, 2),
        lambda: wilson(-1, 2),
    ):
        with pytest.raises(StudioError):
            attempt()


@given(st.lists(st.integers(-10_000, 10_000), min_size=2, max_size=20, unique=True))
def test_the_mean_of_seeds_is_scipys_t_interval(values):
    found = mean_interval(values)
    low, high = stats.t.interval(
        0.95, len(values) - 1, loc=np.mean(values), scale=stats.sem(values)
    )
    tolerance = 1e-9 * (1 + max(map(abs, values)))
    assert found.low == pytest.approx(low, abs=tolerance, rel=1e-6)
    assert found.high == pytest.approx(high, abs=tolerance, rel=1e-6)


@given(st.lists(st.tuples(st.booleans(), st.booleans()), max_size=60))
def test_mcnemar_is_scipys_binomial_test(pairs):
    found = mcnemar([a for a, _ in pairs], [b for _, b in pairs])
    differing = found.only_first + found.only_second
    expected = stats.binomtest(found.only_first, differing).pvalue if differing else 1.0
    assert found.p == pytest.approx(expected, abs=1e-12)
    assert found.only_first == sum(a and not b for a, b in pairs)


@pytest.mark.parametrize("kind", ["skewed", "verdicts"])
def test_the_paired_bootstrap_agrees_with_scipys_bca(kind):
    generator = np.random.default_rng(1)
    if kind == "skewed":
        first, second = generator.normal(size=80), generator.exponential(size=80)
    else:
        first, second = generator.integers(0, 2, 150), generator.integers(0, 2, 150)
    found = paired_bootstrap(first.tolist(), second.tolist(), seed=3)
    theirs = stats.bootstrap(
        (np.asarray(second - first, dtype=float),),
        np.mean,
        n_resamples=10_000,
        method="BCa",
        rng=np.random.default_rng(5),
    ).confidence_interval
    # Both are Monte Carlo: the ends differ by a small part of the width.
    width = theirs.high - theirs.low
    assert found.low == pytest.approx(theirs.low, abs=0.04 * width)
    assert found.high == pytest.approx(theirs.high, abs=0.04 * width)
    assert found.estimate == pytest.approx(float(np.mean(second - first)))


def test_the_bootstraps_repeat_with_their_seed():
    first, second = [0.0, 1.0, 1.0, 0.0, 0.3], [1.0, 1.0, 0.0, 1.0, 0.9]
    assert paired_bootstrap(first, second, seed=1) == paired_bootstrap(first, second, seed=1)
    table = [first, second]
    assert two_level_bootstrap(table, seed=2) == two_level_bootstrap(table, seed=2)


def test_two_levels_agree_with_a_naive_bootstrap():
    generator = np.random.default_rng(0)
    table = generator.normal(size=(4, 1)) + generator.normal(size=(1, 25)) * 2
    found = two_level_bootstrap(table.tolist())
    means = []
    for _ in range(4000):
        seeds = generator.integers(0, 4, 4)
        examples = generator.integers(0, 25, 25)
        means.append(np.mean([table[s, e] for s in seeds for e in examples]))
    low, high = np.quantile(means, [0.025, 0.975])
    assert found.low == pytest.approx(low, abs=0.06 * (high - low))
    assert found.high == pytest.approx(high, abs=0.06 * (high - low))


def test_one_seed_says_what_its_interval_leaves_out():
    found = two_level_bootstrap([[0.0, 1.0, 1.0, 0.0]])
    assert within(found, 0.5)
    assert "one seed" in found.note


def coverage(intervals: list[Interval], truth: float) -> float:
    return sum(within(interval, truth) for interval in intervals) / len(intervals)


def test_the_intervals_cover_the_truth_as_often_as_they_say():
    generator = np.random.default_rng(7)
    rates = [wilson(int(generator.binomial(60, 0.2)), 60) for _ in range(600)]
    assert 0.92 < coverage(rates, 0.2) < 0.98
    means = [mean_interval(generator.normal(2, 5, 4).tolist()) for _ in range(600)]
    assert 0.92 < coverage(means, 2) < 0.98
    pairs = [
        paired_bootstrap([0.0] * 60, generator.exponential(1, 60).tolist(), seed=i, resamples=1000)
        for i in range(300)
    ]
    assert 0.90 < coverage(pairs, 1) < 0.98
    groups = [
        two_level_bootstrap(
            (
                0.5 * generator.normal(size=(8, 1))
                + generator.normal(size=(1, 30))
                + generator.normal(size=(8, 30))
            ).tolist(),
            seed=i,
            resamples=500,
        )
        for i in range(200)
    ]
    assert 0.88 < coverage(groups, 0) < 0.99


@settings(max_examples=30)
@given(st.lists(FINITE, min_size=2, max_size=50))
def test_the_summary_is_numpys(values):
    found = summarize(values)
    assert found.median == pytest.approx(float(np.median(values)))
    assert found.p10 == pytest.approx(float(np.percentile(values, 10)))
    assert found.p90 == pytest.approx(float(np.percentile(values, 90)))
    assert found.sd == pytest.approx(float(np.std(values, ddof=1)), abs=1e-6)


def test_perplexity():
    assert perplexity(math.log(1 / 8)) == pytest.approx(8)
    assert perplexity(-1e6) == math.inf


WHOLE = st.lists(st.integers(-1000, 1000), min_size=2, max_size=8)


@given(WHOLE, WHOLE)
def test_welch_is_scipys(first, second):
    found = welch(first, second)
    assert found.estimate == pytest.approx(np.mean(second) - np.mean(first))
    if len(set(first)) > 1 and len(set(second)) > 1:  # else scipy warns
        expected = stats.ttest_ind(second, first, equal_var=False).confidence_interval()
        assert (found.low, found.high) == pytest.approx(tuple(expected))


def test_welch_says_what_it_cannot_tell():
    assert welch([1.0], [2.0, 4.0]).low is None
    assert welch([1.0, 1.0], [2.0, 2.0]).low == 1
    assert welch([0.0, 1e-180], [2.0, 2.0]).low == 2
    with pytest.raises(StudioError, match="no values"):
        welch([], [1.0])


def test_quantiles_of_students_t_are_scipys():
    freedom = np.array([3, 1, 3, 30])
    assert student_quantiles(freedom) == pytest.approx(stats.t.ppf(0.975, freedom))

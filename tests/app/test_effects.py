"""Effects are recovered from synthetic runs, and agree with means taken by hand."""

from __future__ import annotations

from itertools import product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from app.effects import Effect, Observation, cell_mean, effects
from core.errors import StudioError

FACTORS = {"method": ["sdft", "gkd", "ssd"], "ema": ["off", "on"], "clip": ["off", "on"]}
BASELINES = {"method": "sdft", "ema": "off", "clip": "off"}
ALL = [dict(zip(FACTORS, chosen, strict=True)) for chosen in product(*FACTORS.values())]


def of(found: list[Effect], **levels: str) -> Effect:
    (effect,) = [one for one in found if one.levels == levels]
    return effect


def linear(levels: dict[str, str], mains: dict[tuple[str, str], float], pairs) -> float:
    chosen = set(levels.items())
    return sum(value for term, value in mains.items() if term in chosen) + sum(
        value for term, value in pairs.items() if set(term) <= chosen
    )


MAINS = {("method", "gkd"): 2.0, ("method", "ssd"): -1.0, ("ema", "on"): 0.5, ("clip", "on"): 0.25}
PAIRS = {
    (("method", "gkd"), ("ema", "on")): 3.0,
    (("method", "ssd"), ("ema", "on")): -0.75,
    (("ema", "on"), ("clip", "on")): 1.25,
}


def runs(cells, seeds=(1, 2), noise=0.0, generator=None) -> list[Observation]:
    return [
        Observation(
            levels,
            seed,
            10.0 * seed
            + linear(levels, MAINS, PAIRS)
            + (noise * generator.normal() if generator else 0.0),
        )
        for levels in cells
        for seed in seeds
    ]


def check_exact(found: list[Effect]) -> None:
    ema = of(found, ema="on")
    # Averaged over three methods and two clips: 0.5 + (3 − 0.75) / 3 + 1.25 / 2
    assert ema.interval.estimate == pytest.approx(0.5 + 0.75 + 0.625)
    assert not ema.assumes_additive
    assert of(found, method="gkd").interval.estimate == pytest.approx(2 + 3 / 2)
    assert of(found, method="gkd", ema="on").interval.estimate == pytest.approx(3.0)
    assert of(found, ema="on", clip="on").interval.estimate == pytest.approx(1.25)
    assert of(found, method="ssd", clip="on").interval.estimate == pytest.approx(0, abs=1e-9)


def test_known_effects_are_recovered_whatever_the_seeds_add():
    found = effects(runs(ALL), FACTORS, BASELINES)
    check_exact(found)
    assert [one.kind for one in found].count("main") == 4
    assert [one.kind for one in found].count("interaction") == 5


@settings(max_examples=30, deadline=None)
@given(st.sets(st.integers(0, 23), max_size=5))
def test_missing_runs_bias_nothing(lost):
    present = [seen for index, seen in enumerate(runs(ALL)) if index not in lost]
    for effect in effects(present, FACTORS, BASELINES):
        if effect.interval.estimate is None or effect.assumes_additive:
            continue
        (truth,) = [
            other.interval.estimate
            for other in effects(runs(ALL), FACTORS, BASELINES)
            if other.levels == effect.levels
        ]
        assert effect.interval.estimate == pytest.approx(truth, abs=1e-8)


def test_a_balanced_study_agrees_with_differences_of_means_by_hand():
    generator = np.random.default_rng(2)
    seen = runs(ALL, (1, 2, 3), 1.0, generator)

    def mean(**levels):
        return np.mean([one.value for one in seen if levels.items() <= one.levels.items()])

    found = effects(seen, FACTORS, BASELINES)
    assert of(found, clip="on").interval.estimate == pytest.approx(
        mean(clip="on") - mean(clip="off")
    )
    assert of(found, method="ssd", ema="on").interval.estimate == pytest.approx(
        mean(method="ssd", ema="on")
        - mean(method="ssd", ema="off")
        - mean(method="sdft", ema="on")
        + mean(method="sdft", ema="off")
    )


def test_two_levels_over_seeds_are_the_paired_t_interval():
    generator = np.random.default_rng(3)
    off, on = generator.normal(size=6), generator.normal(1, 1, size=6)
    seen = [
        Observation({"ema": level}, seed, float(value))
        for level, values in (("off", off), ("on", on))
        for seed, value in enumerate(values)
    ]
    (found,) = effects(seen, {"ema": ["off", "on"]}, {"ema": "off"})
    low, high = stats.ttest_rel(on, off).confidence_interval()
    assert found.interval.low == pytest.approx(low)
    assert found.interval.high == pytest.approx(high)


def test_the_intervals_cover_the_truth_as_often_as_they_say():
    generator = np.random.default_rng(4)
    inside = []
    for _ in range(150):
        found = of(effects(runs(ALL, (1, 2), 1.0, generator), FACTORS, BASELINES), ema="on")
        inside.append(found.interval.low <= 1.875 <= found.interval.high)
    assert 0.90 < np.mean(inside) < 0.99


def test_one_mechanism_at_a_time_says_that_it_assumes_additivity():
    cells = [
        {"ema": "off", "clip": "off"},
        {"ema": "on", "clip": "off"},
        {"ema": "off", "clip": "on"},
    ]
    factors = {"ema": ["off", "on"], "clip": ["off", "on"]}
    found = effects(runs(cells, (1, 2, 3)), factors, {"ema": "off", "clip": "off"})
    ema = of(found, ema="on")
    assert ema.assumes_additive
    assert ema.interval.estimate == pytest.approx(0.5)
    both = of(found, ema="on", clip="on").interval
    assert both.estimate is None
    assert "not estimable" in both.note


def test_a_level_that_never_ran_is_not_estimable():
    cells = [levels for levels in ALL if levels["method"] != "ssd"]
    found = effects(runs(cells), FACTORS, BASELINES)
    assert of(found, method="ssd").interval.estimate is None
    assert of(found, method="gkd").interval.estimate == pytest.approx(3.5)


def test_one_seed_of_a_full_grid_has_estimates_without_intervals():
    cells = [{"ema": ema, "clip": clip} for ema in ("off", "on") for clip in ("off", "on")]
    factors = {"ema": ["off", "on"], "clip": ["off", "on"]}
    found = effects(runs(cells, (1,)), factors, {"ema": "off", "clip": "off"})
    interval = of(found, ema="on", clip="on").interval
    assert interval.estimate == pytest.approx(1.25)
    assert interval.low is None
    assert "seeds" in interval.note


def test_no_difference_is_zero_and_no_rounding_error():
    seen = [
        Observation({"ema": ema, "clip": clip}, 1, 0.3 + (clip == "on") / 7)
        for ema, clip in (("off", "off"), ("on", "off"), ("off", "on"))
    ]
    factors = {"ema": ["off", "on"], "clip": ["off", "on"]}
    found = effects(seen, factors, {"ema": "off", "clip": "off"})
    assert of(found, ema="on").interval.estimate == 0


def test_nothing_ran():
    assert all(one.interval.estimate is None for one in effects([], FACTORS, BASELINES))


def test_cells():
    seen = runs(ALL, (1, 2, 3))
    found = cell_mean(seen, ALL[0])
    assert (found.estimate, found.n) == (20.0, 3)
    assert cell_mean(seen, {"method": "none"}).estimate is None


def test_values_that_are_not_finite_are_refused():
    with pytest.raises(StudioError):
        effects([Observation({"ema": "on"}, 1, float("nan"))], {"ema": ["on"]}, {"ema": "on"})

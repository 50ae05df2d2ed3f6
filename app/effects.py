"""Main effects and pairwise interactions of a study's factors, by least squares.

The model of a value is a mean of its seed (all cells share the seeds, so they are blocks), plus a
term for each level other than the factor's baseline, plus one for each pair of such levels of two
factors. Interactions of three and more factors stand in the residual.

An effect is a contrast of that model. One that the cells which ran cannot tell is said not to be
estimable (its coefficients are no combination of the design's rows), never guessed.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import combinations
from typing import Literal, NamedTuple

import numpy as np
import numpy.typing as npt
from pydantic import BaseModel, ConfigDict, Field

from app.statistics import LEVEL, Interval, mean_interval, student_interval

_Array = npt.NDArray[np.float64]
_Term = tuple[tuple[str, str], ...]
"""Pairs of factor and level: one for a main effect, two for an interaction."""
_TOLERANCE = 1e-8
_ROUNDING = 1e-13
"""Coefficients and residuals below this part of the largest value are zero, but for arithmetic."""


class Observation(NamedTuple):
    """What one run achieved: its levels, its seed and one finite value."""

    levels: Mapping[str, str]
    seed: int
    value: float


class Effect(BaseModel):
    """A difference, or a difference of differences, that levels make."""

    model_config = ConfigDict(frozen=True)

    kind: Literal["main", "interaction"]
    levels: dict[str, str] = Field(description="Factor to level: one, or two if they interact.")
    baselines: dict[str, str] = Field(description="Factor to the level compared with.")
    interval: Interval
    assumes_additive: bool = Field(
        default=False,
        description="Whether the factors are taken to add up, because the cells that ran cannot "
        "tell whether they do.",
    )


def cell_mean(
    observations: Sequence[Observation], levels: Mapping[str, str], level: float = LEVEL
) -> Interval:
    """Mean over the seeds of one cell, with a t interval."""
    chosen = [
        seen.value
        for seen in observations
        if all(seen.levels.get(factor) == name for factor, name in levels.items())
    ]
    return mean_interval(chosen, level)


def effects(
    observations: Sequence[Observation],
    factors: Mapping[str, Sequence[str]],
    baselines: Mapping[str, str],
    level: float = LEVEL,
) -> list[Effect]:
    """All main effects and pairwise interactions.

    A main effect of a level is its difference from the factor's baseline, averaged over all
    combinations of the other factors' levels with equal weight, whatever number of runs they have.
    Where that cannot be told, because combinations did not run, it is the difference under the
    assumption that factors add up, and says so. An interaction is how much larger a level's
    difference is at another factor's level than at that factor's baseline.

    Args:
        observations: The runs that have a value; cells may be missing or have different seeds.
        factors: Factor to its levels.
        baselines: Factor to one of its levels.
        level: Confidence level; nothing is adjusted for how many effects one looks at.

    Raises:
        StudioError: `statistics_input` for a value that is not finite.
    """
    mean_interval([seen.value for seen in observations])  # refuses what is not finite
    mains: list[_Term] = [
        ((factor, name),)
        for factor, names in factors.items()
        for name in names
        if name != baselines[factor]
    ]
    pairs: list[_Term] = [
        one + two for one, two in combinations(mains, 2) if one[0][0] != two[0][0]
    ]
    full = _Fit.of(observations, [*mains, *pairs])
    additive = _Fit.of(observations, mains)
    found = [_main(term, full, additive, factors, baselines, level) for term in mains]
    return found + [_effect(term, full.contrast({term: 1.0}, level), baselines) for term in pairs]


def _main(
    term: _Term,
    full: _Fit,
    additive: _Fit,
    factors: Mapping[str, Sequence[str]],
    baselines: Mapping[str, str],
    level: float,
) -> Effect:
    ((factor, _),) = term
    weights: dict[_Term, float] = {term: 1.0}
    for other, names in factors.items():
        if other != factor:
            for name in names:
                pair = _ordered(full.terms, term[0], (other, name))
                if name != baselines[other] and pair is not None:
                    weights[pair] = 1 / len(names)
    interval = full.contrast(weights, level)
    if interval is not None or len(weights) == 1:
        return _effect(term, interval, baselines)
    return _effect(term, additive.contrast({term: 1.0}, level), baselines, additive=True)


def _ordered(terms: Sequence[_Term], one: tuple[str, str], two: tuple[str, str]) -> _Term | None:
    return next((pair for pair in ((one, two), (two, one)) if pair in terms), None)


def _effect(
    term: _Term, interval: Interval | None, baselines: Mapping[str, str], *, additive: bool = False
) -> Effect:
    if interval is None:
        note = "not estimable: the cells that it compares did not run"
        interval = Interval(estimate=None, n=0, note=note)
        additive = False
    return Effect(
        kind="main" if len(term) == 1 else "interaction",
        levels=dict(term),
        baselines={factor: baselines[factor] for factor, _ in term},
        interval=interval,
        assumes_additive=additive,
    )


class _Fit(NamedTuple):
    """Least squares of the observations; the first columns are the seeds' means.

    Attributes:
        terms: of the columns after the seeds'.
        seeds: number of the seeds' columns.
        design: (runs, columns).
        inverse: pseudo-inverse of the design, (columns, runs).
        coefficients: (columns,).
        variance: of the residual; 0 without degrees of freedom.
        freedom: degrees of freedom that are left.
    """

    terms: list[_Term]
    seeds: int
    design: _Array
    inverse: _Array
    coefficients: _Array
    variance: float
    freedom: int

    @classmethod
    def of(cls, observations: Sequence[Observation], terms: list[_Term]) -> _Fit:
        """Fit the model with these terms."""
        seeds = sorted({seen.seed for seen in observations})
        rows = [
            [
                *(float(seen.seed == seed) for seed in seeds),
                *(float(set(term) <= set(seen.levels.items())) for term in terms),
            ]
            for seen in observations
        ]
        design = np.array(rows, dtype=np.float64).reshape(len(rows), len(seeds) + len(terms))
        values = np.array([seen.value for seen in observations], dtype=np.float64)
        if not rows:
            empty = np.zeros(len(terms))
            return cls(terms, 0, design, design.T, empty, 0.0, 0)
        inverse = np.asarray(np.linalg.pinv(design, rcond=1e-10), dtype=np.float64)
        coefficients = inverse @ values
        freedom = len(rows) - int(np.linalg.matrix_rank(design))
        residual = values - design @ coefficients
        smallest = _ROUNDING * np.abs(values).max()
        for rounded in (residual, coefficients):
            rounded[np.abs(rounded) < smallest] = 0.0
        variance = float(residual @ residual) / freedom if freedom else 0.0
        return cls(terms, len(seeds), design, inverse, coefficients, variance, freedom)

    def contrast(self, weights: Mapping[_Term, float], level: float) -> Interval | None:
        """A weighted sum of terms with its interval; None if the design cannot tell it."""
        wanted = np.zeros(self.seeds + len(self.terms))
        for term, weight in weights.items():
            wanted[self.seeds + self.terms.index(term)] = weight
        by_run = wanted @ self.inverse  # the estimate as a weighted sum of the runs' values
        if np.abs(by_run @ self.design - wanted).max() > _TOLERANCE:
            return None
        error = float(np.sqrt(self.variance) * np.linalg.norm(by_run))
        estimate = float(wanted @ self.coefficients)
        return student_interval(estimate, error, self.freedom, len(self.design), level)

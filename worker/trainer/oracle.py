"""Compares the functions that training uses with vector files of expected values.

`python -m worker.trainer.oracle FILE…` prints, per key, the largest relative error in float32 and
in float64 as JSON, and ends with status 1 if one is above 1e-5 or 1e-10. The keys are described in
`method` section 9. Only unmasked tokens are compared. The relative error of a token is
|ours − expected| / max(|expected|, 0.1 % of the key's largest magnitude); that of a gradient is the
norm of a token's difference, relative to the largest norm of a token's gradient: where a
distribution is nearly one-hot, small gradients are differences of large numbers.
"""

# ruff: noqa: N802, N803 - capital letters in tensor names are axes

from __future__ import annotations

import json
import math
import re
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Literal, cast

import numpy as np
import torch
from torch import Tensor

from worker.trainer import mechanisms
from worker.trainer.mechanisms import (
    Agreement,
    Statistic,
    batch_mean,
    token_contributions,
    unflatten,
)
from worker.trainer.objective import Scoring, TokenScores, score_tokens, target_logprobs

TOLERANCES: Final = {"float32": 1e-5, "float64": 1e-10}
INPUTS: Final = frozenset(
    {
        "hidden_student",
        "hidden_teacher",
        "head",
        "temperature",
        "completion_ids",
        "mask",
        "view_logps",
        "negative_logps",
        "clip_static_ceiling",
    }
)
SMALLEST: Final = 1e-3
STAR_WEIGHT: Final = 0.1


@dataclass(frozen=True)
class Vectors:
    """A file's arrays and the number format to compute in."""

    arrays: dict[str, Tensor]
    dtype: torch.dtype

    def __getitem__(self, key: str) -> Tensor:
        """An input; floating-point ones in the format to compute in."""
        value = self.arrays[key]
        return value.to(self.dtype) if value.is_floating_point() else value

    @property
    def mask_BT(self) -> Tensor:
        """True at completion tokens."""
        return self.arrays["mask"].bool()

    def scores(self, alpha: float, *, temperature: float | None = None) -> TokenScores:
        """Student against teacher at the file's tokens."""
        return self._score(self["hidden_student"], alpha, temperature)

    def _score(self, hidden: Tensor, alpha: float, temperature: float | None) -> TokenScores:
        mask = self.mask_BT
        # The stored temperature is a float32; both formats must use the very same number.
        tau = float(self.arrays["temperature"]) if temperature is None else temperature
        return score_tokens(
            hidden[mask],
            self["hidden_teacher"][mask],
            self["head"],
            self["completion_ids"][mask],
            Scoring(alpha, tau),
        )

    def spread_out(self, values_N: Tensor) -> Tensor:
        """Token values as (B, T)."""
        return unflatten(values_N, self.mask_BT)

    def divergence(self, alpha: float = 0.0) -> Tensor:
        """(B, T)."""
        return self.spread_out(self.scores(alpha).divergence_N)

    def mean(self, values_BT: Tensor, agreement: Agreement | None = None, by: str = "") -> Tensor:
        """The loss of section 3."""
        shares = token_contributions(
            values_BT,
            self.mask_BT,
            None if agreement is None else agreement.weight,
            cast("Literal['tokens', 'weights']", by or "tokens"),
        )
        return batch_mean(shares, len(values_BT))


def token_agreement(vectors: Vectors, statistic: Statistic, gamma: float) -> Agreement:
    """Token-level agreement of the file's views."""
    mask = vectors.mask_BT
    disagreement = mechanisms.spread(vectors["view_logps"], statistic, unbiased=True)
    scale = mechanisms.quantile(disagreement[mask], mechanisms.SCALE_QUANTILE)
    return mechanisms.token_agreement(disagreement, mask, scale, gamma)


def sequence_agreement(vectors: Vectors, statistic: Statistic, gamma: float) -> Agreement:
    """Sequence-level agreement of the file's views."""
    logprobs = vectors["view_logps"]
    return mechanisms.sequence_agreement(logprobs, vectors.mask_BT, statistic, gamma)


def contrastive(vectors: Vectors, margin: float) -> Tensor:
    """(B, T)."""
    scores = vectors.scores(0.0)
    student, teacher = (
        vectors.spread_out(values)
        for values in (scores.student_logprob_N, scores.teacher_logprob_N)
    )
    values = mechanisms.contrastive(student, teacher, vectors["negative_logps"], margin)
    return values * vectors.mask_BT


def feature_distance(vectors: Vectors) -> Tensor:
    """(B, T)."""
    mask = vectors.mask_BT
    return vectors.spread_out(
        mechanisms.feature_distance(
            vectors["hidden_student"][mask], vectors["hidden_teacher"][mask]
        )
    )


def unisd_star(vectors: Vectors) -> Tensor:
    """The combined loss with the default weights."""
    return (
        vectors.mean(vectors.divergence(), token_agreement(vectors, "variance", 1.0))
        + STAR_WEIGHT * vectors.mean(contrastive(vectors, 0.5))
        + STAR_WEIGHT * vectors.mean(feature_distance(vectors))
    )


def gradient(vectors: Vectors, alpha: float) -> Tensor:
    """∂ loss / ∂ student's hidden states (B, T, H)."""
    hidden = vectors["hidden_student"].clone().requires_grad_()
    scores = vectors._score(hidden, alpha, None)  # noqa: SLF001
    vectors.mean(vectors.spread_out(scores.divergence_N)).backward()  # type: ignore[no-untyped-call]
    assert hidden.grad is not None  # noqa: S101 - autograd always fills it
    return hidden.grad


def ceiling(vectors: Vectors, q: float) -> Tensor:
    """The quantile of the unmasked divergences."""
    return mechanisms.quantile(vectors.scores(0.0).divergence_N, q)


def student_logprobs(vectors: Vectors) -> Tensor:
    """(B, T), as auxiliary and negative teachers compute theirs."""
    mask = vectors.mask_BT
    what = Scoring(temperature=float(vectors.arrays["temperature"]))
    hidden, ids = vectors["hidden_student"][mask], vectors["completion_ids"][mask]
    return vectors.spread_out(target_logprobs(hidden, vectors["head"], ids, what))


def _statistic(name: str) -> Statistic:
    return "range" if name == "range" else "variance"


def _agreement(vectors: Vectors, level: str, name: str, gamma: float) -> Agreement:
    function = token_agreement if level == "token" else sequence_agreement
    return function(vectors, _statistic(name), gamma)


def _jsd(vectors: Vectors) -> Tensor:
    """Symmetric JSD per token; retention is measured at the file's temperature."""
    return vectors.divergence(0.5)


NUMBER: Final = r"(\d+(?:\.\d+)?)"
KEYS: Final[dict[str, Callable[..., Tensor]]] = {
    r"student_logps": student_logprobs,
    r"teacher_logps": lambda v: v.spread_out(v.scores(0.0).teacher_logprob_N),
    r"student_entropy": lambda v: v.spread_out(v.scores(0.0).student_entropy_N),
    rf"divergence_alpha_{NUMBER}": lambda v, alpha: v.divergence(float(alpha)),
    rf"grad_hidden_alpha_{NUMBER}": lambda v, alpha: gradient(v, float(alpha)),
    r"clip_static": lambda v: mechanisms.clip(v.divergence(), v["clip_static_ceiling"]),
    rf"clip_quantile_{NUMBER}_ceiling": lambda v, q: ceiling(v, float(q)),
    rf"clip_quantile_{NUMBER}": lambda v, q: mechanisms.clip(v.divergence(), ceiling(v, float(q))),
    rf"agree_(token|sequence)_(var|range)_gamma_{NUMBER}_weight": lambda v, level, name, gamma: (
        _agreement(v, level, name, float(gamma)).weight
    ),
    r"agree_(token|sequence)_(var|range)_disagreement": lambda v, level, name: (
        _agreement(v, level, name, 1.0).disagreement
    ),
    r"loss_divergence_plain": lambda v: v.mean(v.divergence()),
    r"loss_divergence_agree_(token|sequence)_by_(tokens|weights)": lambda v, level, by: v.mean(
        v.divergence(), _agreement(v, level, "var", 1.0), by
    ),
    rf"contrastive_per_token_margin_{NUMBER}": lambda v, margin: contrastive(v, float(margin)),
    rf"loss_contrastive_margin_{NUMBER}": lambda v, margin: v.mean(contrastive(v, float(margin))),
    r"feature_match_per_token": feature_distance,
    r"loss_feature_match": lambda v: v.mean(feature_distance(v)),
    r"loss_unisd_star": unisd_star,
    r"retention_jsd_per_token": _jsd,
    r"retention_jsd_mean": lambda v: token_contributions(_jsd(v), v.mask_BT).sum(-1),
}
"""Pattern of a key, and what computes it; the pattern's groups are further arguments."""


def compare(path: Path) -> dict[str, dict[str, float]]:
    """Largest relative error per key and number format; keys that nothing computes are infinite."""
    with np.load(path, allow_pickle=False) as file:
        arrays = {name: torch.from_numpy(np.array(file[name])) for name in file}
    errors: dict[str, dict[str, float]] = {}
    for key in arrays.keys() - INPUTS:
        errors[key] = {
            name: _error(Vectors(arrays, getattr(torch, name)), key) for name in TOLERANCES
        }
    return dict(sorted(errors.items()))


def _error(vectors: Vectors, key: str) -> float:
    for pattern, function in KEYS.items():
        found = re.fullmatch(pattern, key)
        if found:
            actual, expected = function(vectors, *found.groups()), vectors.arrays[key]
            mask = vectors.mask_BT
            if actual.shape[:2] == expected.shape[:2] == mask.shape:
                actual, expected = actual[mask], expected[mask]
            return relative_error(actual, expected)
    return float("inf")


def relative_error(actual: Tensor, expected: Tensor) -> float:
    """Largest relative error of a token; infinite for another number of values or a NaN.

    Args:
        actual: ours; per token, per token and hidden dimension, or a single number.
        expected: the same in float64.
    """
    if expected.numel() != actual.numel():
        return float("inf")
    expected = expected.double()
    difference = actual.detach().double().reshape(expected.shape) - expected
    if not expected.numel():
        return 0.0
    floor = SMALLEST
    if expected.ndim == 2:
        difference, expected, floor = difference.norm(dim=-1), expected.norm(dim=-1), 1.0
    least = max(floor * float(expected.abs().max()), torch.finfo(torch.float64).tiny)
    error = float((difference.abs() / expected.abs().clamp_min(least)).max())
    return float("inf") if math.isnan(error) else error


def main(arguments: Sequence[str] | None = None) -> int:
    """Print the comparison as JSON. Returns the exit status."""
    files = list(sys.argv[1:] if arguments is None else arguments)
    if not files:
        sys.stderr.write("usage: python -m worker.trainer.oracle FILE…\n")
        return 2
    results = {file: compare(Path(file)) for file in files}
    sys.stdout.write(json.dumps(results, indent=2) + "\n")
    good = all(
        error <= TOLERANCES[name]
        for keys in results.values()
        for errors in keys.values()
        for name, error in errors.items()
    )
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())

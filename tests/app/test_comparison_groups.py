from __future__ import annotations

from typing import Any

import pytest

from app.comparisons.grouping import Member, group
from app.comparisons.table import better
from core.states import RunKind


def _member(run_id: str, name: str, seed: int, **config: Any) -> Member:
    return Member(run_id, name, RunKind.TRAINING, {"training": {"seed": seed}, **config})


def test_runs_that_differ_only_in_seed_stand_together() -> None:
    members = [
        _member("z", "one", 2),
        _member("y", "other", 1, model="b"),
        _member("x", "one", 1),
        _member("w", "one", 1),  # the same again is no further sample
    ]
    found = group(members, by_seed=True)
    assert [(one.key, one.runs) for one in found] == [
        ("x", ["x", "z"]),
        ("y", ["y"]),
        ("w", ["w"]),
    ]
    assert [one.runs for one in group(members, by_seed=False)] == [["z"], ["y"], ["x"], ["w"]]


def test_an_evaluation_is_not_a_training() -> None:
    training = _member("a", "n", 1)
    evaluation = Member("b", "n", RunKind.EVALUATION, {"training": {"seed": 1}, "seed": 2})
    assert len(group([training, evaluation], by_seed=True)) == 2


@pytest.mark.parametrize(
    ("name", "label"),
    [
        ("method=sft,task=cos_e,seed=1", "method=sft,task=cos_e"),
        ("UniSD* · seed 12", "UniSD*"),
        ("mine-s3", "mine"),
        ("seed=1,method=sft", "method=sft"),
        ("seedling 4", "seedling 4"),
        ("seed 1", "seed 1"),
    ],
)
def test_a_group_is_called_by_its_runs_without_the_seed(name: str, label: str) -> None:
    (found,) = group([_member("a", name, 1), _member("b", name, 2)], by_seed=True)
    assert found.label == label


def test_names_that_occur_twice_are_told_apart() -> None:
    members = [_member("abcd1", "n", 1), _member("efgh1", "n", 1, model="b")]
    assert [one.label for one in group(members, by_seed=True)] == ["n (abcd)", "n (efgh)"]


@pytest.mark.parametrize(
    ("name", "way"),
    [
        ("train/loss", "lower"),
        ("train/loss/divergence", "lower"),
        ("eval/cos_e/accuracy", "higher"),
        ("eval/cos_e/retention/forward/jsd", "lower"),
        ("eval/cos_e/retention/forward/base_logprob", "higher"),
        ("eval/reference/perplexity", "lower"),
        ("train/entropy/student", None),
        ("memory/gpu_peak", None),
    ],
)
def test_metrics_improve_one_way_or_it_depends(name: str, way: str | None) -> None:
    assert better(name) == way

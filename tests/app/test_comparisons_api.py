"""Runs side by side, against naive code of numpy and scipy."""

from __future__ import annotations

import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from fastapi.testclient import TestClient
from scipy import stats

from app.db import Database
from app.models import Run
from core.evaluation_job import EvaluationJob
from core.states import RunKind
from tests.app.compared import make_config, make_evaluation, make_run


def _compare(client: TestClient, runs: list[str], **query: Any) -> dict[str, Any]:
    answer = client.get("/api/comparisons", params={"run": runs, **query})
    assert answer.status_code == 200, answer.text
    return dict(answer.json())


def _curves(client: TestClient, runs: list[str], **query: Any) -> list[dict[str, Any]]:
    params = {"run": runs, "name": "train/loss", **query}
    answer = client.get("/api/comparisons/curves", params=params)
    assert answer.status_code == 200, answer.text
    return list(answer.json()["items"])


def _cells(found: dict[str, Any], name: str) -> list[Any]:
    return next(list(row["cells"]) for row in found["metrics"] if row["name"] == name)


@pytest.mark.parametrize("seeds", [(1, 2, 3), (1, 2, 9), (7,)])
def test_differences_of_seeds_are_scipys(
    client: TestClient, database: Database, seeds: tuple[int, ...]
) -> None:
    random = np.random.default_rng(0)
    ones, others = random.normal(0, 1, len(seeds)), random.normal(0.5, 1, 3)
    baseline = [
        make_run(database, f"base seed={seed}", {5: {"m": value}}, config=make_config(seed))
        for seed, value in zip(seeds, ones, strict=True)
    ]
    tuned = [
        make_run(
            database,
            f"tuned seed={seed}",
            {5: {"m": value}},
            config=make_config(seed, batch_size=1),
        )
        for seed, value in zip((1, 2, 3), others, strict=True)
    ]
    found = _compare(client, [*tuned, *baseline], baseline=baseline[0])
    labels = [column["label"] for column in found["columns"]]
    assert labels == ["base" if len(seeds) > 1 else "base seed=7", "tuned"]
    assert [column["baseline"] for column in found["columns"]] == [True, False]
    base, cell = _cells(found, "m")
    assert (base["value"], base["delta"]) == (pytest.approx(ones.mean()), None)
    assert (cell["value"], cell["n"]) == (pytest.approx(others.mean()), 3)
    mean = stats.t.interval(0.95, 2, others.mean(), stats.sem(others))
    assert (cell["low"], cell["high"]) == pytest.approx(mean)
    if len(seeds) == 1:
        expected = stats.ttest_1samp(others - ones[0], 0).confidence_interval()
    elif seeds == (1, 2, 3):
        expected = stats.ttest_rel(others, ones).confidence_interval()
    else:
        expected = stats.ttest_ind(others, ones, equal_var=False).confidence_interval()
    assert cell["delta"] == pytest.approx(others.mean() - ones.mean())
    assert (cell["delta_low"], cell["delta_high"]) == pytest.approx(tuple(expected))
    apart = _compare(client, [*tuned, *baseline], baseline=baseline[0], seeds=False)
    assert len(apart["columns"]) == 3 + len(seeds)
    deltas = [cell["delta"] for cell in _cells(apart, "m")[1:4]]
    assert deltas == pytest.approx(list(others - ones[0]))


def test_what_is_no_number_is_said_and_never_averaged_away(
    client: TestClient, database: Database
) -> None:
    one = make_run(database, "a", {1: {"x": 1.0, "y": 3.0}, 2: {"x": 4.0}}, config=make_config(1))
    two = make_run(database, "a", {1: {"x": math.nan, "z": 1e308}}, config=make_config(2))
    three = make_run(database, "a", {1: {"z": -1e308, "y": 5.0}}, config=make_config(3))
    other = make_run(database, "b", {1: {"x": 1.0}}, config=make_config(1, batch_size=1))
    found = _compare(client, [one, two, three, other])
    x, other_x = _cells(found, "x")
    assert (x["value"], x["non_finite"]) == (None, "NaN")
    assert x["note"] == "not finite in 1 of 2 runs"
    assert other_x["delta"] is None
    y, none = _cells(found, "y")
    assert (y["value"], y["n"], y["note"], none) == (4.0, 2, "reported by 2 of 3 runs", None)
    assert _cells(found, "z")[0]["value"] is None
    lowest = _compare(client, [one, other], statistic="max")
    assert [cell["value"] for cell in _cells(lowest, "x")] == [4.0, 1.0]


def test_only_what_differs_is_marked(client: TestClient, database: Database) -> None:
    one = make_run(database, "one", config=make_config(1))
    two = make_run(database, "two", config=make_config(2, learning_rate=0.5))
    with database.write() as session:
        run = session.get_one(Run, one)
        run.config = {**run.config, "training": {"seed": 1}}  # as an older version stored it
        run.started_on = {
            "device": "cpu",
            "dtype": "torch.float32",
            "versions": {"torch": "2"},
            "environment": {"packages": {"a": "1"}, "seed": 1, "commit": "abc"},
        }
    found = _compare(client, [one, two])
    differing = {row["path"]: row for row in found["config"] if row["differs"]}
    assert set(differing) == {
        *("training.seed", "training.learning_rate"),
        *("device", "dtype", "versions.torch", "commit"),
    }
    assert differing["training.learning_rate"]["values"] == [2e-5, 0.5]
    assert differing["device"]["present"] == [True, False]
    assert len(found["config"]) > 50
    seeds = [make_run(database, f"seed {seed}", config=make_config(seed)) for seed in (3, 4)]
    grouped = _compare(client, [*seeds, two])
    (row,) = [row for row in grouped["config"] if row["path"] == "training.seed"]
    assert row["values"] == [[3, 4], 2]


def test_runs_that_are_gone_are_named(client: TestClient, database: Database) -> None:
    run = make_run(database, "there")
    found = _compare(client, ["gone", run], baseline="gone")
    assert (found["missing"], found["baseline"]) == (["gone"], run)
    nothing = _compare(client, ["gone"])
    assert (nothing["columns"], nothing["metrics"], nothing["baseline"]) == ([], [], None)
    assert _curves(client, ["gone"]) == []


@pytest.mark.parametrize(
    "query",
    [
        {},
        {"run": ["a"] * 21},
        {"run": ["Not an id"]},
        {"run": ["a"], "statistic": "mean"},
        {"run": ["a"], "baseline": "\x00"},
    ],
)
def test_what_cannot_be_compared_is_refused(client: TestClient, query: dict[str, Any]) -> None:
    assert client.get("/api/comparisons", params=query).status_code == 422


SPREADS: dict[str, Callable[[Any], tuple[float, float]]] = {
    "sd": lambda values: (values.mean() - values.std(ddof=1), values.mean() + values.std(ddof=1)),
    "range": lambda values: (values.min(), values.max()),
    "interval": lambda values: stats.t.interval(
        0.95, len(values) - 1, values.mean(), stats.sem(values)
    ),
}


@pytest.mark.parametrize("spread", list(SPREADS))
def test_the_band_of_seeds_is_the_naive_one(
    client: TestClient, database: Database, spread: str
) -> None:
    random = np.random.default_rng(1)
    lengths = {1: 40, 2: 40, 3: 25, 4: 38}  # some ended early
    curves = {seed: random.normal(2, 1, length) for seed, length in lengths.items()}
    curves[2][9] = math.inf
    runs = [
        make_run(
            database,
            "r",
            {step: {"train/loss": value} for step, value in enumerate(values, start=1)},
            config=make_config(seed),
        )
        for seed, values in curves.items()
    ]
    (curve,) = _curves(client, runs, spread=spread)
    assert curve["steps"] == list(range(1, 41))
    assert curve["non_finite"] == [{"x": 10.0, "value": "Infinity"}]
    for place in range(40):
        column = np.array([v[place] for v in curves.values() if len(v) > place])
        column = column[np.isfinite(column)]
        low, high = SPREADS[spread](column)
        assert curve["runs"][place] == len(column)
        assert curve["values"][place] == pytest.approx(column.mean())
        assert (curve["low"][place], curve["high"][place]) == pytest.approx((low, high))
    assert len(_curves(client, runs, seeds=False)) == 4


def test_a_course_runs_over_all_attempts(client: TestClient, database: Database) -> None:
    first = {step: {"train/loss": 1.0 * step, "train/tokens": 10.0 * step} for step in range(1, 61)}
    second = {step: {"train/loss": -1.0 * step, "train/tokens": 10.0 * step} for step in (41, 42)}
    run = make_run(database, "r", first, second)
    (curve,) = _curves(client, [run])
    assert curve["steps"] == list(range(1, 43))
    assert curve["values"] == [*range(1, 41), -41, -42]
    assert (curve["low"], curve["runs"]) == (None, None)
    assert _curves(client, [run], low=50, high=60) == []
    assert _curves(client, [run], low=41.2, high=41.8)[0]["steps"] == [41, 42]
    (tokens,) = _curves(client, [run], axis="tokens", low=395, high=405)
    assert (tokens["x"], tokens["values"]) == ([390, 400, 410], [39, 40, -41])
    (time,) = _curves(client, [run], axis="time")
    assert time["x"] == [step - 1 for step in range(1, 43)]
    assert _curves(client, [run], axis="wall")[0]["x"][0] == 1001
    assert _curves(client, [run], name="unknown") == []
    assert _curves(client, [run], axis="epoch") == []
    assert _curves(client, [run], low=1e300) == _curves(client, [run], high=-1e300) == []


def test_a_zoom_gets_more_detail_and_no_spike_is_lost(
    client: TestClient, database: Database
) -> None:
    values = np.sin(np.arange(5000) / 50)
    values[2600] = 77.0
    reported = {step: {"train/loss": value} for step, value in enumerate(values, start=1)}
    run = make_run(database, "r", reported)
    (coarse,) = _curves(client, [run], max_points=100)
    assert (len(coarse["x"]), coarse["points"], sum(coarse["counts"])) == (100, 5000, 5000)
    assert (coarse["x"][0], coarse["x"][-1]) == (1, 5000)
    for place, bucket in enumerate(np.split(values, 100)):
        assert coarse["values"][place] == pytest.approx(bucket.mean())
        assert coarse["low"][place] == pytest.approx(bucket.min())
        assert coarse["high"][place] == pytest.approx(bucket.max())
    (fine,) = _curves(client, [run], max_points=100, low=2551, high=2600)
    assert fine["steps"] == list(range(2550, 2602))
    assert fine["low"] is None


def test_results_are_paired_with_the_baselines_and_gaps_are_told_in_words(
    client: TestClient, database: Database
) -> None:
    base = make_run(database, "base", config=make_config(1, batch_size=1))
    tuned = [make_run(database, f"tuned seed={seed}", config=make_config(seed)) for seed in (1, 2)]
    silent = make_run(database, "silent", config=make_config(1, batch_size=2))
    make_evaluation(database, base, "own", [True, False, True, False])
    for run in tuned:
        make_evaluation(database, run, "own", [False] * 4, step=0)
        make_evaluation(database, run, "own", [True, True, True, False], step=9)
    make_evaluation(database, tuned[0], "alone", [True])
    found = _compare(client, [base, *tuned, silent])
    alone, own = found["evaluations"]
    assert (alone["set"], own["set"]) == ("alone", "own")
    ours, theirs, none = own["cells"]
    assert ours["accuracy"]["estimate"] == 0.5
    assert ours["accuracy"]["low"] == pytest.approx(
        stats.binomtest(2, 4).proportion_ci(method="wilson").low
    )
    assert theirs["pair"] == {"first": [f"{base}:1"] * 2, "second": [f"{run}:2" for run in tuned]}
    assert "taken as it is" in theirs["note"]
    assert [one["step"] for one in theirs["results"]] == [9, 9]
    assert (none["pair"], none["reason"]) == (None, "Not asked this set.")
    assert alone["cells"][0]["reason"] == "The baseline was not asked this set."
    assert alone["cells"][1]["note"] == "1 of 2 runs have a result"
    make_evaluation(database, tuned[1], "own", [False] * 4, step=10)
    wide = _compare(client, [base, *tuned])["evaluations"][1]["cells"][1]["accuracy"]
    assert (wide["estimate"], wide["low"], wide["high"]) == (0.375, 0, 1)
    turned = _compare(client, [base, *tuned], baseline=tuned[0])["evaluations"][1]["cells"][1]
    assert turned["pair"]["second"] == [f"{base}:1"] * 2


def test_an_evaluation_of_its_own_counts_for_the_run_whose_adapter_it_used(
    client: TestClient, database: Database
) -> None:
    run = make_run(database, "run")
    make_evaluation(database, run, "own", [False, False])

    def evaluation(folder: str) -> str:
        job = {
            "adapter": f"/h/runs/{run}/attempt-1/{folder}",
            "sets": [{"name": "own", "path": "x"}],
        }
        config = EvaluationJob.model_validate(job).model_dump(mode="json")
        made = make_run(database, folder, config=config, kind=RunKind.EVALUATION)
        make_evaluation(database, made, "own", [True, False], step=0, time=9.0)
        return made

    final, average = evaluation("adapter"), evaluation("ema_adapter")
    found = _compare(client, [run, average])
    mine, other = found["evaluations"][0]["cells"]
    (result,) = mine["results"]
    assert (result["made_by"], result["step"]) == (final, None)
    assert mine["accuracy"]["estimate"] == 0.5
    assert other["results"][0]["made_by"] == average


def test_pairs_are_made_once_and_other_words_are_named(
    client: TestClient, database: Database, tmp_path: Path
) -> None:
    runs = [make_run(database, name) for name in "abc"]
    rights = [[True] * 6 + [False] * 6, [True] * 12, [True] * 12]
    words = ["", "", "Please: "]
    for run, right, word in zip(runs, rights, words, strict=True):
        make_evaluation(database, run, "own", right, folder=tmp_path / run / "own", words=word)
    pair = {"first": f"{runs[0]}:1", "second": f"{runs[1]}:1"}
    first = client.get("/api/evaluations/compare", params=pair).json()
    assert first["accuracy"]["estimate"] == 0.5
    assert first["mcnemar"]["p"] == pytest.approx(stats.binomtest(0, 6).pvalue)
    (tmp_path / runs[0] / "own" / "answers.jsonl").unlink()
    assert client.get("/api/evaluations/compare", params=pair).json() == first
    others = {"first": f"{runs[1]}:1", "second": f"{runs[2]}:1"}
    answer = client.get("/api/evaluations/compare", params=others)
    assert answer.status_code == 422
    assert "in other words" in answer.json()["detail"]
    with database.write() as session:
        session.get_one(Run, runs[0]).deleting = True
    assert client.get("/api/evaluations/compare", params=pair).status_code == 404

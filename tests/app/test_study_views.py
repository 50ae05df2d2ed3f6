"""A 2×2×2 study that lacks runs: what the API says equals what NumPy computes by another way."""

from __future__ import annotations

import csv
import io
from itertools import combinations, product
from typing import Any

import numpy as np
import pytest
from scipy import stats

from app.studies.markdown import markdown
from app.studies.report import StudyReport
from tests.app.studies import SCORE, create, fail, succeed

FACTORS = ("ema", "contrastive", "clip")
SEEDS = (1, 2, 3)
LOST_CELL = ("on", "on", "on")
LOST_RUN = (("off", "on", "off"), 2)


@pytest.fixture
def plan(config: dict[str, Any]) -> dict[str, Any]:
    return {
        "name": "Three mechanisms",
        "base": config,
        "factors": {
            "ema": {"off": {}, "on": {"teacher": {"weights": "ema"}}},
            "contrastive": {"off": {}, "on": {"objective": {"contrastive": {"enabled": True}}}},
            "clip": {"off": {}, "on": {"objective": {"clipping": {"enabled": True}}}},
        },
        "seeds": list(SEEDS),
    }


@pytest.fixture
def values() -> dict[tuple[tuple[str, ...], int], float]:
    """Last value of every run that has one."""
    generator = np.random.default_rng(5)
    return {
        (levels, seed): float(generator.normal(0.5, 0.1))
        for levels in product(("off", "on"), repeat=3)
        for seed in SEEDS
        if levels != LOST_CELL and (levels, seed) != LOST_RUN
    }


@pytest.fixture
def study_id(client, plan, database, values) -> str:
    study = create(client, plan)
    for cell in study["cells"]:
        levels = tuple(cell["levels"].values())
        if (levels, cell["seed"]) in values:
            succeed(database, cell["id"], 0.25, values[levels, cell["seed"]])
        else:
            fail(database, cell["id"], "The loss is not finite.")
    return str(study["id"])


def t_interval(numbers) -> tuple[float, float, float]:
    low, high = stats.t.interval(
        0.95, len(numbers) - 1, loc=np.mean(numbers), scale=stats.sem(numbers)
    )
    return float(np.mean(numbers)), float(low), float(high)


def shown(interval: dict[str, Any]) -> tuple[float, float, float]:
    return interval["estimate"], interval["low"], interval["high"]


def by_normal_equations(values, baseline) -> dict[tuple[tuple[str, str], ...], Any]:
    """Every effect with its interval: textbook least squares with an inverted XᵀX."""
    other = {factor: "on" if baseline[factor] == "off" else "off" for factor in FACTORS}
    pairs = list(combinations(range(3), 2))
    rows, y = [], []
    for (levels, seed), value in values.items():
        x = [float(level == other[factor]) for factor, level in zip(FACTORS, levels, strict=True)]
        blocks = [float(seed == one) for one in SEEDS]
        rows.append([*blocks, *x, *(x[i] * x[j] for i, j in pairs)])
        y.append(value)
    design, target = np.array(rows), np.array(y)
    inverse = np.linalg.inv(design.T @ design)
    beta = inverse @ design.T @ target
    freedom = len(y) - design.shape[1]
    variance = ((target - design @ beta) ** 2).sum() / freedom

    def effect(weights):
        middle = weights @ beta
        half = stats.t.ppf(0.975, freedom) * np.sqrt(variance * weights @ inverse @ weights)
        return middle, middle - half, middle + half

    found = {}
    for i, factor in enumerate(FACTORS):
        weights = np.zeros(9)
        weights[3 + i] = 1
        for place, pair in enumerate(pairs):
            weights[6 + place] = 0.5 * (i in pair)
        found[((factor, other[factor]),)] = effect(weights)
    for place, (i, j) in enumerate(pairs):
        term = ((FACTORS[i], other[FACTORS[i]]), (FACTORS[j], other[FACTORS[j]]))
        found[term] = effect(np.eye(9)[6 + place])
    return found


def test_cells_and_effects_equal_an_independent_computation(client, study_id, values):
    check_report(client, study_id, values, [])
    check_report(client, study_id, values, ["ema=on", "clip=on"])
    check_files(client, study_id, values)


def check_report(client, study_id, values, choice) -> None:
    body = client.get(f"/api/studies/{study_id}", params={"baseline": choice}).json()
    report = body["report"]
    for cell in report["cells"]:
        levels = tuple(cell["levels"].values())
        mine = [value for (other, _), value in values.items() if other == levels]
        outcome = cell["outcomes"][SCORE]
        assert outcome["final"]["n"] == len(mine)
        if mine:
            assert shown(outcome["final"]) == pytest.approx(t_interval(mine))
            gains = [value - 0.25 for value in mine]
            assert shown(outcome["gain"]) == pytest.approx(t_interval(gains))
        else:
            assert outcome["final"]["estimate"] is None
    baseline = dict.fromkeys(FACTORS, "off") | dict(one.split("=") for one in choice)
    assert report["baselines"] == baseline
    expected = by_normal_equations(values, baseline)
    (found,) = report["effects"]
    assert len(found["effects"]) == len(expected) == 6
    for effect in found["effects"]:
        wanted = expected[tuple(effect["levels"].items())]
        assert shown(effect["interval"]) == pytest.approx(wanted)
        assert not effect["assumes_additive"]
    assert [gap["run"] for gap in report["gaps"]] == [
        "ema=off,contrastive=on,clip=off,seed=2",
        *(f"ema=on,contrastive=on,clip=on,seed={seed}" for seed in SEEDS),
    ]
    assert {gap["reason"] for gap in report["gaps"]} == {"failed: The loss is not finite."}


def table(client, study_id: str, **query: Any) -> dict[str, Any]:
    answer = client.get(f"/api/studies/{study_id}/table", params=query)
    assert answer.status_code == 200, answer.text
    return answer.json()


def test_a_table_averages_within_seeds_and_says_what_it_lacks(client, study_id, values):
    found = table(client, study_id, row="ema", column="contrastive")
    assert (found["metric"], found["averaged"]) == (SCORE, ["clip"])
    cells = {tuple(cell["levels"].values()): cell for row in found["cells"] for cell in row}

    def averaged(levels, seeds=SEEDS):
        return [
            (values[(*levels, "off"), seed] + values[(*levels, "on"), seed]) / 2 for seed in seeds
        ]

    whole = cells["on", "off"]
    assert shown(whole["final"]) == pytest.approx(t_interval(averaged(("on", "off"))))
    assert (whole["counted"], whole["combinations"], whole["states"]) == (2, 2, {"succeeded": 6})
    assert len(whole["runs"]) == 6
    without_two = cells["off", "on"]
    assert shown(without_two["final"]) == pytest.approx(t_interval(averaged(("off", "on"), (1, 3))))
    assert "without seed 2" in without_two["final"]["note"]
    part = cells["on", "on"]
    only_off = [values[("on", "on", "off"), seed] for seed in SEEDS]
    assert shown(part["final"]) == pytest.approx(t_interval(only_off))
    assert (part["counted"], part["combinations"]) == (1, 2)
    assert "only 1 of 2 combinations have a value" in part["final"]["note"]
    assert len(part["gaps"]) == 3
    assert [cell["baseline"] for cell in cells.values()] == [True, False, False, False]
    assert part["cost"]["tokens"] == 600
    assert part["cost"]["device_seconds"] == pytest.approx(part["cost"]["seconds"])
    check_layouts(client, study_id, values)


def check_layouts(client, study_id, values) -> None:
    chosen = table(client, study_id)  # all three are seen without being asked for
    assert (chosen["row_factors"], chosen["column_factors"]) == (["ema"], ["contrastive", "clip"])
    assert [len(chosen["rows"]), len(chosen["columns"])] == [2, 4]
    fixed = table(client, study_id, row=["ema", "contrastive"], fix="clip=on", baseline="clip=on")
    assert (fixed["fixed"], fixed["averaged"], fixed["columns"]) == ({"clip": "on"}, [], [{}])
    (first,) = fixed["cells"][0]
    mine = [values[("off", "off", "on"), seed] for seed in SEEDS]
    assert shown(first["final"]) == pytest.approx(t_interval(mine))
    assert first["baseline"]
    (lost,) = fixed["cells"][3]
    assert lost["final"]["estimate"] is None
    assert lost["states"] == {"failed": 3}
    tokens = table(client, study_id, metric="tokens/student")
    assert tokens["cells"][0][0]["final"]["estimate"] == 100
    unknown = table(client, study_id, metric="eval/nothing")
    assert unknown["cells"][0][0]["gaps"][0]["reason"] == "never reported"


def test_a_layout_that_is_none_is_refused(client, plan):
    study_id = create(client, plan | {"seeds": [1]})["id"]
    for query, code in (
        ({"row": "speed"}, "study_layout"),
        ({"row": "ema", "column": "ema"}, "study_layout"),
        ({"fix": "ema=maybe"}, "study_layout"),
        ({"fix": "ema"}, "study_choice"),
        ({"baseline": ["ema=on", "ema=off"]}, "study_choice"),
        ({"baseline": "ema=maybe"}, "study_invalid"),
    ):
        answer = client.get(f"/api/studies/{study_id}/table", params=query)
        assert (answer.status_code, answer.json()["code"]) == (422, code)


def test_an_excluded_combination_is_no_missing_one(client, plan):
    excluded = dict(zip(FACTORS, LOST_CELL, strict=True))
    study = create(client, plan | {"exclude": [excluded], "seeds": [1]})
    assert (study["combinations"], len(study["cells"])) == (7, 7)
    found = table(client, study["id"], row=["ema", "contrastive"], column="clip")
    assert found["cells"][3][1] is None
    averaged = table(client, study["id"], row="ema", column="contrastive")
    note = averaged["cells"][1][1]["final"]["note"]
    assert "the plan leaves out 1 of 2 combinations" in note


def check_files(client, study_id, values) -> None:
    def read(name: str, **query: Any) -> str:
        answer = client.get(f"/api/studies/{study_id}/files/{name}", params=query)
        assert answer.status_code == 200
        assert name in answer.headers["content-disposition"]
        return answer.text

    report = client.get(f"/api/studies/{study_id}").json()["report"]
    assert read("report.md") == markdown(StudyReport.model_validate(report))
    runs = list(csv.DictReader(io.StringIO(read("runs.csv"))))
    assert len(runs) == 24
    for row in runs:
        levels = tuple(row[factor] for factor in FACTORS)
        value = values.get((levels, int(row["seed"])))
        assert row[SCORE] == ("" if value is None else str(value))
    cells = list(csv.DictReader(io.StringIO(read("cells.csv"))))
    assert float(cells[0]["mean"]) == report["cells"][0]["outcomes"][SCORE]["final"]["estimate"]
    effects = list(csv.DictReader(io.StringIO(read("effects.csv", baseline="ema=on"))))
    assert (effects[0]["levels"], effects[0]["against"]) == ("ema=off", "ema=on")
    assert client.get(f"/api/studies/{study_id}/files/other.txt").status_code == 422

from __future__ import annotations

from typing import Any

import pytest
from fastapi.testclient import TestClient

from core.config import RunConfig
from core.presets import PRESETS, expand_preset


def test_every_preset_is_listed_and_can_be_put_on_the_defaults(client: TestClient) -> None:
    answer = client.get("/api/presets").json()
    assert [preset["name"] for preset in answer["items"]] == list(PRESETS)
    assert answer["total"] == len(PRESETS)
    for preset in answer["items"]:
        assert preset["summary"]
        assert preset["formula"]
        RunConfig.model_validate({"data": {"path": "x"}, **preset["settings"]})
    page = client.get("/api/presets", params={"limit": 2, "offset": 1}).json()
    assert [preset["name"] for preset in page["items"]] == list(PRESETS)[1:3]


def test_a_run_stores_what_its_preset_stands_for(
    client: TestClient, config: dict[str, Any]
) -> None:
    for name in PRESETS:
        answer = client.post("/api/runs", json={"config": {"preset": name, **config}})
        assert answer.status_code == 201, answer.text
        expected = RunConfig.model_validate(expand_preset({"preset": name, **config}))
        stored = client.get(f"/api/runs/{answer.json()['id']}").json()["config"]
        assert "preset" not in stored
        assert stored == expected.model_dump(mode="json")


def test_what_is_given_wins_over_the_preset(client: TestClient, config: dict[str, Any]) -> None:
    given = {"preset": "unisd_star", "objective": {"agreement": {"views": 5}}, **config}
    objective = client.post("/api/runs", json={"config": given}).json()["config"]["objective"]
    assert objective["agreement"]["enabled"]
    assert objective["agreement"]["views"] == 5
    assert objective["contrastive"]["enabled"]


def test_an_experiment_stores_the_whole_configuration(
    client: TestClient, config: dict[str, Any]
) -> None:
    project = client.post("/api/projects", json={"name": "P"}).json()
    body = {"project_id": project["id"], "name": "E", "config": {"preset": "opsd", **config}}
    experiment = client.post("/api/experiments", json=body).json()
    assert experiment["config"]["objective"]["alpha"] == 1.0
    assert "preset" not in experiment["config"]


@pytest.mark.parametrize("path", ["/api/runs", "/api/runs/validate"])
def test_an_unknown_preset_is_named_beside_other_mistakes(
    client: TestClient, config: dict[str, Any], path: str
) -> None:
    bad = {"preset": "unisd_sta", "training": {"max_steps": 0}, **config}
    answer = client.post(path, json={"config": bad})
    assert answer.status_code == 422
    errors = {error["field"]: error for error in answer.json()["errors"]}
    assert set(errors) == {"config.preset", "training.max_steps"}
    unknown = errors["config.preset"]
    assert unknown["code"] == "preset_unknown"
    assert "unisd_sta" in unknown["message"]
    assert "Did you mean “unisd_star”?" in unknown["remedy"]


def test_mechanisms_that_do_not_fit_together_are_told_at_the_first_of_them(
    client: TestClient, config: dict[str, Any]
) -> None:
    both = {"feature_matching": {"mode": "representation_only"}, "agreement": True}
    answer = client.post("/api/runs/validate", json={"config": {**config, "objective": both}})
    (error,) = answer.json()["errors"]
    assert error["code"] == "config_invalid"
    assert error["field"] == "objective.agreement.enabled"
    assert "joint" in error["remedy"]
    assert "agreement" in error["message"].lower()

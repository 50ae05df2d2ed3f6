"""Deciding on a run in a real Chromium: presets, mechanisms, preflight, text, clones, studies."""

from __future__ import annotations

import re
from itertools import product
from typing import Any

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.e2e.axe import violations
from tests.e2e.installation import Installation
from tests.e2e.test_keyboard import tab_to

_AGREEMENT = "Multi-teacher agreement"
_CONTRASTIVE = "Contrastive learning"
_CLIPPING = "Divergence clipping"


@pytest.fixture
def studio(plain_studio: Installation) -> Installation:
    """What is queued here waits: deciding is what is looked at, not training."""
    plain_studio.http.post("/api/queues/gpu/pause").raise_for_status()
    return plain_studio


def _field(page: Page, path: str) -> Locator:
    return page.get_by_test_id(f"field-{path}")


def _type(page: Page, path: str, text: str) -> None:
    tab_to(page, _field(page, path))
    page.keyboard.press("Control+a")
    page.keyboard.type(text)


def _switch(page: Page, title: str) -> None:
    switch = page.get_by_role("switch", name=title)
    tab_to(page, switch)
    page.keyboard.press("Space")


def _identifier(page: Page, kind: str) -> str:
    page.wait_for_url(re.compile(rf"/{kind}/[0-9a-z]{{12}}"))
    found = re.search(rf"/{kind}/([0-9a-z]{{12}})", page.url)
    assert found
    return found[1]


def test_unisd_star_with_two_mechanisms_changed_by_the_keyboard(
    page: Page, studio: Installation, config: dict[str, Any]
) -> None:
    page.goto(f"{studio.url}/runs/new")
    tab_to(page, page.get_by_role("combobox", name="Preset"))
    page.keyboard.type("unisd_star")
    expect(page.get_by_text("EMA teacher, token-level agreement")).to_be_visible()
    expect(page.get_by_test_id("preset-formula")).to_contain_text("KL(pT ‖ pS)")
    _type(page, "model.name", config["model"]["name"])
    page.keyboard.press("Escape")  # suggestions
    _type(page, "data.path", config["data"]["path"])
    formula = page.get_by_test_id("formula")
    expect(formula).to_contain_text("max(0")
    _switch(page, _CLIPPING)
    _switch(page, _CONTRASTIVE)
    expect(formula).to_contain_text("min(")
    expect(formula).not_to_contain_text("max(0")
    expect(_field(page, "objective.clipping.ceiling")).to_be_visible()
    expect(_field(page, "objective.contrastive.margin")).to_have_count(0)
    expect(page.get_by_test_id("preset-changes")).to_contain_text(f"{_CLIPPING}, {_CONTRASTIVE}")
    _type(page, "training.max_steps", "3")
    _type(page, "generation.max_prompt_length", "9")
    expect(page.get_by_test_id("error-generation.max_prompt_length")).to_contain_text("fit")
    _type(page, "generation.max_prompt_length", "1024")

    _preflight_is_right(page)
    assert not violations(page)
    page.keyboard.press("Control+Enter")
    run = studio.run(_identifier(page, "runs"))
    objective = run["config"]["objective"]
    on = [name for name, part in objective.items() if isinstance(part, dict) and part["enabled"]]
    assert sorted(on) == ["agreement", "clipping", "feature_matching"]
    assert run["config"]["teacher"]["weights"] == "ema"
    assert run["status"] == "queued"


def _preflight_is_right(page: Page) -> None:
    panel = page.get_by_role("region", name="Preflight", exact=True)
    columns = panel.get_by_role("table", name="Columns of the data")
    expect(columns.get_by_role("row", name=re.compile("^question prompt"))).to_be_visible()
    expect(panel).to_contain_text("64 records read: 64 to train on")
    expect(panel).to_contain_text("All fit")
    expect(panel.get_by_test_id("fit-worker")).to_contain_text("fits")
    expect(panel).to_contain_text("3 steps of 16 sequences")
    views = panel.get_by_role("group", name="View")
    text = panel.get_by_test_id("rendered-view")
    tab_to(page, views.get_by_role("button", name="Auxiliary 1"))
    page.keyboard.press("Enter")
    first = text.inner_text()
    assert "What is 0 + 1?" in first
    assert first.count("What is") == 2  # another record's worked example stands before it
    tab_to(page, panel.get_by_role("button", name="Next record"))
    page.keyboard.press("Enter")
    expect(text).to_contain_text("What is 1 + 1?")
    glance = page.get_by_role("region", name="Preflight at a glance")
    expect(glance).to_contain_text("64 records to train on")


def test_a_grid_becomes_a_study(page: Page, studio: Installation, config: dict[str, Any]) -> None:
    page.goto(f"{studio.url}/runs/new")
    _field(page, "model.name").fill(config["model"]["name"])
    _field(page, "data.path").fill(config["data"]["path"])
    for title in (_AGREEMENT, _CONTRASTIVE, _CLIPPING):
        page.get_by_role("button", name=f"{title}: try several values").click()
    study = page.get_by_test_id("study-summary")
    expect(study).to_contain_text("Study of 8 runs · 2 × 2 × 2")
    page.reload()  # the draft is kept
    expect(study).to_contain_text("Study of 8 runs · 2 × 2 × 2")
    expect(_field(page, "data.path")).to_have_value(config["data"]["path"])
    # One wrong value in the part that all share is told at its field.
    _field(page, "training.learning_rate").fill("7")
    expect(page.get_by_test_id("error-training.learning_rate")).to_be_visible()
    _field(page, "training.learning_rate").fill("0.001")
    expect(page.get_by_role("status").filter(has_text="Ready to start")).to_be_visible()
    page.get_by_role("button", name="Queue study · 8 runs").click()
    cells = studio.http.get(f"/api/studies/{_identifier(page, 'studies')}").json()["cells"]
    names = ("agreement", "contrastive", "clipping")
    levels = {tuple(cell["levels"][name] for name in names) for cell in cells}
    assert levels == set(product(("off", "on"), repeat=3))
    assert len(cells) == 8
    page.goto(f"{studio.url}/runs/new")
    expect(_field(page, "data.path")).to_have_value("")  # the draft is gone


def test_a_clone_by_text_and_seeds(
    page: Page, studio: Installation, config: dict[str, Any]
) -> None:
    original = studio.create(config, name="first")
    page.goto(f"{studio.url}/runs/new?from={original}")
    changes = page.get_by_role("region", name="Changes against the original")
    expect(changes).to_contain_text("Nothing yet")
    _field(page, "model.lora.rank").fill("8")
    expect(changes.get_by_role("listitem")).to_have_text(re.compile("rank.*48", re.I | re.S))

    page.get_by_role("button", name="YAML").click()
    text = page.get_by_role("textbox", name="Configuration as YAML")
    written = text.input_value()
    assert "rank: 8" in written
    text.fill(written.replace("max_steps: 40", "max_stepz: 40"))
    line = written.splitlines().index("  max_steps: 40") + 1
    mistake = page.get_by_test_id("text-problems")
    expect(mistake.get_by_role("button", name=f"Line {line}")).to_be_visible()
    expect(page.get_by_test_id("start-run")).to_be_disabled()
    page.reload()
    expect(text).to_have_value(re.compile("max_stepz"))
    text.fill(written.replace("max_steps: 40", "max_steps: 41"))
    expect(page.get_by_text("Read; the form holds all of it.")).to_be_visible()
    page.get_by_role("button", name="Form", exact=True).click()
    expect(_field(page, "training.max_steps")).to_have_value("41")
    expect(changes.get_by_role("listitem")).to_have_count(2)

    page.get_by_label("Seeds", exact=True).fill("3")
    page.get_by_role("button", name="Queue study · 3 runs").click()
    cells = studio.http.get(f"/api/studies/{_identifier(page, 'studies')}").json()["cells"]
    assert [cell["seed"] for cell in cells] == [42, 43, 44]
    page.goto(f"{studio.url}/runs/new?benchmark=scienceqa")
    expect(_field(page, "data.benchmark")).to_have_value("scienceqa")

"""The list of rollouts and teacher agreement in a real Chromium, while the run goes on."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from app.db import Database
from app.settings import Settings
from tests.app.rollouts import RecordedRun, make_recorded_run
from tests.e2e.axe import violations
from tests.live import serving


@pytest.fixture
def url(settings: Settings) -> Iterator[str]:
    with serving(settings) as port:
        yield f"http://127.0.0.1:{port}"


@pytest.fixture
def run(database: Database, tmp_path: Path) -> RecordedRun:
    return make_recorded_run(database, tmp_path, 3)


def test_rollouts_are_sorted_filtered_gone_through_and_arrive(
    page: Page, url: str, run: RecordedRun
) -> None:
    page.goto(f"{url}/runs/{run.id}?tab=trajectories")
    rows = page.get_by_test_id("trajectory-row")
    expect(rows).to_have_count(24)
    heads = page.get_by_role("columnheader")
    expect(heads.filter(has_text="Disagreement")).to_be_visible()
    expect(heads.filter(has_text="Clipped")).to_have_count(0)  # clipping is off

    heads.get_by_role("button", name="Disagreement").press("Enter")
    expect(heads.filter(has_text="Disagreement")).to_have_attribute("aria-sort", "descending")
    order = sorted(run.rows, key=lambda row: -row["event"]["disagreement"])
    prompts = [row["event"]["prompt"] for row in order]
    expect(rows.first).to_contain_text(prompts[0])

    page.get_by_role("button", name="Filter", exact=True).press("Enter")
    page.get_by_role("button", name="Wrong answers").press("Enter")
    page.get_by_role("textbox", name="Value").fill("0.5")
    page.keyboard.press("Enter")
    expect(page.get_by_test_id("filter-chip")).to_have_text(["Wrong answers", "Disagreement ≥ 0.5"])
    wrong = [
        row["event"]["prompt"]
        for row in order
        if row["event"]["grade"] == 0 and row["event"]["disagreement"] >= 0.5
    ]
    expect(rows).to_have_count(len(wrong))

    page.reload()  # the link holds the view
    expect(rows).to_have_count(len(wrong))
    assert violations(page) == []
    for key in ("j", "j", "k", "j"):
        page.keyboard.press(key)
    page.keyboard.press("Enter")
    told = page.get_by_text(f"2 of {len(wrong)}", exact=True)
    expect(told).to_be_visible()
    expect(page.get_by_text(wrong[1], exact=True)).to_be_visible()
    page.keyboard.press("j")
    expect(page.get_by_text(wrong[2], exact=True)).to_be_visible()
    page.get_by_role("button", name="Previous rollout of the list").press("Enter")
    expect(told).to_be_visible()
    page.keyboard.press("Escape")
    expect(rows).to_have_count(len(wrong))

    page.goto(f"{url}/runs/{run.id}?tab=trajectories")
    expect(rows.first).to_contain_text("p20")
    run.record()  # what comes now must not move a row under the reader's hand
    new = page.get_by_role("button", name="8 new")
    expect(new).to_be_visible(timeout=15_000)
    expect(rows).to_have_count(24)
    expect(rows.first).to_contain_text("p20")
    new.press("Enter")
    expect(rows).to_have_count(32)
    page.get_by_role("switch", name="Follow").press("Space")
    run.record()
    expect(rows).to_have_count(40, timeout=15_000)
    page.goto("about:blank")  # the stream of a run that goes on would outlive the server


def test_agreement_leads_to_the_disputed_token(page: Page, url: str, run: RecordedRun) -> None:
    page.goto(f"{url}/runs/{run.id}?tab=trajectories")
    page.get_by_role("button", name="Agreement", exact=True).press("Enter")
    expect(page).to_have_url(re.compile("show=agreement"))
    expect(page.get_by_text("Based on 24 rollouts, 20 graded")).to_be_visible()
    expect(page.get_by_text("has more disagreement than a right one in 100 %")).to_be_visible()
    expect(page.get_by_role("region", name="By part of the answer")).to_contain_text(
        "answer letter"
    )
    assert violations(page) == []
    tokens = page.get_by_role("region", name="Most disagreed tokens")
    tokens.get_by_role("button").first.press("Enter")
    expect(page).to_have_url(re.compile(r"trajectory=\d+.*token=\d|token=\d.*trajectory=\d+"))
    expect(page.get_by_role("heading", name="Completion")).to_be_visible()
    page.goto("about:blank")

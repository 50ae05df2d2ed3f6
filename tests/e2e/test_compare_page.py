"""Runs side by side, on a real server and in a real Chromium."""

from __future__ import annotations

import csv
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from app.db import Database
from app.settings import Settings
from tests.app.compared import make_config, make_evaluation, make_run
from tests.live import serving


@pytest.fixture
def url(settings: Settings) -> Iterator[str]:
    with serving(settings) as port:
        yield f"http://127.0.0.1:{port}"


@pytest.fixture
def runs(database: Database, tmp_path: Path) -> dict[str, str]:
    """A baseline, two seeds of another configuration, one run that was never evaluated."""

    def run(name: str, seed: int, loss: float, **training: float) -> str:
        reported = {
            step: {"train/loss": loss / step, "train/tokens": 10.0 * step} for step in range(1, 31)
        }
        return make_run(database, name, reported, config=make_config(seed, **training))

    found = {
        "base": run("plain", 1, 2.0, batch_size=1),
        "one": run("tuned seed=1", 1, 1.0),
        "two": run("tuned seed=2", 2, 1.2),
        "silent": run("silent", 1, 3.0, learning_rate=0.5),
    }
    rights = {"base": [False] * 20 + [True] * 10, "one": [True] * 30, "two": [True] * 30}
    for name, right in rights.items():
        folder = tmp_path / "results" / name / "own"
        jsd = 0.3 if name == "base" else 0.1
        make_evaluation(database, found[name], "own", right, folder=folder, jsd=jsd)
    return found


def test_runs_are_chosen_and_compared_by_keyboard_alone(
    page: Page, url: str, runs: dict[str, str]
) -> None:
    # From a run, which is the baseline then; the keys of each page are told.
    page.goto(f"{url}/runs/{runs['silent']}")
    expect(page.get_by_role("heading", name="silent")).to_be_visible()
    page.keyboard.press("c")
    page.get_by_role("list", name="Runs").get_by_role("checkbox", name="plain").check()
    page.get_by_role("button", name="Compare", exact=True).press("Enter")
    page.wait_for_url(re.compile(f"/compare.*baseline={runs['silent']}"))
    expect(page.get_by_role("radio", name="silent")).to_be_checked()
    page.keyboard.press("?")
    keys = page.get_by_role("dialog", name="Keyboard")
    for words in ("Choose runs", "Logarithmic y axes", "Next x axis"):
        expect(keys).to_contain_text(words)

    page.goto(f"{url}/compare")
    expect(page.get_by_role("heading", name="Put runs side by side")).to_be_visible()
    page.keyboard.press("a")
    search = page.get_by_role("searchbox", name="Search runs by name")
    expect(search).to_be_focused()
    search.press_sequentially("tuned")
    choices = page.get_by_role("list", name="Runs").get_by_role("checkbox")
    expect(choices).to_have_count(2)
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Space")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Space")
    expect(page.get_by_role("status").filter(has_text="chosen")).to_have_text("2 runs chosen")
    search.fill("plain")
    expect(choices).to_have_count(1)
    search.press("ArrowDown")
    page.keyboard.press("Space")
    search.press("Enter")

    chosen = page.get_by_role("region", name="Compared runs").get_by_role("listitem")
    expect(chosen).to_have_count(2)  # the seeds are one
    expect(chosen.first).to_contain_text("tuned")
    page.get_by_role("radio", name="tuned as baseline").focus()
    page.keyboard.press("ArrowDown")
    expect(page.get_by_role("radio", name="plain as baseline")).to_be_checked()
    expect(chosen.first).to_contain_text("plain")  # the baseline comes first
    assert f"baseline={runs['base']}" in page.url
    expect(page.get_by_role("heading", name="Curves")).to_be_visible()
    seeds = page.get_by_role("switch", name="Take seeds together")
    seeds.press("Space")
    expect(chosen).to_have_count(3)
    assert "seeds=apart" in page.url
    page.reload()
    expect(chosen).to_have_count(3)
    page.get_by_role("button", name="Remove tuned seed=1").press("Enter")
    expect(chosen).to_have_count(2)
    page.go_back()
    expect(chosen).to_have_count(3)


def test_figures_stand_against_the_baseline_and_gaps_are_words(
    page: Page, url: str, runs: dict[str, str]
) -> None:
    listed = ",".join([*runs.values(), "gone"])
    page.goto(f"{url}/compare?runs={listed}&baseline={runs['base']}")
    expect(page.get_by_text("1 run of this link does not exist any more")).to_be_visible()

    chart = page.get_by_test_id("chart-train/loss")
    expect(chart).to_be_visible()
    legend = page.get_by_role("figure").filter(has_text="Loss").get_by_role("button")
    expect(legend.filter(has_text="tuned (2 seeds)")).to_be_visible()
    page.get_by_role("button", name="Metrics (").press("Enter")
    page.get_by_role("searchbox", name="Search metrics with a chart").fill("tokens")
    page.get_by_role("checkbox", name=re.compile("Completion tokens so far")).press("Space")
    page.keyboard.press("Escape")
    expect(page.get_by_test_id("chart-train/tokens")).to_be_visible()
    assert "charts=train%2Floss%2Ctrain%2Ftokens" in page.url

    results = page.get_by_role("table", name="Results on own")
    tuned = results.get_by_role("row").filter(has_text="tuned")
    expect(tuned).to_contain_text("+66.7")
    expect(tuned.get_by_role("img", name="better")).to_have_count(2)
    expect(tuned).to_contain_text("30 common answers, 2 seeds")
    expect(tuned).to_contain_text("the baseline is one run")
    silent = results.get_by_role("row").filter(has_text="silent")
    expect(silent).to_contain_text("Not asked this set.")
    expect(page.get_by_role("img", name=re.compile("Right answers against JSD"))).to_be_visible()

    metrics = page.get_by_role("table", name="Metrics")
    loss = metrics.get_by_role("row").filter(has_text="train/loss")
    expect(loss).to_contain_text("\u22120.0300")  # (1 + 1.2) / 2 / 30 − 2 / 30
    page.get_by_role("button", name="Highest").press("Enter")
    expect(loss).to_contain_text("\u22120.900")
    with page.expect_download() as download:
        page.get_by_role("region", name="Metrics").get_by_role("button", name="CSV").click()
    with download.value.path().open() as file:
        (row,) = [row for row in csv.DictReader(file) if row["metric"] == "train/loss"]
    assert float(row["tuned difference"]) == pytest.approx(-0.9)

    fields = page.get_by_role("table", name="Configuration").get_by_role("row")
    expect(fields).to_have_count(4)  # heads, batch size, learning rate, seed
    expect(fields.filter(has_text="learning_rate")).to_contain_text("0.5")
    page.get_by_role("switch", name="All fields").press("Space")
    expect(fields.filter(has_text="model.lora.rank")).to_be_visible()
    assert "config=all" in page.url

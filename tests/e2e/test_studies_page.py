"""A study in a real Chromium: from a written plan to its numbers, and what can be done with it."""

from __future__ import annotations

import csv
import io
import re
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import numpy as np
import pytest
import yaml
from playwright.sync_api import Browser, Page, expect

from tests.e2e.installation import Installation
from tests.servers import make_file

_NLL = "eval/reference/nll"
_RANKS = {"low": 2, "high": 8}
_RATES = {"slow": 3e-3, "fast": 1e-2}


@pytest.fixture
def database_url(tmp_path: Path) -> str:
    """One database is enough here; what differs between the two is tested without a browser."""
    return make_file(tmp_path / "home" / "unisd.sqlite")


@pytest.fixture
def plan(config: dict[str, Any], tmp_path: Path) -> Path:
    training = {"max_steps": 2, "batch_size": 2, "gradient_accumulation_steps": 1}
    base = config | {"training": training, "evaluation": {"examples": 4, "every_steps": 1}}
    rates = {name: {"training": {"learning_rate": rate}} for name, rate in _RATES.items()}
    ranks = {name: {"model": {"lora": {"rank": rank}}} for name, rank in _RANKS.items()}
    factors = {"rank": ranks, "rate": rates}
    raw = {"name": "Small", "base": base, "factors": factors, "metrics": [_NLL]}
    file = tmp_path / "plan.yaml"
    file.write_text(yaml.safe_dump(raw, sort_keys=False).replace("rank: 8", "rnak: 8"))
    return file


def test_a_study_from_its_plan_to_its_end(
    browser: Browser, studio: Installation, plan: Path
) -> None:
    page = browser.new_page(viewport={"width": 1440, "height": 900})
    page.set_default_timeout(60_000)
    page.goto(f"{studio.url}/studies")
    expect(page.get_by_role("heading", name="No studies yet")).to_be_visible()
    page.get_by_role("link", name="From a plan").first.click()
    _mend_and_queue(page, plan)
    expect(page.get_by_test_id("study-state")).to_have_text("Complete")  # without a reload
    study_id = page.url.split("/studies/")[1].split("?")[0]

    values = _last_values(studio, study_id)
    for (rank, rate), value in values.items():
        cell = page.get_by_role("button", name=f"rank={rank}, rate={rate}: {value:.4g}")
        expect(cell).to_contain_text("1/1 runs")
    _effects_are(page, values)
    _look_from_another_side(page, values)
    _take_along(page, values)
    _run_again_and_delete(page, studio, study_id)
    page.close()


def _mend_and_queue(page: Page, plan: Path) -> None:
    page.get_by_role("button", name="Begin with an example").click()
    expect(page.get_by_label("Plan, YAML or JSON")).to_have_value(re.compile("factors:"))
    expect(page.get_by_role("complementary", name="Verdict")).to_contain_text("= 12")
    page.get_by_label("Plan file").set_input_files(plan)
    lines = plan.read_text().splitlines()
    (line,) = (number for number, one in enumerate(lines, 1) if "rnak: 8" in one)
    mistake = page.get_by_test_id("plan-problem")
    expect(mistake).to_contain_text("rnak")
    expect(page.get_by_role("button", name="Queue the runs")).to_be_disabled()
    mistake.get_by_role("button", name=f"Line {line}", exact=True).click()
    page.keyboard.type(lines[line - 1].replace("rnak", "rank"))  # the line is selected
    page.get_by_role("button", name="Queue 4 runs").click()
    page.wait_for_url(re.compile(r"/studies/[0-9a-z]{12}"))


def _last_values(studio: Installation, study_id: str) -> dict[tuple[str, str], float]:
    """Of each run by its levels, straight from the runs' own series."""
    found = {}
    for cell in studio.http.get(f"/api/studies/{study_id}").json()["cells"]:
        query = {"name": _NLL}
        series = studio.http.get(f"/api/runs/{cell['id']}/metrics", params=query).json()["items"]
        found[cell["levels"]["rank"], cell["levels"]["rate"]] = series[0]["values"][-1]
    return found


def _signed(value: float) -> re.Pattern[str]:
    return re.compile(re.escape(f"{value:+.4g}".replace("-", "\u2212")))


def _effects_are(page: Page, values: dict[tuple[str, str], float]) -> None:
    table = np.array([[values[rank, rate] for rate in _RATES] for rank in _RANKS])
    effects = page.get_by_test_id("effect")
    expect(effects).to_have_count(3)
    rank, rate = table[1].mean() - table[0].mean(), table[:, 1].mean() - table[:, 0].mean()
    both = table[1, 1] - table[1, 0] - table[0, 1] + table[0, 0]
    for place, expected in enumerate((rank, rate, both)):
        expect(effects.nth(place)).to_contain_text(_signed(expected))
        # One seed: four unknowns and four runs leave nothing to judge the spread by.
        expect(effects.nth(place)).to_contain_text("more seeds are needed")
    page.get_by_label("Baseline of rate").select_option("fast")
    expect(effects.nth(1)).to_contain_text(_signed(-rate))
    page.get_by_label("Baseline of rate").select_option("slow")
    expect(effects.nth(1)).to_contain_text(_signed(rate))


def _look_from_another_side(page: Page, values: dict[tuple[str, str], float]) -> None:
    page.get_by_label("Where rate stands").select_option("averaged")
    mean = np.mean([values["high", rate] for rate in _RATES])
    cell = page.get_by_role("button", name=f"rank=high: {mean:.4g}")
    expect(cell).to_be_visible()
    page.reload()
    expect(cell).to_be_visible()
    cell.click()
    dialog = page.get_by_role("dialog", name="rank=high")
    expect(dialog.get_by_role("link", name=re.compile("rate=.*seed=1"))).to_have_count(2)
    href = dialog.get_by_role("link", name="Compare its runs").get_attribute("href") or ""
    assert re.fullmatch(r"/compare\?runs=[0-9a-z]{12},[0-9a-z]{12}", unquote(href))
    page.keyboard.press("Escape")
    expect(dialog).to_have_count(0)


def _take_along(page: Page, values: dict[tuple[str, str], float]) -> None:
    page.get_by_role("button", name="Files").click()
    with page.expect_download() as waiting:
        page.get_by_role("link", name=re.compile("Runs, CSV")).click()
    rows = csv.DictReader(io.StringIO(Path(waiting.value.path()).read_text()))
    assert {(row["rank"], row["rate"]): float(row[_NLL]) for row in rows} == values
    page.emulate_media(media="print")
    expect(page.get_by_role("navigation", name="Main")).to_be_hidden()
    expect(page.get_by_role("button", name="Files")).to_be_hidden()
    page.emulate_media(media="screen")


def _run_again_and_delete(page: Page, studio: Installation, study_id: str) -> None:
    runs = [cell["id"] for cell in studio.http.get(f"/api/studies/{study_id}").json()["cells"]]
    studio.http.post("/api/queues/gpu/pause").raise_for_status()
    studio.http.delete(f"/api/runs/{runs[3]}").raise_for_status()
    page.reload()
    expect(page.get_by_test_id("study-gap")).to_contain_text("deleted")
    page.get_by_role("button", name="Resume").click()
    page.get_by_role("button", name="Queue 1 run").click()
    expect(page.get_by_test_id("study-state")).to_have_text("Waiting")
    page.get_by_role("button", name="Cancel").click()
    page.get_by_role("button", name="Stop 1 run").click()
    expect(page.get_by_test_id("study-gap")).to_contain_text("cancelled")
    page.get_by_role("button", name="Delete the study").click()
    page.get_by_role("radio", name=re.compile("^Delete its runs too")).check()
    page.get_by_role("button", name="Delete the study and its runs").click()
    expect(page.get_by_role("heading", name="No studies yet")).to_be_visible()
    assert studio.http.get("/api/runs").json()["total"] == 0

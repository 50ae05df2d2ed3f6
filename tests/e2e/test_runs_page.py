"""The list of runs in a real Chromium: arranged, kept, steered; by the keyboard where it can be."""

from __future__ import annotations

import csv
import re
from collections.abc import Iterator
from typing import Any

import httpx2
import pytest
from playwright.sync_api import Locator, Page, expect

from app.db import Database
from app.settings import Settings
from tests.app.compared import make_config, make_run
from tests.app.studies import fail
from tests.e2e.axe import violations
from tests.live import serving

_LOSS = "train/loss"


@pytest.fixture
def url(settings: Settings) -> Iterator[str]:
    with serving(settings) as port:
        yield f"http://127.0.0.1:{port}"


def _make(database: Database, name: str, seed: int, loss: float) -> str:
    return make_run(database, name, {1: {_LOSS: 5.0}, 2: {_LOSS: loss}}, config=make_config(seed))


@pytest.fixture
def runs(database: Database) -> dict[str, str]:
    """Three runs of each of two seeds, by name."""
    losses = {"a": 0.3, "b": 0.1, "c": 0.2}
    return {
        f"{name}{seed}": _make(database, f"{name}{seed}", seed, loss * seed)
        for seed in (1, 2)
        for name, loss in losses.items()
    }


def test_the_list_is_arranged_kept_and_followed(
    page: Page, url: str, database: Database, runs: dict[str, str]
) -> None:
    page.clock.install()
    page.goto(url)
    names = _names(page)
    expect(names).to_have_text(["c2", "b2", "a2", "c1", "b1", "a1"])  # newest first

    page.get_by_role("button", name="Filter", exact=True).press("Enter")
    page.get_by_role("combobox", name="Filter by").fill("seed")
    page.keyboard.press("Enter")
    page.get_by_role("group", name="Values of Seed").get_by_role("checkbox").nth(1).check()
    expect(names).to_have_text(["c2", "b2", "a2"])
    page.keyboard.press("Escape")
    expect(page.get_by_test_id("filter-chip")).to_have_text("Seed is 2")

    page.get_by_role("button", name="Columns").press("Enter")
    page.get_by_role("combobox", name="Add a column").fill(_LOSS)
    page.keyboard.press("Enter")
    expect(page.get_by_role("list", name="Columns in their order")).to_contain_text(_LOSS)
    page.keyboard.press("Escape")
    head = page.get_by_role("columnheader", name=_LOSS)
    head.get_by_role("button", name=_LOSS, exact=True).press("Enter")
    expect(head).to_have_attribute("aria-sort", "ascending")
    expect(names).to_have_text(["b2", "c2", "a2"])
    expect(_row(page, runs["b2"])).to_contain_text("0.2000")
    head.get_by_role("button", name=f"Column {_LOSS}").press("Enter")
    page.get_by_role("button", name="Move left").press("Enter")
    heads = page.get_by_role("columnheader")
    expect(heads.nth(-3)).to_contain_text(_LOSS)  # before the creation and the buttons
    page.set_viewport_size({"width": 1800, "height": 900})  # all of them in sight
    head.drag_to(page.get_by_role("columnheader", name="State"))
    expect(heads.nth(2)).to_contain_text(_LOSS)  # behind the box and the name

    page.get_by_role("button", name="Views").press("Enter")
    page.get_by_role("textbox", name="Name of a new view").fill("Second seed")
    page.keyboard.press("Enter")
    expect(page.get_by_role("button", name="Second seed")).to_be_visible()
    (view,) = httpx2.get(f"{url}/api/views").json()["items"]
    page.get_by_role("button", name="Clear", exact=True).press("Enter")
    expect(names).to_have_count(6)
    page.goto(f"{url}/views/{view['id']}")
    expect(names).to_have_text(["b2", "c2", "a2"])
    expect(heads.nth(2)).to_contain_text(_LOSS)
    with page.expect_download() as download:
        page.get_by_role("link", name="CSV").click()
    with download.value.path().open() as file:
        table = list(csv.DictReader(file))
    assert [row["name"] for row in table] == ["b2", "c2", "a2"]
    assert [float(row[f"metric:{_LOSS}"]) for row in table] == [0.2, 0.4, 0.6]

    _make(database, "d2", 2, 0.05)  # by somebody else
    page.clock.fast_forward(11_000)
    expect(names).to_have_text(["d2", "b2", "c2", "a2"])
    page.get_by_role("link", name="b2", exact=True).click()
    page.wait_for_url(re.compile(f"/runs/{runs['b2']}"))


def test_many_runs_are_chosen_by_keys_and_each_says_what_became_of_it(
    page: Page, url: str, database: Database, runs: dict[str, str], config: dict[str, Any]
) -> None:
    page.goto(f"{url}/?group=seed")
    groups = page.get_by_test_id("run-group")
    expect(groups).to_have_count(2)
    page.keyboard.press("j")
    expect(groups.first).to_be_focused()
    page.keyboard.press("Enter")
    names = _names(page)
    expect(names).to_have_text(["c1", "b1", "a1"])
    assert not violations(page)
    page.keyboard.press("x")
    chosen = page.get_by_role("region", name="Selected runs")
    expect(chosen).to_contain_text("3 runs selected")
    page.keyboard.press("j")
    page.keyboard.press("Space")  # but not c1
    expect(chosen).to_contain_text("2 runs selected")

    chosen.get_by_role("button", name="Tag…").press("Enter")
    page.keyboard.type("paper")
    page.keyboard.press("Enter")
    page.get_by_role("button", name="Tag 2 runs").press("Enter")
    expect(page.get_by_role("dialog")).to_have_count(0)
    tagged = httpx2.get(f"{url}/api/runs", params={"filter": "tag=paper", "sort": "name"}).json()
    assert [run["name"] for run in tagged["items"]] == ["a1", "b1"]

    page.keyboard.press("c")
    page.wait_for_url(re.compile("/compare"))
    assert {runs["a1"], runs["b1"]} == set(re.findall(r"[0-9a-z]{12}", page.url))
    compared = page.get_by_role("region", name="Compared runs").get_by_role("listitem")
    expect(compared.first).to_be_visible()
    page.go_back()
    expect(chosen).to_have_count(0)

    page.get_by_role("combobox", name="Group by").select_option("")
    expect(names).to_have_count(6)
    page.keyboard.press("j")
    expect(_row(page, runs["c2"])).to_be_focused()
    page.keyboard.press("Home")
    page.keyboard.press("Shift+ArrowDown")
    page.keyboard.press("Shift+ArrowDown")
    expect(chosen).to_contain_text("3 runs selected")
    page.keyboard.press("Control+a")
    expect(chosen).to_contain_text("6 runs selected")
    httpx2.delete(f"{url}/api/runs/{runs['b1']}").raise_for_status()  # by somebody else
    page.keyboard.press("#")
    page.get_by_role("button", name="Delete 6 runs").press("Enter")
    told = page.get_by_role("dialog", name="1 run could not be deleted")
    expect(told).to_contain_text("5 runs were deleted")
    expect(told.get_by_role("listitem")).to_have_count(1)
    expect(told.get_by_role("listitem")).to_contain_text("b1")
    page.keyboard.press("Escape")
    expect(page.get_by_role("grid", name="Runs")).to_have_count(0)
    assert httpx2.get(f"{url}/api/runs").json()["total"] == 0

    for name in ("waits", "failed"):
        made = httpx2.post(f"{url}/api/runs", json={"config": config, "name": name})
    fail(database, made.raise_for_status().json()["id"], "It diverged.")
    page.reload()
    expect(names).to_have_text(["failed", "waits"])
    _wish(page, "Clone", "Clone 2 runs")
    expect(names).to_have_count(4)
    _wish(page, "Stop", "Stop 3 runs")
    expect(chosen).to_contain_text("1 run selected")  # the one that is over already
    chosen.get_by_role("button", name="Resume…").press("Enter")
    page.get_by_role("button", name="Resume 1 run").press("Enter")
    expect(chosen).to_have_count(0)
    found = httpx2.get(f"{url}/api/runs").json()["items"]
    assert [run["name"] for run in found if run["status"] == "queued"] == ["failed"]
    assert {run["status"] for run in found if run["name"] != "failed"} == {"cancelled"}


def _wish(page: Page, action: str, confirm: str) -> None:
    """Pick every run and wish something for all of them."""
    page.keyboard.press("j")
    page.keyboard.press("Control+a")
    page.get_by_role("region", name="Selected runs").get_by_role("button", name=f"{action}…").press(
        "Enter"
    )
    page.get_by_role("button", name=confirm).press("Enter")
    expect(page.get_by_role("dialog")).to_have_count(0)


def test_only_the_lines_in_sight_are_drawn(page: Page, url: str, database: Database) -> None:
    for n in range(250):
        make_run(database, f"run {n:03}")
    page.goto(f"{url}/?sort=name")
    grid = page.get_by_role("grid", name="Runs")
    expect(grid).to_have_attribute("aria-rowcount", "251")
    page.keyboard.press("j")
    page.keyboard.press("End")
    last = grid.get_by_role("row").filter(has_text="run 249")
    expect(last).to_be_focused()
    assert _names(page).count() < 60  # of the others nothing is drawn
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="run 249")).to_be_visible()


def _names(page: Page) -> Locator:
    return page.locator('[data-testid^="run-row-"]').get_by_role("link", name=re.compile("^[^C]"))


def _row(page: Page, run_id: str) -> Locator:
    return page.get_by_test_id(f"run-row-{run_id}")

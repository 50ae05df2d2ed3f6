"""Journeys by the keyboard alone: every step is reached by Tab or by a key of the page."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

from playwright.sync_api import Locator, Page, expect

from tests.e2e.axe import violations
from tests.e2e.installation import Installation

_MOST_TABS = 120


def _go(page: Page, *keys: str) -> None:
    for key in keys:
        page.keyboard.press(key)


def tab_to(page: Page, wanted: Locator) -> None:
    """Press Tab until an element has the focus, as somebody without a mouse does."""
    expect(wanted).to_be_visible()
    for _ in range(_MOST_TABS):
        if wanted.evaluate("one => one === document.activeElement"):
            return
        page.keyboard.press("Tab")
    raise AssertionError(f"{wanted} is not reached by Tab")


def _choose(page: Page, label: str, option: str) -> None:
    """Choose in a list by typing the option's name."""
    field = page.get_by_role("combobox", name=label, exact=True)
    tab_to(page, field)
    page.keyboard.type(option)
    expect(field).to_have_value(option)


def test_a_data_set_is_uploaded_mended_and_trained_on(
    page: Page, plain_studio: Installation, tmp_path: Path
) -> None:
    rows = [{"zebra": f"What is {n} + 1?", "giraffe": str(n + 1)} for n in range(30)]
    lines = [json.dumps(row) for row in rows]
    lines[6] = '{"zebra": "What'
    file = tmp_path / "my sums.jsonl"
    file.write_text("\n".join(lines) + "\n")

    page.goto(plain_studio.url)
    expect(page.get_by_role("heading", name="Runs", exact=True)).to_be_visible()
    _go(page, "g", "d")
    expect(page.get_by_role("main")).to_be_focused()
    with page.expect_file_chooser() as chooser:
        tab_to(page, page.get_by_role("button", name="Choose a file"))
        page.keyboard.press("Enter")
    chooser.value.set_files(file)
    expect(page.get_by_label("Name", exact=True)).to_have_value("my-sums")
    tab_to(page, page.get_by_role("button", name="Upload", exact=True))
    page.keyboard.press("Enter")
    page.wait_for_url(re.compile(r"/datasets/[0-9a-z]{12}"))
    expect(page).to_have_title(re.compile("my-sums"))
    expect(page.get_by_text("No row became an example")).to_be_visible()

    _choose(page, "Prompt", "zebra")
    _choose(page, "Answer", "giraffe")
    tab_to(page, page.get_by_role("button", name="Save as a new version"))
    page.keyboard.press("Enter")
    expect(page.get_by_text("No row became an example")).to_have_count(0)
    problem = page.get_by_role("region", name="Problems").get_by_role("listitem")
    expect(problem).to_have_count(1)
    expect(problem).to_contain_text("Line 7")
    expect(page.get_by_role("cell", name="What is 3 + 1?")).to_be_visible()

    assert not violations(page)
    # What is looked at stands in the address.
    rows_of_file = page.get_by_role("button", name="Rows of the file")
    tab_to(page, rows_of_file)
    page.keyboard.press("Enter")
    page.reload()
    expect(page.get_by_role("columnheader", name="zebra")).to_be_visible()

    tab_to(page, page.get_by_role("link", name="Train on it"))
    page.keyboard.press("Enter")
    expect(page.get_by_test_id("field-data.dataset")).to_have_value("my-sums@2")
    expect(page.get_by_test_id("error-data.dataset")).to_have_count(0)


def test_a_drained_worker_lets_runs_wait(
    page: Page, plain_studio: Installation, config: dict[str, Any]
) -> None:
    page.goto(plain_studio.url)
    expect(page.get_by_role("heading", name="Runs", exact=True)).to_be_visible()
    page.keyboard.press("Control+k")
    search = page.get_by_role("combobox", name="Search everything")
    expect(search).to_be_focused()
    page.keyboard.type("worker")
    results = page.get_by_role("listbox", name="Results")
    expect(results.get_by_role("option")).to_have_count(2)
    expect(results.get_by_role("option", name=re.compile("^worker"))).to_be_visible()
    page.keyboard.press("ArrowDown")  # past the page of this name
    page.keyboard.press("Enter")
    worker = page.get_by_role("main").get_by_role("listitem", name="worker")
    expect(worker).to_be_focused()

    tab_to(page, worker.get_by_role("button", name="Quarantine…"))
    page.keyboard.press("Enter")
    expect(page.get_by_label("What is wrong with it?")).to_be_focused()
    page.keyboard.type("fan is loud")
    page.keyboard.press("Enter")
    expect(worker.get_by_text("In quarantine: fan is loud")).to_be_visible()
    assert not violations(page)
    tab_to(page, worker.get_by_role("button", name="Resume"))
    page.keyboard.press("Enter")
    drain = worker.get_by_role("button", name="Drain")
    expect(drain).to_be_focused()
    expect(drain).to_be_enabled()
    page.keyboard.press("Enter")
    expect(worker.get_by_text("Draining", exact=True).first).to_be_visible()

    run_id = plain_studio.create(config, name="patient")
    expect(worker.get_by_role("link", name="1 run")).to_be_visible()
    page.keyboard.press("Control+k")
    page.keyboard.type("patient")
    expect(results.get_by_role("option", name=re.compile("patient"))).to_be_visible()
    page.keyboard.press("Enter")
    waiting = page.get_by_test_id("run-waiting")
    expect(waiting).to_contain_text("No. 1 in the queue")
    expect(waiting).to_contain_text("(draining)")
    page.keyboard.press("?")
    expect(page.get_by_role("dialog")).to_contain_text("The run's tabs")
    page.keyboard.press("Escape")
    _go(page, "g", "w")
    expect(page.get_by_role("dialog")).to_have_count(0)
    tab_to(page, worker.get_by_role("button", name="Resume"))
    page.keyboard.press("Enter")
    assert plain_studio.wait_for_end(run_id)["status"] == "succeeded"

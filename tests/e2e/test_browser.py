"""The page in a real Chromium: fill the form, watch the run, reload, stop."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.e2e.chromium import PATIENCE_MS
from tests.e2e.installation import Installation, installation
from tests.e2e.test_evaluations import questions
from tests.servers import make_file

_READ_CURVE = """() => {
    const chart = document.querySelector('[data-testid="chart-train/loss"]');
    if (!chart || !chart.data || !chart.data.length) return [];
    return Array.from(chart.data.at(-1).x); // earlier attempts lie below
}"""


@pytest.fixture
def database_url(tmp_path: Path) -> str:
    """One database is enough here; what differs between the two is tested without a browser."""
    return make_file(tmp_path / "home" / "unisd.sqlite")


def _curve(page: Page) -> list[int]:
    steps: list[int] = page.evaluate(_READ_CURVE)
    return steps


def _wait_for_points(page: Page, count: int) -> None:
    page.wait_for_function(f"({_READ_CURVE})().length >= {count}", timeout=PATIENCE_MS)


def _fill(page: Page, field: str, value: str) -> None:
    page.get_by_test_id(f"field-{field}").fill(value)


def test_form_live_curve_reload_and_stop(
    page: Page, plain_studio: Installation, config: dict[str, Any]
) -> None:
    page.goto(f"{plain_studio.url}/runs/new")
    page.get_by_text("Advanced settings").click()
    _fill(page, "model.name", config["model"]["name"])
    _fill(page, "data.path", config["data"]["path"])
    _fill(page, "model.lora.rank", "4")
    _fill(page, "training.max_steps", "100000")
    _fill(page, "training.batch_size", "2")
    _fill(page, "training.gradient_accumulation_steps", "1")
    _fill(page, "generation.max_completion_length", "8")

    _fill(page, "generation.max_prompt_length", "9")
    error = page.get_by_test_id("error-generation.max_prompt_length")
    expect(error).to_contain_text("does not fit")
    expect(error).to_contain_text("Raise")
    _fill(page, "generation.max_prompt_length", "1024")
    expect(error).to_have_count(0)

    page.get_by_test_id("start-run").click()
    page.wait_for_url(re.compile(r"/runs/[0-9a-z]{12}"))
    run_id = page.url.split("/runs/")[1].split("?")[0]
    expect(page.get_by_test_id("run-status")).to_contain_text("running", ignore_case=True)

    _wait_for_points(page, 3)
    before = _curve(page)
    _wait_for_points(page, len(before) + 5)  # without a reload

    page.reload()
    _wait_for_points(page, len(before) + 10)
    after = _curve(page)
    assert after == list(range(1, len(after) + 1))
    assert after[: len(before)] == before

    page.get_by_test_id("stop-button").click()
    page.get_by_test_id("stop-confirm").click()
    expect(page.get_by_test_id("run-status")).to_contain_text("stopped", ignore_case=True)
    run = plain_studio.run(run_id)
    assert run["status"] == "stopped"
    final = _curve(page)
    assert final == list(range(1, run["progress"]["step"] + 1))
    plain_studio.assert_nothing_lost_or_doubled(run_id)

    page.get_by_test_id("resume-button").click()
    expect(page.get_by_test_id("run-status")).to_contain_text("running", ignore_case=True)
    page.wait_for_function(f"({_READ_CURVE})().some((step) => step > {final[-1]})")


def test_a_broken_line_is_named_at_its_field(
    page: Page, plain_studio: Installation, config: dict[str, Any]
) -> None:
    data = Path(config["data"]["path"])
    lines = data.read_text().splitlines()
    lines[36] = "{"
    data.write_text("\n".join(lines))
    page.goto(f"{plain_studio.url}/runs/new")
    _fill(page, "model.name", config["model"]["name"])
    _fill(page, "data.path", str(data))
    expect(page.get_by_test_id("error-data.path")).to_contain_text("Line 37")
    _fill(page, "model.name", "no/such-model")
    expect(page.get_by_test_id("error-model.name")).to_contain_text("no/such-model")


def test_answers_of_an_evaluation_are_read_one_by_one(
    page: Page, plain_studio: Installation, config: dict[str, Any], tmp_path: Path
) -> None:
    run_id = plain_studio.create(config | {"training": {"max_steps": 3, "batch_size": 2}})
    plain_studio.wait_for_end(run_id)
    file = tmp_path / "questions.jsonl"
    file.write_text(questions())
    asked = {"name": "own", "path": str(file), "max_new_tokens": 6, "retention": True}
    wanted = {"run_id": run_id, "sets": [asked]}
    created = plain_studio.http.post("/api/evaluations", json=wanted).json()["id"]
    plain_studio.wait_for_end(created)

    page.goto(f"{plain_studio.url}/runs/{created}")
    row = page.get_by_test_id("evaluation-row")
    expect(row).to_contain_text("own")
    expect(row).to_contain_text("50 %")  # chance
    expect(page.get_by_test_id("example")).to_have_count(6)
    page.get_by_test_id("example").nth(2).get_by_role("button").click()
    expect(page.get_by_role("heading", name="Answer, by distance from the base")).to_be_visible()
    expect(page.get_by_text("Which is 2?")).to_be_visible()
    assert "example=2" in page.url
    page.reload()
    expect(page.get_by_text("Which is 2?")).to_be_visible()
    page.get_by_role("button", name="Right", exact=True).click()
    right = plain_studio.http.get(f"/api/runs/{created}/evaluations").json()["items"][0]["summary"]
    expect(page.get_by_test_id("example")).to_have_count(round(right["accuracy"] * 6))


@pytest.fixture
def patient_studio(tmp_path: Path, database_url: str) -> Iterator[Installation]:
    """One whose countdowns last long enough to be read."""
    settings = {"UNISD_FORCE_SECONDS": "6"}
    with installation(tmp_path / "home", database_url, settings) as running:
        yield running


def test_the_queue_is_steered_and_a_run_is_ended_by_force(
    page: Page, patient_studio: Installation, config: dict[str, Any]
) -> None:
    studio = patient_studio
    endless = config | {"training": config["training"] | {"max_steps": 100_000}}
    page.goto(f"{studio.url}/queue")
    queue = page.get_by_role("region", name="GPU queue")
    queue.get_by_role("button", name="Pause the queue").click()
    expect(queue).to_contain_text("Paused by page")
    studio.create(endless, name="first")
    second = studio.create(endless, name="second")
    waiting = queue.get_by_test_id("queued-run")
    expect(waiting).to_contain_text(["first", "second"])
    expect(waiting.first).to_contain_text("The GPU queue is paused.")

    queue.get_by_role("button", name="Move second to the front").press("Enter")
    expect(waiting).to_contain_text(["second", "first"])
    priority = queue.get_by_role("spinbutton", name="Priority of first")
    priority.fill("5")
    priority.press("Enter")
    expect(waiting).to_contain_text(["first", "second"])
    queue.get_by_role("button", name="Move first down").click()
    expect(waiting).to_contain_text(["second", "first"])
    queue.get_by_role("button", name="Resume the queue").click()
    expect(waiting).to_contain_text(["All workers that fit are busy"])
    studio.wait_for_step(second, 2)

    page.goto(f"{studio.url}/runs/{second}")
    (trainer,) = studio.trainers()
    trainer.suspend()  # it hears nothing
    page.get_by_role("button", name="Stop", exact=True).click()
    page.get_by_role("button", name="Stop and save").click()
    expect(page.get_by_text("It is killed in 1:")).to_be_visible()
    page.get_by_role("button", name="More urgent…").click()
    expect(page.get_by_role("radio", name=re.compile("^Save "))).to_have_count(0)
    expect(page.get_by_role("radio", name=re.compile("^Force "))).to_be_checked()
    page.get_by_role("button", name="Stop by force").click()
    expect(page.get_by_text(re.compile("killed in 0:|being killed"))).to_be_visible()
    expect(page.get_by_test_id("run-status")).to_contain_text("stopped", ignore_case=True)
    page.get_by_role("tab", name="System").click()
    history = page.get_by_role("region", name="History").get_by_role("listitem")
    expect(history.first).to_contain_text("killed: it did not stop in time")
    expect(history.filter(has_text="stop: save → force")).to_contain_text("by page")
    expect(page.get_by_role("region", name="Attempts")).to_contain_text("ended by SIGKILL")
    page.get_by_role("button", name="Delete the run").click()
    page.get_by_role("button", name="Delete the run").last.click()
    expect(page.get_by_role("link", name="second", exact=True)).to_have_count(0)
    expect(page.get_by_role("link", name="first", exact=True)).to_be_visible()


_PLAIN_PAGES = [
    "/",
    "/runs/new",
    "/datasets",
    "/artifacts",
    "/compare",
    "/studies",
    "/queue",
    "/workers",
    "/nowhere",
]


@pytest.mark.parametrize(("width", "scheme"), [(1440, "light"), (768, "dark")])
def test_pages_fit_their_width(
    browser: Browser, plain_studio: Installation, width: int, scheme: Any
) -> None:
    context = browser.new_context(viewport={"width": width, "height": 900}, color_scheme=scheme)
    page = context.new_page()
    for path in _PLAIN_PAGES:
        page.goto(plain_studio.url + path)
        page.wait_for_load_state("networkidle")
        overflow = page.evaluate("document.documentElement.scrollWidth - window.innerWidth")
        assert overflow <= 0, path
        assert page.title(), path
    context.close()

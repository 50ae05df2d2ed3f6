"""Charts of a run in a real Chromium: looked into, taken away and arranged, by keyboard alone."""

from __future__ import annotations

import csv
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from app.db import Database
from app.models import Run, RunEvent
from app.settings import Settings
from tests.app.compared import make_run
from tests.live import serving

_DATA = """() => document.querySelector('[data-testid="chart-train/loss"]').data"""
# Whether each chart has something on it.
_DRAWN = """() => [...document.querySelectorAll('canvas[data-testid]')].map((canvas) =>
    canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height).data.some(Boolean))"""

STEPS, SPIKE, HEIGHT = 20_000, 10_003, 777.0


@pytest.fixture
def url(settings: Settings) -> Iterator[str]:
    with serving(settings) as port:
        yield f"http://127.0.0.1:{port}"


@pytest.fixture
def losses() -> dict[int, float]:
    found = {step: 2 + 1 / step + (step % 7) / 10 for step in range(1, STEPS + 1)}
    return found | {SPIKE: HEIGHT}


@pytest.fixture
def run_id(database: Database, losses: dict[int, float]) -> str:
    """A long second attempt with one spike, at which an alarm rang."""
    reported = {
        step: {"train/loss": loss, "train/grad_norm": 1 + loss, "train/tokens": 10.0 * step}
        for step, loss in losses.items()
    }
    first = {step: values for step, values in reported.items() if step <= 5000}
    made = make_run(database, "long", first, reported)
    with database.write() as session:
        run = session.get_one(Run, made)
        run.attempt = 2
        run.event_cursor += 1
        session.add(
            RunEvent(
                run_id=made,
                cursor=run.event_cursor,
                attempt_number=2,
                seq=10**6,
                kind="alarm",
                step=SPIKE,
                time=1000.0 + SPIKE,
                payload={
                    "code": "divergence_exploded",
                    "message": "Teacher and student drift apart.",
                    "remedy": "Lower the rate.",
                    "severity": "warning",
                    "step": SPIKE,
                },
            )
        )
    return made


def _menu(page: Page, chart: str, action: str) -> None:
    page.get_by_role("button", name=f"Menu of {chart}").press("Enter")
    page.get_by_role("button", name=action, exact=True).press("Enter")


def test_a_spike_is_found_looked_into_and_taken_away_by_keyboard_alone(
    page: Page, url: str, run_id: str, losses: dict[int, float]
) -> None:
    page.goto(f"{url}/runs/{run_id}")
    chart = page.get_by_test_id("chart-train/loss")
    expect(chart).to_have_accessible_name(re.compile("^Loss over step"))
    page.wait_for_function(f"({_DATA})().length === 2")  # the earlier attempt comes after
    faint, solid = page.evaluate(_DATA)
    assert (faint["name"], solid["name"]) == ("attempt 1", "attempt 2")
    assert len(solid["x"]) <= 2000  # of 20,000, and yet the spike is there
    assert max(solid["high"]) == HEIGHT
    assert max(solid["y"]) < HEIGHT

    chart.focus()
    for _ in range(6):
        chart.press("+")
    page.wait_for_url(re.compile("from=.*to="))
    low, high = (float(re.findall(f"{end}=([0-9.]+)", page.url)[0]) for end in ("from", "to"))
    assert low < SPIKE < high
    shown = f"x => x > {low} && x < {high}"
    steps = [step for step in losses if low <= step <= high]
    page.wait_for_function(f"({_DATA})().at(-1).x.filter({shown}).length >= {len(steps)}")
    expect(page.get_by_role("img", name=f"Step {SPIKE}: Teacher").first).to_be_visible()

    # The crosshair is in all charts: they read what was measured at this step.
    norm = page.get_by_role("figure").filter(has_text="Gradient norm")
    value = norm.get_by_role("button", pressed=True).filter(has_text="attempt 2")
    for step in steps[:2]:
        chart.press("ArrowRight")
        expect(value).to_contain_text(f"{1 + losses[step]:.4g}")

    with page.expect_download() as download:
        _menu(page, "Loss", "Numbers (CSV)")
    with Path(download.value.path()).open(newline="") as file:
        rows = list(csv.DictReader(file))
    measured = {step: losses[step] for step in steps}
    assert {int(row["Step"]): float(row["attempt 2"]) for row in rows} == measured
    with page.expect_download() as download:
        _menu(page, "Loss", "Picture (SVG)")
    picture = Path(download.value.path()).read_text()
    assert ">Step<" in picture
    assert ">nats per token<" in picture

    chart.press("Shift+ArrowRight")
    page.wait_for_url(lambda address: f"from={low:g}" not in address)
    page.reload()
    expect(page.get_by_role("button", name="Whole range")).to_be_visible()
    page.get_by_role("button", name="Whole range").press("Enter")
    expect(page.get_by_role("button", name="Whole range")).to_have_count(0)
    assert "from=" not in page.url

    page.keyboard.press("x")
    expect(chart).to_have_accessible_name(re.compile("^Loss over completion tokens"))
    page.keyboard.press("l")
    expect(page.get_by_role("switch", name="Log y")).to_be_checked()
    page.get_by_role("slider", name="Smoothing").press("End")
    page.wait_for_url(re.compile("smooth=0.99"))
    page.get_by_role("button", name="Enlarge Loss").press("Enter")
    expect(page.get_by_role("dialog", name="Loss")).to_be_visible()
    assert "chart=train" in page.url
    page.keyboard.press("Escape")

    _menu(page, "Gradient norm", "Hide")
    expect(norm).to_have_count(0)
    page.reload()
    expect(chart).to_be_visible()
    expect(norm).to_have_count(0)
    page.get_by_role("button", name=re.compile("^Layout")).press("Enter")
    page.get_by_role("button", name="Reset").press("Enter")
    expect(norm).to_have_count(1)

    # A chart that nobody scrolled to is drawn for the printer alone.
    page.set_viewport_size({"width": 800, "height": 500})
    page.reload()
    expect(chart).to_be_visible()
    page.wait_for_function(f"({_DRAWN})()[0]")
    assert page.evaluate(_DRAWN) == [True, False, False]
    page.evaluate("dispatchEvent(new Event('beforeprint'))")
    assert page.evaluate(_DRAWN) == [True] * 3

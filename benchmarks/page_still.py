"""The page over data that does not change: time until it answers, and its slowest frame."""

from __future__ import annotations

import json
import statistics
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from playwright.sync_api import Browser, Page
from server_fixture import NAMES, api, event, fill_list, new_attempt
from sqlalchemy import insert, select

from app.db import Database
from app.metrics import store
from app.models import MetricChunk, Run, RunMetric
from tests.e2e.chromium import chromium

LOADS, CHARTS, CHART_RUNS = 7, 20, 5
_BATCH = 4000
_TASKS = "disabled-by-default-devtools.timeline"
WIDE = {"width": 1440, "height": 900}
# From the navigation to the frame after the first row of the table.
_FIRST_ROW = """
window.firstRow = new Promise((done) => {
    const look = () => {
        if (!document.querySelector('main a[href^="/runs/0"]')) return requestAnimationFrame(look);
        requestAnimationFrame(() => setTimeout(() => done(performance.now())));
    };
    requestAnimationFrame(look);
});
"""
FRAMES = """() => {
    window.gaps = [];
    let last = performance.now();
    const tick = (now) => {
        window.gaps.push(now - last);
        last = now;
        requestAnimationFrame(tick);
    };
    requestAnimationFrame(tick);
}"""


def interactive(url: str, folder: Path, *, runs: int) -> dict[str, Any]:
    """Fresh loads of the runs' page: until rows stand, and until a key is answered after that."""
    database = Database(url)
    fill_list(database, runs)
    database.close()
    rows, answers = [], []
    with api(folder / "api", url) as server, chromium() as browser:
        for _ in range(LOADS):
            context = browser.new_context(viewport=WIDE)  # type: ignore[arg-type]
            context.add_init_script(_FIRST_ROW)
            page = context.new_page()
            page.goto(server.url, wait_until="commit")
            rows.append(page.evaluate("() => window.firstRow"))
            page.keyboard.press("/")
            page.wait_for_function("document.activeElement.tagName === 'INPUT'", polling="raf")
            answers.append(page.evaluate("performance.now()"))
            context.close()
    return {
        "runs": runs,
        "loads": LOADS,
        "rows_ms": _figures(rows),
        "answers_a_key_ms": _figures(answers),
    }


def _figures(values: list[float]) -> dict[str, float]:
    return {"median": round(statistics.median(values)), "worst": round(max(values))}


def charts(url: str, folder: Path, *, points: int) -> dict[str, Any]:
    """Pan and zoom charts of several long runs over each other, and scroll through them."""
    names = NAMES[:CHARTS]
    with api(folder / "api", url) as server, chromium() as browser:
        database = Database(url)
        ids = _long_runs(database, folder, names, points)
        database.close()
        page = browser.new_page(viewport=WIDE)  # type: ignore[arg-type]
        page.set_default_timeout(120_000)
        page.goto(f"{server.url}/compare?runs={','.join(ids)}&charts={','.join(names)}")
        first = page.get_by_test_id(f"chart-{names[0]}")
        first.scroll_into_view_if_needed()
        first.and_(page.locator("canvas")).wait_for()
        page.wait_for_load_state("networkidle")
        shown = page.locator('canvas[data-testid^="chart-"]').count()
        with traced(browser, page) as tasks:
            page.evaluate(FRAMES)
            _handle(page, names[0])
            gaps = page.evaluate("window.gaps")
    return {
        "charts": len(names),
        "charts_drawn_at_once": shown,
        "runs": len(ids),
        "points_of_a_curve": points,
        "frames": len(gaps),
        "longest_gap_between_frames_ms": round(max(gaps), 1),
        "longest_task_ms": round(max(wall for wall, _ in tasks) / 1000, 1),
        "longest_task_cpu_ms": round(max(work for _, work in tasks) / 1000, 1),
        "tasks_over_100_ms": sum(wall > 100_000 for wall, _ in tasks),
    }


def _handle(page: Page, name: str) -> None:
    chart = page.get_by_test_id(f"chart-{name}")
    box = chart.bounding_box()
    assert box is not None
    middle = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    page.mouse.move(*middle)
    for _ in range(3):
        for step in (-120, -120, -120, 120):  # in, in, in, out
            page.keyboard.down("Control")
            page.mouse.wheel(0, step)
            page.keyboard.up("Control")
            page.wait_for_timeout(120)
        for sideways in (40, 40, 40, -80):
            page.mouse.wheel(sideways, 0)
            page.wait_for_timeout(60)
        page.wait_for_timeout(600)  # more detail arrives
    page.mouse.dblclick(*middle)
    page.wait_for_timeout(600)
    page.mouse.move(700, 450)
    for _ in range(20):
        page.mouse.wheel(0, 300)
        page.wait_for_timeout(60)


@contextmanager
def traced(browser: Browser, page: Page) -> Iterator[list[tuple[float, float]]]:
    """Tasks of the page's main thread: wall and processor time of each, in microseconds."""
    browser.start_tracing(page=page, categories=["toplevel", "devtools.timeline", _TASKS])
    tasks: list[tuple[float, float]] = []
    yield tasks
    events = json.loads(browser.stop_tracing())["traceEvents"]
    mains = {
        (one["pid"], one["tid"])
        for one in events
        if one["name"] == "thread_name" and one["args"]["name"] == "CrRendererMain"
    }
    tasks += [
        (one["dur"], one.get("tdur", 0))
        for one in events
        if one["name"] == "RunTask" and "dur" in one and (one["pid"], one["tid"]) in mains
    ]
    assert tasks, sorted({one["name"] for one in events})[:50]


def _long_runs(database: Database, folder: Path, names: list[str], points: int) -> list[str]:
    """One run with long metrics, written as the worker writes it, and copies of it."""
    first, attempt_id = new_attempt(database, folder / "long-0")
    for start in range(0, points, _BATCH):
        batch = [event(seq, names, points, 1e9 + seq) for seq in range(start, start + _BATCH)]
        with database.write() as session:
            store.append(session, first, attempt_id, batch[: points - start])
    ids = [first]
    for number in range(1, CHART_RUNS):
        run_id, other = new_attempt(database, folder / f"long-{number}")
        with database.write() as session:
            for table, of_run in (
                (MetricChunk.__table__, MetricChunk.attempt_id == attempt_id),
                (RunMetric.__table__, RunMetric.run_id == first),
            ):
                statement = select(*table.columns).where(of_run)
                rows = [dict(row) for row in session.execute(statement).mappings()]
                for row in rows:
                    row["attempt_id"] = other
                    if "run_id" in row:
                        row["run_id"] = run_id
                session.execute(insert(table), rows)
            session.get_one(Run, run_id).name = f"long {number}"
        ids.append(run_id)
    return ids

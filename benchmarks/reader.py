"""The reader of a trajectory under a long completion, as one JSON object.

    python benchmarks/reader.py [--tokens 2048] [--auxiliary 5]

Needs a built page (`make page`) and a Chromium. Measured are, from Chromium's trace and from the
gaps between frames: the time from a press of an arrow key on, held down along hundreds of tokens
and from one most disagreed token to the next across the whole text; and what follows each move of
the what-if's slider, which computes and colours every token anew. The student, the primary, the
auxiliary and the negative teacher are the views.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import random
import sys
import tempfile
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parent.parent
os.environ.setdefault("PYTHONPATH", str(ROOT))
sys.path[:0] = [str(ROOT), str(Path(__file__).parent)]

import pyarrow as pa  # noqa: E402 - the folder comes first
import pyarrow.parquet as pq  # noqa: E402
from page_still import FRAMES, WIDE, traced  # noqa: E402
from playwright.sync_api import Browser, Page  # noqa: E402
from server_fixture import api, databases, new_attempt  # noqa: E402
from sqlalchemy import insert  # noqa: E402
from trajectories import record, summaries  # noqa: E402

from app.db import Database  # noqa: E402
from app.models import Trajectory  # noqa: E402
from tests.e2e.chromium import chromium  # noqa: E402
from worker.trainer.trajectory_schema import SCHEMA  # noqa: E402

PRESSES, JUMPS, SLIDES = 400, 100, 20
PAUSE_MS = 33
"""A held key repeats thirty times a second."""


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--tokens", type=int, default=2048)
    parser.add_argument("--auxiliary", type=int, default=5)
    wanted = parser.parse_args()
    found: dict[str, Any] = {
        "machine": f"{platform.machine()}, {os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}",
        "tokens": wanted.tokens,
        "views": wanted.auxiliary + 3,
    }
    with tempfile.TemporaryDirectory(prefix="unisd-reader-") as place:
        folder = Path(place)
        with databases(folder, ["sqlite"]) as urls:
            found |= measure(urls["sqlite"], folder, wanted.tokens, wanted.auxiliary)
    found["load_at_the_end"] = round(os.getloadavg()[0], 1)
    print(json.dumps(found, indent=1))


def measure(url: str, folder: Path, tokens: int, auxiliary: int) -> dict[str, Any]:
    """Walk, jump and slide in one open trajectory."""
    database = Database(url)
    run_id, attempt_id = new_attempt(database, folder / "attempt")
    _record(database, folder / "attempt", (run_id, attempt_id), tokens, auxiliary)
    database.close()
    with api(folder / "api", url, port=8766) as server, chromium() as browser:
        page = browser.new_page(viewport=WIDE)  # type: ignore[arg-type]
        page.set_default_timeout(120_000)
        page.goto(f"{server.url}/runs/{run_id}?tab=trajectories&trajectory=1&by=disagreement")
        page.locator(f'[data-i="{tokens - 1}"]').wait_for(state="attached")
        page.wait_for_load_state("networkidle")
        page.get_by_test_id("tokens").focus()
        return {
            "tokens_shown": page.locator("[data-i]").count(),
            "along_tokens": _watched(browser, page, ["ArrowRight"] * PRESSES),
            "jumps": _watched(browser, page, ["a"] * JUMPS),
            "what_if": _slide(browser, page),
        }


def _record(
    database: Database, directory: Path, of: tuple[str, int], tokens: int, auxiliary: int
) -> None:
    chance = random.Random(0)
    row = record(chance, tokens, auxiliary)
    for name in ("student_logprob", "teacher_logprob", "negative_logprob"):
        row[name] = [-8 * value for value in row[name]]
    row["auxiliary_logprobs"] = [[-8 * v for v in view] for view in row["auxiliary_logprobs"]]
    (directory / "trajectories").mkdir()
    table = pa.Table.from_pylist([row], schema=SCHEMA)
    pq.write_table(table, directory / "trajectories" / "long.parquet")
    place = {"id": 1, "tokens": tokens, "file": "trajectories/long.parquet", "row": 0}
    with database.write() as session:
        session.execute(insert(Trajectory), [summaries(chance, ["A long answer."], *of, 0) | place])


def _watched(browser: Browser, page: Page, keys: list[str]) -> dict[str, Any]:
    with traced(browser, page) as tasks:
        page.evaluate(FRAMES)
        for key in keys:
            page.keyboard.press(key)
            page.wait_for_timeout(PAUSE_MS)
        page.wait_for_timeout(500)  # the address follows
        gaps = page.evaluate("window.gaps")
    return {"presses": len(keys)} | _figures(gaps, tasks)


def _slide(browser: Browser, page: Page) -> dict[str, Any]:
    page.get_by_test_id("what-if").get_by_role("switch").focus()
    page.keyboard.press("Space")
    page.get_by_role("slider", name="γ, slider").focus()
    return _watched(browser, page, ["ArrowRight"] * SLIDES)


def _figures(gaps: list[float], tasks: list[tuple[float, float]]) -> dict[str, Any]:
    return {
        "frames": len(gaps),
        "longest_gap_between_frames_ms": round(max(gaps), 1),
        "gaps_over_50_ms": sum(gap > 50 for gap in gaps),
        "longest_task_ms": round(max(wall for wall, _ in tasks) / 1000, 1),
        "longest_task_cpu_ms": round(max(work for _, work in tasks) / 1000, 1),
        "tasks_over_50_ms": sum(wall > 50_000 for wall, _ in tasks),
    }


if __name__ == "__main__":
    main()

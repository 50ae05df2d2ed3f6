"""Takes every page in light and dark, wide and narrow, from a database filled by real small runs.

    make screenshots        or        python scripts/screenshots.py [--only runs compare …]

Pictures go to `build/screenshots`, as `<page>-<width>-<scheme>.png`; `report.json` beside them and
the last lines printed say of each page whether it is wider than its window, how much it shifted
while it loaded (CLS), and what the browser's console complained about. The exit status is 1 when
any of that is wrong.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from playwright.sync_api import Browser, ConsoleMessage, Page

ROOT = Path(__file__).parent.parent
sys.path.insert(0, str(ROOT))
os.environ["PYTHONPATH"] = str(ROOT)

from app.migrate import upgrade  # noqa: E402 - the folder comes first
from tests.e2e.chromium import chromium  # noqa: E402
from tests.e2e.installation import Installation, installation  # noqa: E402
from tests.e2e.showcase import EMPTY, METHODS, PAGES, Place, fill, visit  # noqa: E402
from tests.worker.trainer.tiny import make_tiny_model  # noqa: E402

WIDTHS = (1440, 768)
SCHEMES = ("light", "dark")
CLS_LIMIT = 0.02
PATIENCE_SECONDS = 1800.0
"""For a run: `--model` may be a large one."""
_WATCH = """
window.shifts = [];
new PerformanceObserver((list) => {
    for (const shift of list.getEntries()) {
        if (shift.hadRecentInput) continue;
        const moved = shift.sources.map((source) => source.node?.outerHTML?.slice(0, 90) ?? "?");
        window.shifts.push({ value: shift.value, moved });
    }
}).observe({ type: "layout-shift", buffered: true });
"""
# The page scrolls inside of the shell, so both are looked at; the shell itself stays.
_OVERFLOW = """() => Math.max(
    document.documentElement.scrollHeight - document.documentElement.clientHeight,
    ...[document.documentElement, document.getElementById("content")]
        .filter(Boolean).map((one) => one.scrollWidth - one.clientWidth)
)"""


def main() -> int:
    """Fill, take, report."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, default=ROOT / "build" / "screenshots")
    parser.add_argument("--only", nargs="*", help="names of pages")
    parser.add_argument("--model", type=Path, help="folder of a model; default: a tiny random one")
    parser.add_argument("--steps", type=int, default=24, help="optimizer steps of each run")
    parser.add_argument("--methods", nargs="*", default=METHODS, help="presets of the study")
    wanted = parser.parse_args()
    wanted.out.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="unisd-screenshots-") as place:
        folder = Path(place)
        with _running(folder) as studio, chromium() as browser:
            report = _all(browser, studio.url, {}, EMPTY, wanted)
            known = _filled(studio, folder, wanted)
            report += _all(browser, studio.url, known, PAGES, wanted)
    (wanted.out / "report.json").write_text(json.dumps(report, indent=1))
    return _tell(report)


@contextmanager
def _running(folder: Path) -> Iterator[Installation]:
    database = f"sqlite:///{folder / 'home' / 'unisd.sqlite'}"
    upgrade(database)
    with installation(folder / "home", database) as studio:
        yield studio


def _filled(studio: Installation, folder: Path, wanted: argparse.Namespace) -> dict[str, str]:
    model = wanted.model or make_tiny_model(folder / "models" / "tiny-llama")
    studio.http.timeout = 120
    studio.patience = PATIENCE_SECONDS
    return fill(studio, folder, model, methods=tuple(wanted.methods), steps=wanted.steps, wait=True)


def _all(
    browser: Browser,
    url: str,
    known: dict[str, str],
    places: tuple[Place, ...],
    wanted: argparse.Namespace,
) -> list[dict[str, Any]]:
    return [
        one
        for place in places
        if not wanted.only or place.name in wanted.only
        for one in _pictures(browser, url, known, place, wanted.out)
    ]


def _pictures(
    browser: Browser, url: str, known: dict[str, str], place: Place, out: Path
) -> Iterator[dict[str, Any]]:
    for width in WIDTHS:
        for scheme in SCHEMES:
            context = browser.new_context(
                viewport={"width": width, "height": 900}, color_scheme=scheme
            )
            context.add_init_script(_WATCH)
            name = f"{place.name}-{width}-{scheme}"
            yield {"picture": name, **_take(context.new_page(), url, known, place, out / name)}
            context.close()


def _is_wrong(line: ConsoleMessage) -> bool:
    # That a form is unfinished or a run unknown is no fault of the page.
    expected = ("status of 422", "status of 404")
    return line.type == "error" and not any(one in line.text for one in expected)


def _take(page: Page, url: str, known: dict[str, str], place: Place, file: Path) -> dict[str, Any]:
    said: list[str] = []
    if not place.fails:
        page.on("console", lambda line: said.append(line.text) if _is_wrong(line) else None)
    page.on("pageerror", lambda error: said.append(str(error)))
    visit(page, url, known, place)
    page.wait_for_timeout(800)  # charts draw, colours settle
    page.screenshot(path=file.with_suffix(".png"))
    shifts = page.evaluate("window.shifts")
    return {
        "overflow": page.evaluate(_OVERFLOW),
        "cls": round(sum(shift["value"] for shift in shifts), 4),
        "moved": [shift for shift in shifts if shift["value"] > CLS_LIMIT / 4],
        "console": said,
    }


def _tell(report: list[dict[str, Any]]) -> int:
    wrong = [
        one for one in report if one["overflow"] > 0 or one["cls"] >= CLS_LIMIT or one["console"]
    ]
    for one in wrong:
        print(json.dumps(one, indent=1))
    worst = max((one["cls"] for one in report), default=0.0)
    print(f"{len(report)} pictures, worst CLS {worst}, {len(wrong)} with something wrong")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())

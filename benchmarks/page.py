"""What people feel of the page, as one JSON object.

    python benchmarks/page.py [--only bundle interactive charts delivery memory] [--quick]
                              [--minutes 60]

Needs a built page (`make page`) and a Chromium. Measured are: the script of the first load; the
time until the runs' page answers with 10,000 runs; the longest frame while 20 charts of 5 runs with
100,000 points are panned and zoomed, from Chromium's trace; the way of an event from the trainer's
file to the open page with 20 runs going; and what a page over 20 live runs has grown after so many
minutes.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import sys
import tempfile
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parent.parent
os.environ["PYTHONPATH"] = str(ROOT)
sys.path[:0] = [str(ROOT), str(Path(__file__).parent)]

import page_live  # noqa: E402 - the folder comes first
import page_still  # noqa: E402
from server_fixture import databases  # noqa: E402

from app.main import STATIC  # noqa: E402
from tests.page_size import first_load  # noqa: E402

PARTS = ("bundle", "interactive", "charts", "delivery", "memory")


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--only", nargs="*", choices=PARTS, default=PARTS)
    parser.add_argument("--quick", action="store_true", help="fewer runs, points and minutes")
    parser.add_argument("--minutes", type=float, default=60.0, help="of the measure of memory")
    wanted = parser.parse_args()
    found: dict[str, Any] = {
        "machine": f"{platform.machine()}, {os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}"
    }
    for part in wanted.only:
        print(f"measuring: {part}", file=sys.stderr, flush=True)
        with tempfile.TemporaryDirectory(prefix="unisd-page-") as place:
            found[part] = measure(part, Path(place), quick=wanted.quick, minutes=wanted.minutes)
    found["load_at_the_end"] = round(os.getloadavg()[0], 1)
    print(json.dumps(found, indent=1))


def measure(part: str, folder: Path, *, quick: bool, minutes: float) -> dict[str, Any]:
    """One measure, on a database of its own."""
    if part == "bundle":
        return first_load(STATIC)._asdict()
    with databases(folder, ["sqlite"]) as urls:
        url = urls["sqlite"]
        if part == "interactive":
            return page_still.interactive(url, folder, runs=1000 if quick else 10_000)
        if part == "charts":
            return page_still.charts(url, folder, points=10_000 if quick else 100_000)
        if part == "delivery":
            return page_live.delivery(url, folder, runs=4 if quick else 20)
        return page_live.memory(url, folder, minutes=0.5 if quick else minutes)


if __name__ == "__main__":
    main()

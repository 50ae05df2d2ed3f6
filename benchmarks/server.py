"""The server's ways with metrics beside MLflow's and Trackio's, as one JSON object.

    python benchmarks/server.py [--only ours|mlflow|trackio …] [--quick] [--rest-minutes 3]

Ours is measured on SQLite and PostgreSQL: points a second from the trainer's file into SQL, one
long metric thinned out, a page of a long list sorted by a metric, an event's way to a reader of the
stream, copying processes that are killed, and the API's memory at rest (`--rest-minutes 60` for an
hour). Times of reading are those of a client on this machine, the answer's transfer included.

The others are installed from the package registry, the newest versions, each into an environment of
its own (`--environments` keeps these). What cannot be installed or measured is said so.
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
os.environ.setdefault("PYTHONPATH", str(ROOT))
sys.path.insert(0, str(ROOT))

import server_live  # noqa: E402 - the folder comes first
import server_others  # noqa: E402
import server_ours  # noqa: E402
from server_fixture import databases  # noqa: E402

SIDES = ("ours", "mlflow", "trackio")


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--only", nargs="*", choices=SIDES, default=SIDES)
    parser.add_argument("--databases", nargs="*", default=["sqlite", "postgresql"])
    parser.add_argument("--quick", action="store_true", help="fewer points, runs and kills")
    parser.add_argument("--rest-minutes", type=float, default=3.0)
    parser.add_argument("--environments", type=Path, help="folder of the others' environments")
    wanted = parser.parse_args()
    found: dict[str, Any] = {
        "machine": f"{platform.machine()}, {os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}"
    }
    with tempfile.TemporaryDirectory(prefix="unisd-server-") as place:
        folder = Path(place)
        if "ours" in wanted.only:
            found["ours"] = ours(folder, wanted)
        for name in ("mlflow", "trackio"):
            if name in wanted.only:
                say(name)
                environments = wanted.environments or folder
                found[name] = server_others.measure(name, environments, folder, quick=wanted.quick)
    found["load_at_the_end"] = round(os.getloadavg()[0], 1)
    print(json.dumps(found, indent=1))


def ours(folder: Path, wanted: argparse.Namespace) -> dict[str, Any]:
    """All measures of this project's server."""
    found: dict[str, Any] = {}
    with databases(folder, wanted.databases) as urls:
        for name, url in urls.items():
            say(name)
            part = folder / name
            found[name] = server_ours.measure(name, url, part, quick=wanted.quick)
            found[name]["delivery"] = server_live.delivery(url, part, quick=wanted.quick)
            found[name]["killed_writer"] = server_live.killed_writer(url, part, quick=wanted.quick)
        say("memory")
        minutes = 0.1 if wanted.quick else wanted.rest_minutes
        found["memory"] = server_live.memory(next(iter(urls.values())), folder, minutes)
    return found


def say(what: str) -> None:
    """Tell the person at the terminal where it is."""
    print(f"measuring: {what}", file=sys.stderr, flush=True)


if __name__ == "__main__":
    main()

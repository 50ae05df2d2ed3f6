"""The page over runs that go on: how late it shows an event, and what it grows by."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from playwright.sync_api import Browser, CDPSession, Page
from server_fixture import NAMES, Api, api, event, line, new_attempt, summary
from server_live import begun, follower

from app.db import Database
from tests.e2e.chromium import chromium
from worker.tail import EVENTS_FILE

EVERY_SECONDS = 1.0
DELIVERY_SECONDS, WARM_UP_SECONDS = 30.0, 20.0
LIVE_RUNS = 20
_MANY = 10**6
# The step that the run's header shows, with the time of the frame that shows it.
_WATCH = """
window.seen = {};
const look = () => {
    const words = document.querySelector("main")?.innerText.match(/([\\d,]+) \\/ [\\d,]+ steps/);
    const step = words?.[1].replaceAll(",", "");
    if (step && !(step in window.seen)) {
        window.seen[step] = (performance.timeOrigin + performance.now()) / 1000;
    }
    requestAnimationFrame(look);
};
requestAnimationFrame(look);
"""


class Trainers:
    """Files that grow as trainers' do, each copied by a process as a worker's supervisor does."""

    def __init__(self, database: Database, folder: Path, runs: int) -> None:
        self.places = [folder / f"live-{number}" for number in range(runs)]
        self.attempts = [new_attempt(database, place) for place in self.places]
        self.ids = [run_id for run_id, _ in self.attempts]
        self.written: list[dict[int, float]] = [{} for _ in self.places]
        self._over = threading.Event()

    @contextmanager
    def at_work(self) -> Iterator[None]:
        """Write a step about every second; ended whatever happens."""
        copiers = [
            follower(attempt_id, place)
            for (_, attempt_id), place in zip(self.attempts, self.places, strict=True)
        ]
        for copier in copiers:
            begun(copier)
        threads = [
            threading.Thread(target=self._write, args=(number,))
            for number in range(len(self.places))
        ]
        for thread in threads:
            thread.start()
        try:
            yield
        finally:
            self._over.set()
            for thread in threads:
                thread.join()
            for copier in copiers:
                copier.kill()
                copier.wait()

    def _write(self, number: int) -> None:
        self._over.wait(EVERY_SECONDS * number / len(self.places))
        with (self.places[number] / EVENTS_FILE).open("ab", buffering=0) as file:
            seq = 0
            while not self._over.wait(EVERY_SECONDS):
                one = event(seq, NAMES, _MANY)
                file.write(line(one))
                self.written[number][one.step] = one.time
                seq += 1


@contextmanager
def _going(url: str, folder: Path, runs: int) -> Iterator[tuple[Api, Browser, Trainers]]:
    with api(folder / "api", url) as server, chromium() as browser:
        database = Database(url)
        trainers = Trainers(database, folder, runs)
        database.close()
        with trainers.at_work():
            yield server, browser, trainers


def delivery(url: str, folder: Path, *, runs: int) -> dict[str, Any]:
    """From a trainer's write to the frame that shows the step on the run's page."""
    with _going(url, folder, runs) as (server, browser, trainers):
        page = browser.new_page()
        page.add_init_script(_WATCH)
        page.goto(f"{server.url}/runs/{trainers.ids[0]}")
        page.wait_for_function("Object.keys(window.seen).length > 3", timeout=60_000)
        since = time.time()
        page.wait_for_timeout(DELIVERY_SECONDS * 1000)
        seen = {int(step): at for step, at in page.evaluate("window.seen").items()}
    wanted = {step: at for step, at in trainers.written[0].items() if at > since}
    delays = [(seen[step] - at) * 1000 for step, at in wanted.items() if step in seen]
    return {
        "runs": runs,
        "steps_written": len(wanted),
        # What two frames of the page lie between is shown together: only the newer step is seen.
        "steps_seen": len(delays),
        **summary(delays)._asdict(),
    }


def memory(url: str, folder: Path, *, minutes: float) -> dict[str, Any]:
    """The heap of open pages after a forced collection, at the start and at the end."""
    with _going(url, folder, LIVE_RUNS) as (server, browser, trainers):
        context = browser.new_context(viewport={"width": 1440, "height": 900})
        pages = {}
        for name, path in {"runs": "/", "run": f"/runs/{trainers.ids[0]}"}.items():
            pages[name] = context.new_page()
            pages[name].goto(server.url + path)
        pages["run"].wait_for_timeout(WARM_UP_SECONDS * 1000)
        before = {name: _heap_mb(page) for name, page in pages.items()}
        pages["run"].wait_for_timeout(minutes * 60_000)
        after = {name: _heap_mb(page) for name, page in pages.items()}
        steps = max(trainers.written[0])
    return {
        "runs": LIVE_RUNS,
        "minutes": minutes,
        "steps_of_a_run": steps,
        "heap_mb_at_the_start": before,
        "heap_mb_at_the_end": after,
        "grown_mb": {name: round(after[name] - before[name], 1) for name in pages},
    }


def _heap_mb(page: Page) -> float:
    session: CDPSession = page.context.new_cdp_session(page)
    for _ in range(2):
        session.send("HeapProfiler.collectGarbage")
    used = session.send("Runtime.getHeapUsage")["usedSize"]
    session.detach()
    return round(used / 1e6, 1)

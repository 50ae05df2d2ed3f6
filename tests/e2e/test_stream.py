"""Streams of a real API process: killed in the middle, and ended by Ctrl-C."""

from __future__ import annotations

import os
import signal
import socket
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from threading import Event, Thread

import psutil
import pytest

from app import notify
from tests.e2e.installation import Installation
from tests.live import Reader, forget_redis
from tests.reporting import ReportingRun
from tests.servers import is_alive, make_file

PAGES = 200


@contextmanager
def _api(home: Path, database_url: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[Installation]:
    """Redis and the API alone; events are written by the test."""
    studio = Installation(home, database_url)
    monkeypatch.setattr(notify, "_url", lambda: studio.redis_url)
    forget_redis()
    try:
        studio.start("redis", "api")
        studio.wait_until(lambda: studio.http.get("/healthz").status_code == 200, "the API")
        yield studio
    finally:
        studio.stop()
        forget_redis()


def test_a_reader_sees_every_event_once_though_the_api_is_killed(
    tmp_path: Path, database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    with _api(tmp_path / "home", database_url, monkeypatch) as studio:
        run = ReportingRun(studio.database)
        ended = Event()

        def report() -> None:
            while not ended.wait(0.02):
                run.report()

        writer = Thread(target=report)
        writer.start()
        try:
            with Reader(studio.port, run.id) as before:
                before.until(20)
                studio.kill("api")
                _read_on(before)
            studio.wait_until(lambda: studio.http.get("/healthz").status_code == 200, "the API")
            with Reader(studio.port, run.id, before.seen[-1]) as after:
                after.until(before.seen[-1] + 20)
                ended.set()
                writer.join()
                run.finish()
                _read_on(after)
        finally:
            ended.set()
            writer.join()
        assert before.seen + after.seen == run.cursors()


def _read_on(reader: Reader) -> None:
    while reader.event():
        pass


def test_ctrl_c_ends_the_api_though_pages_are_open(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    url = make_file(tmp_path / "home" / "unisd.sqlite")
    with _api(tmp_path / "home", url, monkeypatch) as studio, ExitStack() as stack:
        run = ReportingRun(studio.database)
        request = f"GET /api/runs/{run.id}/events HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n"
        pages = []
        for _ in range(PAGES):
            address = ("127.0.0.1", studio.port)
            pages.append(stack.enter_context(socket.create_connection(address, timeout=20)))
            pages[-1].sendall(request.encode())
        for page in pages:
            assert page.recv(100).startswith(b"HTTP/1.1 200")
        api = psutil.Process(studio.services.pids()["api"])
        began = time.monotonic()
        os.kill(api.pid, signal.SIGINT)
        while is_alive(api) and time.monotonic() - began < 10:
            time.sleep(0.02)
        assert time.monotonic() - began < 5  # a second or two; more only where others compute
        # uvicorn tells of answers that it had to cut off.
        log = (studio.home / "logs" / "api.log").read_text()
        assert "Traceback" not in log
        assert "ERROR" not in log

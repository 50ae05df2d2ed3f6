"""Streams as their readers see them, from a real web server."""

from __future__ import annotations

import asyncio
import itertools
import socket
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import Any

import httpx2
import pytest
import redis
from sqlalchemy import event
from sqlalchemy.exc import OperationalError

from app import notify
from app.db import Database
from app.runs import feed, stream
from app.settings import Settings
from cli.private_redis import private_redis
from cli.services import Services
from tests.live import Reader, forget_redis, serving
from tests.reporting import ReportingRun

LONG = 3600.0


@pytest.fixture
def run(database: Database) -> ReportingRun:
    return ReportingRun(database)


@pytest.fixture
def reads(database: Database) -> Iterator[list[str]]:
    """The statements that read events, as they happen."""
    statements: list[str] = []

    def note(_connection: Any, _cursor: Any, statement: str, *_: Any) -> None:
        if "FROM run_events" in statement and "LIMIT" in statement:
            statements.append(statement)

    event.listen(database.engine, "before_cursor_execute", note)
    yield statements
    event.remove(database.engine, "before_cursor_execute", note)


@contextmanager
def _readers(port: int, run: ReportingRun, count: int) -> Iterator[list[Reader]]:
    with ExitStack() as stack:
        yield [stack.enter_context(Reader(port, run.id)) for _ in range(count)]


def _never_looks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(feed, "_LOOK_EVERY_SECONDS", LONG)


def _settles(statements: list[str], seconds: float = 0.3) -> int:
    """Wait until nothing was read for some time; returns how often it was."""
    known, since = len(statements), time.monotonic()
    while time.monotonic() - since < seconds:
        time.sleep(0.02)
        if len(statements) > known:
            known, since = len(statements), time.monotonic()
    return known


def test_readers_of_a_run_share_one_subscription_and_their_reads(
    settings: Settings,
    run: ReportingRun,
    reads: list[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    _never_looks(monkeypatch)
    with serving(settings) as port, _readers(port, run, 20) as readers:
        first = run.report()
        for reader in readers:
            reader.until(first)
        subscribers = notify._client().client_list(_type="pubsub")
        assert len(subscribers) == 2  # of runs, and of answers side by side; not 20
        _settles(reads)
        before = len(reads)
        for _ in range(10):
            last = run.report()
            for reader in readers:
                reader.until(last)
        # 10 events for 20 readers; 200 reads and more if each read for itself.
        assert 10 <= _settles(reads) - before <= 30
        assert all(reader.seen == run.cursors() for reader in readers)


def test_news_come_without_redis(
    settings: Settings, run: ReportingRun, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(notify, "_url", lambda: "redis://127.0.0.1:1/0")
    monkeypatch.setattr(feed, "_LOOK_EVERY_SECONDS", 0.2)
    with serving(settings) as port, Reader(port, run.id) as reader:
        reader.until(1)
        for _ in range(3):
            began, last = time.monotonic(), run.report()
            reader.until(last)
            assert time.monotonic() - began < 2
        run.finish()
        assert _last_event(reader) == "end"
        assert reader.seen == run.cursors()


def _last_event(reader: Reader) -> str:
    events = list(iter(reader.event, None))
    return str(events[-1]["event"])


def test_the_subscription_outlives_a_restart_of_redis(
    settings: Settings,
    run: ReportingRun,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    _never_looks(monkeypatch)
    private = private_redis(tmp_path / "redis")
    monkeypatch.setattr(notify, "_url", lambda: private.url)
    monkeypatch.setattr(notify, "_LEFT_ALONE_SECONDS", 0.0)
    forget_redis()
    services = Services({}, tmp_path / "logs", print)
    services.start(private.service)
    try:
        with serving(settings) as port, Reader(port, run.id) as reader:
            _wait_for_subscriber(private.url)
            reader.until(run.report())
            services.stop()
            missed = run.report()
            services.start(private.service)
            reader.until(missed)
            _wait_for_subscriber(private.url)
            reader.until(run.report())
            assert reader.seen == run.cursors()
    finally:
        forget_redis()
        services.stop()


def _wait_for_subscriber(url: str) -> None:
    with redis.Redis.from_url(url) as client:
        for _ in range(200):
            try:
                if client.pubsub_numpat():
                    return
            except redis.RedisError:
                pass
            time.sleep(0.05)
    raise AssertionError("nobody subscribed")


def test_a_quiet_stream_sends_comments_and_asks_not_to_be_held_back(
    settings: Settings, run: ReportingRun, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert stream._SILENCE_SECONDS <= 15
    monkeypatch.setattr(stream, "_SILENCE_SECONDS", 0.05)
    with serving(settings) as port, Reader(port, run.id) as reader:
        assert reader.answer.headers["content-type"].startswith("text/event-stream")
        assert reader.answer.headers["cache-control"] == "no-cache"
        assert reader.answer.headers["x-accel-buffering"] == "no"
        reader.until(1)
        lines = [reader.line() for _ in range(20)]
        assert lines.count(": ping") >= 5
        reader.until(run.report())
        assert reader.seen == run.cursors()


def test_nothing_is_read_ahead_for_a_reader_who_does_not_read(
    settings: Settings, run: ReportingRun, reads: list[str]
) -> None:
    pages = 40
    for _ in range(pages // 4):
        last = run.report(8, padding=feed._PAGE_BYTES // 2)
    with serving(settings) as port, Reader(port, run.id, receive_buffer=4096) as slow:
        # What fits into the kernel's own buffers (some MB) is sent, and then nothing is read.
        assert _settles(reads) < pages * 3 / 4
        with Reader(port, run.id) as quick:
            assert quick.until(last) == run.cursors()
        stalled = _settles(reads)
        run.report()
        assert _settles(reads) == stalled
        slow.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 20)
        assert slow.until(last + 1) == run.cursors()


def test_a_stream_outlives_a_database_that_does_not_answer(
    settings: Settings,
    run: ReportingRun,
    database: Database,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(feed, "_LOOK_EVERY_SECONDS", 0.1)

    def fail(*_: Any) -> None:
        raise OperationalError("SELECT", {}, Exception("the database is away"))

    with serving(settings) as port, Reader(port, run.id) as reader:
        reader.until(1)
        for statement in ("heads", "events_after"):
            with monkeypatch.context() as away:
                away.setattr(feed.repository, statement, fail)
                last = run.report()
                time.sleep(0.3)
            reader.until(last)
        assert reader.seen == run.cursors()


def test_a_place_that_does_not_exist_is_refused(settings: Settings, run: ReportingRun) -> None:
    last = run.report(3)
    with serving(settings) as port:
        for malformed in ("", "abc", "-1", "1.5", "9" * 30):
            answer = _get_events(port, run, {"Last-Event-ID": malformed})
            assert answer.status_code == 422
            assert "last-event-id" in answer.json()["errors"][0]["field"]
        answer = _get_events(port, run, {"Last-Event-ID": str(last + 1)})
        assert answer.status_code == 422
        assert answer.json()["code"] == "cursor_ahead"
        assert str(last) in answer.json()["detail"]
        with Reader(port, run.id, last) as reader:
            assert reader.until(run.report()) == [last + 1]


def _get_events(port: int, run: ReportingRun, headers: dict[str, str]) -> httpx2.Response:
    return httpx2.get(f"http://127.0.0.1:{port}/api/runs/{run.id}/events", headers=headers)


def test_pages_are_cut_without_loss(
    settings: Settings, run: ReportingRun, monkeypatch: pytest.MonkeyPatch
) -> None:
    run.report(23)
    run.finish()
    with serving(settings) as port:
        for events, characters in itertools.product((1, 5, 25, 500), (1, 10**6)):
            monkeypatch.setattr(feed, "_PAGE_EVENTS", events)
            monkeypatch.setattr(feed, "_PAGE_BYTES", characters)
            with Reader(port, run.id) as reader:
                assert _last_event(reader) == "end"
                assert reader.seen == run.cursors()


async def _stubborn() -> None:
    """Swallows a cancellation, as a time-out that ends at that moment does."""
    with suppress(asyncio.CancelledError):
        await asyncio.sleep(60)
    await asyncio.sleep(60)


def test_a_task_that_swallows_its_end_is_ended_all_the_same(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(feed, "_INSIST_SECONDS", 0.05)

    async def end() -> None:
        task = asyncio.create_task(_stubborn())
        await asyncio.sleep(0)
        await asyncio.wait_for(feed._ended([task]), 5)
        assert task.cancelled()

    asyncio.run(end())

"""`unisd up`: a whole installation on this machine, until Ctrl-C."""

from __future__ import annotations

import fcntl
import os
import signal
import socket
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType
from typing import TextIO

import httpx2
import typer

from app.migrate import upgrade
from app.settings import Settings, is_loopback
from cli.private_redis import private_redis
from cli.services import Service, Services
from cli.telling import say

_READY_SECONDS = 90.0
_WORKER_STOP_SECONDS = 40.0

API_COMMAND = [sys.executable, "-m", "cli.main", "api"]
REAPER_COMMAND = [sys.executable, "-m", "worker.reaper"]


def worker_command(settings: Settings) -> list[str]:
    """Starts a worker that serves the settings' queues."""
    queues = ",".join(queue.value for queue in settings.worker_queues)
    return [
        *(sys.executable, "-m", "celery", "-A", "worker.celery_app", "worker"),
        *("--queues", queues, "--loglevel", "INFO"),
        *("--without-gossip", "--without-mingle", "--without-heartbeat"),
    ]


def run_up(settings: Settings, work: Callable[[str, threading.Event], None] | None = None) -> None:
    """Start everything, do `work` beside it (given the URL), and end everything on Ctrl-C."""
    ended = threading.Event()
    with _exclusive(settings.home), _ending_by_signal(ended):
        _refuse_taken_port(settings)
        upgrade(settings.sqlalchemy_url)
        services = _start_all(settings)
        try:
            url = f"http://{'127.0.0.1' if not is_loopback(settings.host) else settings.host}"
            url = f"{url}:{settings.port}"
            _wait_until_ready(url, services, ended)
            if not ended.is_set():
                say(f"UniSD Studio is running: {url}   (Ctrl-C ends it)")
            if work is not None and not ended.is_set():
                threading.Thread(target=work, args=(url, ended), daemon=True).start()
            while not ended.wait(0.5):
                services.revive()
        finally:
            say("Ending all parts …")
            services.stop()
            say("Ended.")


def _start_all(settings: Settings) -> Services:
    environment = {
        "UNISD_HOME": str(settings.home),
        "UNISD_HOST": settings.host,
        "UNISD_PORT": str(settings.port),
    }
    redis_service = None
    if settings.redis_url is None:
        redis_service, url = private_redis(settings.home / "redis")
        environment["UNISD_REDIS_URL"] = url
    services = Services(environment, settings.home / "logs", say)
    if redis_service is not None:
        services.start(redis_service)
    services.start(Service("api", API_COMMAND))
    services.start(Service("reaper", REAPER_COMMAND))
    services.start(Service("worker", worker_command(settings), stop_seconds=_WORKER_STOP_SECONDS))
    return services


def _wait_until_ready(url: str, services: Services, ended: threading.Event) -> None:
    deadline = time.monotonic() + _READY_SECONDS
    detail = "nothing answers"
    while not ended.wait(0.2):
        try:
            answer = httpx2.get(f"{url}/readyz", timeout=5.0)
            if answer.status_code == 200:
                return
            detail = str(answer.json().get("checks", answer.text))
        except httpx2.HTTPError as error:
            detail = str(error)
        services.revive()
        if time.monotonic() > deadline:
            say(f"Not ready after {_READY_SECONDS:g} s: {detail}")
            raise typer.Exit(1)


def _refuse_taken_port(settings: Settings) -> None:
    family = socket.AF_INET6 if ":" in settings.host else socket.AF_INET
    with socket.socket(family) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((settings.host, settings.port))
        except OSError as error:
            say(
                f"Cannot listen on {settings.host}:{settings.port}: {error.strerror}. "
                "Set PORT (or UNISD_PORT) to a free one."
            )
            raise typer.Exit(2) from None


@contextmanager
def _exclusive(home: Path) -> Iterator[None]:
    """One installation per home folder."""
    try:
        home.mkdir(parents=True, exist_ok=True)
        lock = (home / "up.lock").open("a+")
    except OSError as error:
        say(f"The folder {home} cannot be written: {error.strerror}. Set UNISD_HOME to another.")
        raise typer.Exit(2) from None
    with lock:
        _take(lock, home)
        yield


def _take(lock: TextIO, home: Path) -> None:
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        lock.seek(0)
        say(
            f"UniSD Studio already runs on {home} (process {lock.read().strip() or 'unknown'}). "
            "End it, or set UNISD_HOME to another folder."
        )
        raise typer.Exit(2) from None
    lock.truncate(0)
    lock.write(str(os.getpid()))
    lock.flush()


@contextmanager
def _ending_by_signal(ended: threading.Event) -> Iterator[None]:
    def end(_number: int, _frame: FrameType | None) -> None:
        ended.set()

    numbers = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
    before = [signal.signal(number, end) for number in numbers]
    try:
        yield
    finally:
        for number, handler in zip(numbers, before, strict=True):
            signal.signal(number, handler)

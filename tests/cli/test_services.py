from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest

from cli.services import Service, Services
from tests.servers import is_alive

SLEEP = [sys.executable, "-c", "import time; time.sleep(600)"]
STUBBORN = [
    sys.executable,
    "-c",
    "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); time.sleep(600)",
]
WITH_CHILD = [
    sys.executable,
    "-c",
    (
        "import subprocess, sys, time; "
        "subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(600)']); time.sleep(600)"
    ),
]


@pytest.fixture
def services(tmp_path: Path) -> Services:
    return Services({}, tmp_path / "logs", print)


def _wait(condition: object, seconds: float = 10.0) -> None:
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if condition():  # type: ignore[operator]
            return
        time.sleep(0.05)
    raise AssertionError("waited in vain")


def test_what_is_killed_is_started_again(services: Services) -> None:
    services.start(Service("sleeper", SLEEP))
    first = services.pids()["sleeper"]
    os.kill(first, signal.SIGKILL)

    def is_new() -> bool:
        services.revive()
        return services.pids().get("sleeper") not in {None, first}

    _wait(is_new)
    services.stop()


def test_nothing_is_left_behind(services: Services) -> None:
    services.start(Service("stubborn", STUBBORN, stop_seconds=0.5))
    services.start(Service("parent", WITH_CHILD))
    parent = psutil.Process(services.pids()["parent"])
    _wait(lambda: bool(parent.children()))
    processes = [psutil.Process(pid) for pid in services.pids().values()] + parent.children()
    assert len(processes) == 3
    services.stop()
    assert not [process for process in processes if is_alive(process)]


@pytest.mark.skipif(sys.platform != "linux", reason="the parent-death signal is Linux's")
def test_children_end_with_a_killed_parent(tmp_path: Path) -> None:
    program = (
        "import sys, time; from pathlib import Path; from cli.services import Service, Services\n"
        f"services = Services({{}}, Path({str(tmp_path)!r}), print)\n"
        f"services.start(Service('sleeper', {SLEEP!r}))\n"
        "print(services.pids()['sleeper'], flush=True); time.sleep(600)"
    )
    with subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE) as parent:
        assert parent.stdout is not None
        child = psutil.Process(int(parent.stdout.readline()))
        parent.kill()
        _wait(lambda: not is_alive(child))

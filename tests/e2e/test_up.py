"""`unisd up` as a person uses it: start, Ctrl-C in the middle, start again."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx2
import psutil
import pytest

from tests.servers import is_alive


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _wait(condition: Callable[[], bool], what: str, seconds: float = 90.0) -> None:
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        try:
            if condition():
                return
        except httpx2.HTTPError:
            pass
        time.sleep(0.1)
    raise AssertionError(f"waited in vain for {what}")


def _family(process: subprocess.Popen[str]) -> list[psutil.Process]:
    """A process and all that descends from it."""
    parent = psutil.Process(process.pid)
    return [parent, *parent.children(recursive=True)]


def _alive(family: list[psutil.Process]) -> list[psutil.Process]:
    return [process for process in family if is_alive(process)]


@contextmanager
def _up(home: Path, port: int) -> Iterator[subprocess.Popen[str]]:
    environment = {
        **os.environ,
        "UNISD_HOME": str(home),
        "UNISD_PORT": str(port),
        "OMP_NUM_THREADS": "1",
    }
    command = [sys.executable, "-m", "cli.main", "up"]
    with subprocess.Popen(
        command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    ) as process:
        try:
            yield process
        finally:
            process.kill()


def test_ctrl_c_in_the_middle_of_a_run_ends_all_and_the_run_goes_on_later(
    tmp_path: Path, config: dict[str, Any]
) -> None:
    home, port = tmp_path / "home", _free_port()
    api = f"http://127.0.0.1:{port}"
    config = config | {"training": config["training"] | {"max_steps": 120}}

    def run() -> dict[str, Any]:
        body: dict[str, Any] = httpx2.get(f"{api}/api/runs").json()["items"][0]
        return body

    with _up(home, port) as process:
        _wait(lambda: httpx2.get(f"{api}/readyz").status_code == 200, "readiness")
        httpx2.post(f"{api}/api/runs", json={"config": config}).raise_for_status()
        _wait(lambda: run()["progress"]["step"] >= 5, "the fifth step")
        family = _family(process)
        assert any("worker.trainer" in " ".join(one.cmdline()) for one in family)
        process.send_signal(signal.SIGINT)
        output, _ = process.communicate(timeout=60)
        assert process.returncode == 0, output
        assert "Ended." in output
    assert _alive(family) == []

    with _up(home, port) as process:
        _wait(lambda: run()["status"] == "succeeded", "the end of the run")
        assert run()["attempt"] == 2
        family = _family(process)
        process.send_signal(signal.SIGINT)
        process.communicate(timeout=60)
    assert _alive(family) == []


def test_a_killed_up_takes_all_parts_with_it(tmp_path: Path) -> None:
    home, port = tmp_path / "home", _free_port()
    with _up(home, port) as process:
        url = f"http://127.0.0.1:{port}/readyz"
        _wait(lambda: httpx2.get(url).status_code == 200, "readiness")
        family = _family(process)
        assert len(family) >= 5  # itself, Redis, API, reaper, worker
        process.kill()
    _wait(lambda: not _alive(family), "the end of all parts", seconds=20.0)


def test_a_taken_port_is_named(tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = int(taken.getsockname()[1])
        with _up(tmp_path / "home", port) as process:
            output, _ = process.communicate(timeout=60)
    assert process.returncode == 2
    assert str(port) in output
    assert "PORT" in output


@pytest.mark.parametrize(
    ("name", "value", "word"),
    [("UNISD_HOST", "0.0.0.0", "UNISD_TOKEN"), ("UNISD_PORT", "eighty", "UNISD_PORT")],
)
def test_a_wrong_setting_is_named(name: str, value: str, word: str, tmp_path: Path) -> None:
    environment = {**os.environ, "UNISD_HOME": str(tmp_path), name: value}
    for part in ("up", "api", "worker", "migrate"):
        done = subprocess.run(
            [sys.executable, "-m", "cli.main", part],
            env=environment,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 2
        assert word in done.stderr
        assert "Traceback" not in done.stderr

"""Starts the parts of an installation as child processes, keeps them alive, and ends them all."""

from __future__ import annotations

import ctypes
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

_FIRST_PAUSE_SECONDS = 0.5
_LONGEST_PAUSE_SECONDS = 30.0
_HEALTHY_SECONDS = 60.0
_PR_SET_PDEATHSIG = 1


@dataclass
class Service:
    """One part: how to start it, what to feed it, and how long it may take to end."""

    name: str
    command: list[str]
    stop_seconds: float = 10.0
    stdin: bytes | None = None
    process: subprocess.Popen[bytes] | None = None
    started: float = 0.0
    pause: float = _FIRST_PAUSE_SECONDS
    due: float = field(default=0.0)


class Services:
    """All parts of an installation on this machine."""

    def __init__(
        self, environment: Mapping[str, str], logs: Path, say: Callable[[str], None]
    ) -> None:
        self._environment = {**os.environ, **environment}
        self._logs = logs
        self._say = say
        self._services: list[Service] = []
        logs.mkdir(parents=True, exist_ok=True)

    def start(self, service: Service) -> None:
        """Start a part and keep it alive from now on."""
        self._services.append(service)
        self._spawn(service)

    def revive(self) -> None:
        """Start again what has ended by itself, with growing pauses."""
        now = time.monotonic()
        for service in self._services:
            if service.process is None:
                if now >= service.due:
                    self._spawn(service)
            elif (code := service.process.poll()) is not None:
                if now - service.started > _HEALTHY_SECONDS:
                    service.pause = _FIRST_PAUSE_SECONDS
                self._say(
                    f"{service.name} ended with {code}; starting it again in {service.pause:g} s "
                    f"(its log: {self._log(service)})"
                )
                service.process, service.due = None, now + service.pause
                service.pause = min(2 * service.pause, _LONGEST_PAUSE_SECONDS)

    def stop(self) -> None:
        """End all parts, those started last first; none is left behind."""
        while self._services:
            service = self._services[-1]
            process = service.process
            if process is not None and process.poll() is None:
                process.terminate()
                try:
                    process.wait(service.stop_seconds)
                except subprocess.TimeoutExpired:
                    self._say(f"{service.name} does not end and is killed")
            self._kill_group(service)
            self._services.pop()

    def pids(self) -> dict[str, int]:
        """Process identifiers of the parts that run."""
        return {
            service.name: service.process.pid
            for service in self._services
            if service.process is not None
        }

    def _spawn(self, service: Service) -> None:
        with self._log(service).open("ab") as log:
            service.process = subprocess.Popen(  # noqa: S603 - commands are this package's own
                service.command,
                stdin=subprocess.PIPE if service.stdin is not None else subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                env=self._environment,
                # A session of its own: Ctrl-C reaches this process alone, which ends them in order.
                start_new_session=True,
                preexec_fn=_end_with_parent if sys.platform == "linux" else None,  # noqa: PLW1509
            )
        service.started = time.monotonic()
        if service.stdin is not None and service.process.stdin is not None:
            service.process.stdin.write(service.stdin)
            service.process.stdin.close()

    def _log(self, service: Service) -> Path:
        return self._logs / f"{service.name}.log"

    @staticmethod
    def _kill_group(service: Service) -> None:
        if service.process is None:
            return
        with suppress(ProcessLookupError):
            os.killpg(service.process.pid, signal.SIGKILL)
        service.process.wait()


def _end_with_parent() -> None:
    """Ask Linux to end this child when its parent dies, even by SIGKILL."""
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)

"""The process that keeps a model loaded for answers side by side, as its worker holds it.

Orders go to its standard input, a line each; what it says comes back the same way. When this worker
dies, however suddenly, the pipe closes, and the process leaves and frees its device.
"""

from __future__ import annotations

import os
import queue
import signal
import subprocess
import sys
import threading
from pathlib import Path
from typing import IO, Final

from pydantic import ValidationError

from core.generation_job import Order, Told

_TAIL_BYTES: Final = 3000
_END_SECONDS: Final = 30.0


class ProcessGoneError(Exception):
    """The model process has ended."""


class ModelProcess:
    """A running model process.

    Args:
        idle_seconds: it ends after so long without an order.
        log: file for what it and its libraries print.
    """

    def __init__(self, idle_seconds: float, log: Path) -> None:
        self._log = log
        self._told: queue.Queue[Told | None] = queue.Queue()
        log.parent.mkdir(parents=True, exist_ok=True)
        with log.open("wb") as printed:
            self._process = subprocess.Popen(  # noqa: S603 - our own module
                [
                    sys.executable,
                    "-m",
                    "worker.trainer",
                    "generate",
                    "--idle-seconds",
                    str(idle_seconds),
                ],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=printed,
                start_new_session=True,
                env={**os.environ, "PYTHONUNBUFFERED": "1"},
            )
        assert self._process.stdin is not None  # noqa: S101 - for the type checker
        assert self._process.stdout is not None  # noqa: S101
        self._orders: IO[bytes] = self._process.stdin
        out = self._process.stdout
        threading.Thread(target=self._read, args=(out,), name="model", daemon=True).start()

    @property
    def pid(self) -> int:
        """Process identifier."""
        return self._process.pid

    def is_alive(self) -> bool:
        """Whether it runs."""
        return self._process.poll() is None

    def order(self, order: Order) -> None:
        """Ask for something.

        Raises:
            ProcessGoneError: it has ended.
        """
        try:
            self._orders.write(order.model_dump_json().encode() + b"\n")
            self._orders.flush()
        except OSError as error:
            raise ProcessGoneError from error

    def told(self, seconds: float) -> Told | None:
        """What it says next; None if it says nothing for so many seconds.

        Raises:
            ProcessGoneError: it has ended, and all that it said was read.
        """
        try:
            told = self._told.get(timeout=seconds)
        except queue.Empty:
            return None
        if told is None:
            self._told.put(None)
            raise ProcessGoneError
        return told

    def close(self) -> None:
        """End it now, with whatever it started, and wait until its memory is free."""
        # The number of one that was waited for may be another group's by now.
        if self.is_alive():
            os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait(_END_SECONDS)

    def was_idle(self) -> bool:
        """Whether it ended by itself, as it does when nothing was asked of it for long enough."""
        return self._process.wait(_END_SECONDS) == 0

    def why_gone(self) -> str:
        """How it ended, in words."""
        code = self._process.wait(_END_SECONDS)
        how = f"was killed by {signal.Signals(-code).name}" if code < 0 else f"ended with {code}"
        try:
            words = self._log.read_bytes()[-_TAIL_BYTES:].decode(errors="replace").strip()
        except OSError:
            words = ""
        last = words.splitlines()[-1] if words else ""
        return f"{how}. Its last words: {last}" if last else f"{how}."

    def _read(self, out: IO[bytes]) -> None:
        for line in out:
            try:
                self._told.put(Told.model_validate_json(line))
            except ValidationError:
                sys.stderr.write(f"the model process said {line[:200]!r}\n")
        self._told.put(None)

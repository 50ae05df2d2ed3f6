"""Stopping on request. Installed before torch is imported, which takes seconds."""

from __future__ import annotations

import os
import signal
import sys
import threading
from collections.abc import Callable
from types import FrameType
from typing import Any, Final, Never, Self

ORPHANED: Final = 75
"""Exit status after the supervisor's death (EX_TEMPFAIL: the run can be started again)."""

INTERRUPTED: Final = 130


class StopRequested(Exception):  # noqa: N818 - a request, not an error
    """Raised at the next safe point after a signal."""


class Interrupt:
    """A flag that SIGTERM and SIGINT set and that the work looks at between its parts.

    Args:
        passed_on: called in the handler, each time.

    Attributes:
        requested: whether a stop was asked for.
        patient: `check` lets the work go on. Among several processes none may leave the others
            waiting, so they look at `requested` together.
    """

    def __init__(self, passed_on: Callable[[], None] | None = None) -> None:
        self.requested = False
        self.patient = False
        self._passed_on = passed_on
        self._interrupts = 0
        self._previous: dict[signal.Signals, Any] = {}

    def __enter__(self) -> Self:
        """Handle SIGTERM and SIGINT from here on. Main thread only."""
        for number in (signal.SIGTERM, signal.SIGINT):
            self._previous[number] = signal.signal(number, self._handle)
        return self

    def __exit__(self, *_exception: object) -> None:
        """Put the handlers back that were there before."""
        for number, handler in self._previous.items():
            signal.signal(number, handler)

    def check(self) -> None:
        """Raise `StopRequested` if a stop was asked for, unless `patient`."""
        if self.requested and not self.patient:
            raise StopRequested

    def _handle(self, number: int, _frame: FrameType | None) -> None:
        self.requested = True
        if number == signal.SIGINT:
            self._interrupts += 1
        if self._interrupts > 1:  # pressed again: the person does not want to wait for the adapter
            os._exit(INTERRUPTED)
        if self._passed_on is not None:
            self._passed_on()


def exit_with_supervisor(descriptor: int = 0) -> None:
    """End this process at once when the other end of standard input closes.

    The supervisor holds a pipe to our standard input open and never writes. The kernel closes it
    when the supervisor dies, even by SIGKILL, and only that tells us reliably: an orphan would hold
    the GPU and go on writing beside the attempt that replaces it. `os._exit` skips clean-up on
    purpose, as the main thread may be deep inside a kernel launch.

    Args:
        descriptor: of the pipe's end, where it is not standard input.
    """
    threading.Thread(
        target=_wait_for_end, args=(descriptor,), name="supervisor-watch", daemon=True
    ).start()


def _wait_for_end(descriptor: int) -> None:
    try:
        while os.read(descriptor, 1024):
            pass
    except OSError:
        pass
    exit_orphaned()


def exit_orphaned() -> Never:
    """End this process at once, as the one that it works for is gone."""
    sys.stderr.write("The supervisor is gone; the trainer ends.\n")
    sys.stderr.flush()
    os._exit(ORPHANED)

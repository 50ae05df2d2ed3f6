"""The pipe between a launcher and the processes that it starts to train together.

It is their standard input. It closes when the launcher dies, however suddenly, and they leave at
once. A byte in it for each of them is a request to stop.
"""

from __future__ import annotations

import os
import select
import threading

from worker.trainer.interrupt import Interrupt, exit_orphaned


class Lifeline:
    """The launcher's side.

    Args:
        count: how many processes there will be.
    """

    def __init__(self, count: int) -> None:
        self._unasked = count
        self._read, self._write = os.pipe()

    def become_standard_input(self) -> None:
        """Let the processes to come inherit the other end."""
        os.dup2(self._read, 0)
        os.close(self._read)

    def ask_to_stop(self) -> None:
        """Ask every process, once, also those that are yet to start. A signal's handler may."""
        unasked, self._unasked = self._unasked, 0
        os.write(self._write, b"." * unasked)


def follow(interrupt: Interrupt) -> None:
    """The side of a process: request a stop when asked to, and leave when the launcher is gone."""
    threading.Thread(target=_follow, args=(interrupt,), name="lifeline", daemon=True).start()


def _follow(interrupt: Interrupt) -> None:
    try:
        if os.read(0, 1):
            interrupt.requested = True
            # What is left in the pipe is for the others: look only whether it closes.
            closed = select.poll()
            closed.register(0, 0)  # a hang-up is told without being asked for
            closed.poll()
    except OSError:
        pass
    exit_orphaned()

"""The trainer as a child process.

Its standard input is a pipe that nobody writes to: when this process dies, however suddenly, the
pipe closes, and the trainer leaves and frees its GPU. It gets a session of its own, so that Ctrl-C
in a terminal reaches the supervisor alone, which then stops it in order.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from core.export_job import PIPE_ARGUMENT

LOG_FILE = "trainer.log"
CONFIG_FILE = "run.yaml"
_TAIL_BYTES = 4000


@contextmanager
def _pipe_with(secret: str | None) -> Iterator[tuple[int, ...]]:
    """The reading end of a pipe that holds a secret; nothing where there is none."""
    if secret is None:
        yield ()
        return
    reading, writing = os.pipe()
    try:
        with os.fdopen(writing, "w", encoding="utf-8") as pipe:
            pipe.write(secret)
        yield (reading,)
    finally:
        os.close(reading)


class Trainer:
    """A running trainer.

    Args:
        command: arguments of `python -m worker.trainer`, without `--supervised`.
        directory: the attempt's folder.
        secret: given to the trainer through a pipe of its own, where no list of processes and no
            file shows it.
    """

    def __init__(self, command: Sequence[str], directory: Path, secret: str | None = None) -> None:
        self._log = directory / LOG_FILE
        with self._log.open("ab") as log, _pipe_with(secret) as descriptors:
            self._process = subprocess.Popen(  # noqa: S603 - our own module
                [
                    sys.executable,
                    "-m",
                    "worker.trainer",
                    *command,
                    "--supervised",
                    *(f"{PIPE_ARGUMENT}={one}" for one in descriptors),
                ],
                pass_fds=descriptors,
                stdin=subprocess.PIPE,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
                env={**os.environ, "PYTHONUNBUFFERED": "1"},
            )

    @property
    def pid(self) -> int:
        """Process identifier."""
        return self._process.pid

    def exit_code(self) -> int | None:
        """None while it runs; negative: the signal that killed it."""
        return self._process.poll()

    def stop(self) -> None:
        """Ask it to finish its step and leave."""
        self._signal(signal.SIGTERM)

    def kill(self) -> None:
        """End it and whatever it started, now."""
        self._signal(signal.SIGKILL)
        self._process.wait()

    def wait(self, seconds: float) -> None:
        """Wait until it ends, at most so long."""
        try:
            self._process.wait(seconds)
        except subprocess.TimeoutExpired:
            return

    def close(self) -> None:
        """Make sure that nothing of it is left."""
        self._signal(signal.SIGKILL)
        self._process.wait()
        if self._process.stdin is not None:
            self._process.stdin.close()

    def last_words(self) -> str:
        """The end of what it printed."""
        try:
            with self._log.open("rb") as log:
                log.seek(max(0, self._log.stat().st_size - _TAIL_BYTES))
                return log.read().decode(errors="replace").strip()
        except OSError:
            return ""

    def _signal(self, number: signal.Signals) -> None:
        try:
            os.killpg(self._process.pid, number)
        except ProcessLookupError:
            return

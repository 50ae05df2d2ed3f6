"""What a program is allowed, how far it is kept away, and how it ended."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum, StrEnum


class Isolation(IntEnum):
    """How far a program is kept from its host, from least to most.

    `RLIMITS`: limits on time, memory, processes, files and output; a clean environment; another
    user where the worker runs as root. Files and network of the host are in reach.
    `NAMESPACES`: besides, namespaces of its own: no network, no other processes, and of the files
    only the Python installation, read-only.
    `BUBBLEWRAP`: the same, set up by bubblewrap.
    """

    RLIMITS = 1
    NAMESPACES = 2
    BUBBLEWRAP = 3

    @classmethod
    def named(cls, name: str) -> Isolation:
        """The level that a configuration names."""
        return cls[name.upper()]

    @property
    def label(self) -> str:
        """Its name in configurations and results."""
        return self.name.lower()


@dataclass(frozen=True)
class Limits:
    """What a program may use.

    Attributes:
        seconds: wall-clock time, and processor time of each of its processes.
        memory: bytes of address space of each of its processes.
        disk: bytes of all the files that it writes.
        processes: processes and threads at a time.
        open_files: files open at a time, per process.
        output: bytes that it may print, standard output and error together.
    """

    seconds: float = 10.0
    memory: int = 512 << 20
    disk: int = 32 << 20
    processes: int = 16
    open_files: int = 64
    output: int = 1 << 20


class Status(StrEnum):
    """How a program ended."""

    PASSED = "passed"
    FAILED = "failed"
    """It raised, or left before its last statement."""
    TIMEOUT = "timeout"
    MEMORY = "memory"
    OUTPUT = "output"
    KILLED = "killed"
    """A signal ended it."""


@dataclass(frozen=True)
class Outcome:
    """How a program ended.

    Attributes:
        error: name of the exception, of the signal, or a few words; None if it passed.
        seconds: wall-clock time, the start of the interpreter included.
        stdout: the end of what it printed.
        stderr: the end of what it printed there; a traceback, if it raised.
    """

    status: Status
    isolation: Isolation
    error: str | None
    seconds: float
    stdout: str
    stderr: str

    @property
    def passed(self) -> bool:
        """Whether it ran to its end."""
        return self.status is Status.PASSED

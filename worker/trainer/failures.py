"""How the trainer names what went wrong, and with which exit status it ends."""

from __future__ import annotations

import errno
from pathlib import Path
from typing import Final

from core.errors import Problem, StudioError

EXIT_DONE: Final = 0
EXIT_FAILED: Final = 1
EXIT_MISTAKE: Final = 2
EXIT_PEER_LOST: Final = 76
"""Another process of the run is gone: this one has no verdict of its own."""


class RunFailureError(StudioError):
    """A failure that nobody could have seen in the configuration (disk full, loss not finite)."""


class PeerLostError(Exception):
    """Another process of the run is gone: this one cannot go on, and has no verdict of its own."""


def mistake(code: str, message: str, remedy: str, *, field: str | None = None) -> StudioError:
    """A mistake in the configuration or the data, that its author can mend."""
    return StudioError(Problem(code=code, message=message, remedy=remedy, field=field))


def failure(code: str, message: str, remedy: str, *, field: str | None = None) -> RunFailureError:
    """A failure while the run was under way."""
    return RunFailureError(Problem(code=code, message=message, remedy=remedy, field=field))


def write_failure(path: Path, error: OSError) -> StudioError:
    """Name an error of the file system while writing `path`."""
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return failure(
            "disk_full",
            f"No space is left to write {path}.",
            "Free space there, or choose another output folder.",
        )
    return failure(
        "write_failed",
        f"{path} could not be written: {error.strerror or error}.",
        "Check the folder's permissions and the disk.",
    )


def exit_status(error: BaseException) -> int:
    """2 for mistakes that a person can mend before the next start, 1 for everything else."""
    is_mistake = isinstance(error, StudioError) and not isinstance(error, RunFailureError)
    return EXIT_MISTAKE if is_mistake else EXIT_FAILED

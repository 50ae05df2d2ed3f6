"""Results that are costly to make, kept by the hash of everything that determines them.

One JSON file per result, written under a temporary name and renamed: a run that is cut off finds
what it had, and two runs that make the same at once do no harm.
"""

from __future__ import annotations

import hashlib
import json
import os
from pathlib import Path
from typing import Any, Final

from worker.trainer.failures import write_failure
from worker.trainer.files import write_atomically

FORMAT: Final = 1


def cache_folder() -> Path:
    """`UNISD_CACHE_DIR`, else `cache` in `UNISD_HOME`, else in the user's cache folder."""
    if named := os.environ.get("UNISD_CACHE_DIR"):
        return Path(named).expanduser()
    if home := os.environ.get("UNISD_HOME"):
        return Path(home).expanduser() / "cache"
    return Path("~/.cache/unisd-studio").expanduser()


class Cache:
    """Results of one kind.

    Args:
        kind: what they are; the name of their folder.
        settings: all that determines every one of them, as plain data.
    """

    def __init__(self, kind: str, settings: Any) -> None:  # noqa: ANN401 - any plain data
        self._settings = [FORMAT, kind, settings]
        self._folder = cache_folder() / kind

    def get(self, key: Any) -> Any:  # noqa: ANN401 - any plain data
        """The result for `key`, or None if it is not there or cannot be read."""
        try:
            return json.loads(self._path(key).read_text(encoding="utf-8"))
        except (OSError, ValueError):
            return None

    def put(self, key: Any, value: Any) -> None:  # noqa: ANN401 - any plain data
        """Keep a result, any plain data but None.

        Raises:
            StudioError: `disk_full` or `write_failed`.
        """
        path = self._path(key)
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            write_atomically(path, json.dumps(value, ensure_ascii=False).encode())
        except OSError as error:
            raise write_failure(path, error) from error

    def _path(self, key: Any) -> Path:  # noqa: ANN401 - any plain data
        name = fingerprint([self._settings, key])
        return self._folder / name[:2] / f"{name}.json"


def fingerprint(content: Any) -> str:  # noqa: ANN401 - any plain data
    """Hash of plain data, the same whatever the order of its keys."""
    text = json.dumps(content, sort_keys=True, ensure_ascii=False, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()

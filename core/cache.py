"""Results that are costly to make, kept by the hash of everything that determines them.

One JSON file per result. The trainer writes them; whoever can name what determines a result can
look whether it is there.
"""

from __future__ import annotations

import hashlib
import json
import os
from pathlib import Path
from typing import Any, Final

FORMAT: Final = 1


def cache_folder(home: Path | None = None) -> Path:
    """`UNISD_CACHE_DIR`, else `cache` in the home folder, else in the user's cache folder.

    Args:
        home: the studio's home folder; None for `UNISD_HOME`.
    """
    if named := os.environ.get("UNISD_CACHE_DIR"):
        return Path(named).expanduser()
    if home is not None:
        return home / "cache"
    if named := os.environ.get("UNISD_HOME"):
        return Path(named).expanduser() / "cache"
    return Path("~/.cache/unisd-studio").expanduser()


class Kept:
    """Results of one kind.

    Args:
        kind: what they are; the name of their folder.
        settings: all that determines every one of them, as plain data.
        folder: of all kinds; None for `cache_folder()`.
    """

    def __init__(
        self,
        kind: str,
        settings: Any,  # noqa: ANN401 - any plain data
        folder: Path | None = None,
    ) -> None:
        self._settings = [FORMAT, kind, settings]
        self._folder = (folder or cache_folder()) / kind

    def get(self, key: Any) -> Any:  # noqa: ANN401 - any plain data
        """The result for `key`, or None if it is not there or cannot be read."""
        try:
            return json.loads(self.path(key).read_text(encoding="utf-8"))
        except (OSError, ValueError):
            return None

    def has(self, key: Any) -> bool:  # noqa: ANN401 - any plain data
        """Whether there is a result for `key`."""
        return self.path(key).is_file()

    def path(self, key: Any) -> Path:  # noqa: ANN401 - any plain data
        """The file of the result for `key`."""
        name = fingerprint([self._settings, key])
        return self._folder / name[:2] / f"{name}.json"


def fingerprint(content: Any) -> str:  # noqa: ANN401 - any plain data
    """Hash of plain data, the same whatever the order of its keys."""
    text = json.dumps(content, sort_keys=True, ensure_ascii=False, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()

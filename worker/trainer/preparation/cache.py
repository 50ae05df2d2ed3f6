"""Keeps results that are costly to make (`core.cache`).

Written under a temporary name and renamed: a run that is cut off finds what it had, and two runs
that make the same at once do no harm.
"""

from __future__ import annotations

import json
from typing import Any

from core.cache import Kept, cache_folder, fingerprint
from worker.trainer.failures import write_failure
from worker.trainer.files import write_atomically

__all__ = ["Cache", "cache_folder", "fingerprint"]


class Cache(Kept):
    """Results of one kind, to read and to write."""

    def put(self, key: Any, value: Any) -> None:  # noqa: ANN401 - any plain data
        """Keep a result, any plain data but None.

        Raises:
            StudioError: `disk_full` or `write_failed`.
        """
        path = self.path(key)
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            write_atomically(path, json.dumps(value, ensure_ascii=False).encode())
        except OSError as error:
            raise write_failure(path, error) from error

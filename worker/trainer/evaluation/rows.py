"""Results per example, one JSON object a line: what was finished is there after a cut."""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from worker.trainer.failures import mistake, write_failure
from worker.trainer.preparation.cache import fingerprint


class Rows:
    """Rows of a file by their keys; a file of other settings is not gone on with.

    Args:
        path: the file; its first line holds the settings.
        settings: all that the rows depend on, as plain data.
        replace: set a file that was made with other settings aside, and begin anew.

    Raises:
        StudioError: `results_of_another` if the file was made with other settings.
    """

    def __init__(
        self,
        path: Path,
        settings: Any,  # noqa: ANN401 - plain data
        *,
        replace: bool = False,
    ) -> None:
        self.path = path
        self.by_key: dict[tuple[int, int], dict[str, Any]] = {}
        self._settings = settings
        if replace and path.exists() and not self._is_ours(path.read_bytes().split(b"\n")):
            path.replace(path.with_suffix(".old"))
        if path.exists():
            self._read()
        else:
            path.parent.mkdir(parents=True, exist_ok=True)
            self._append([{"settings": settings, "fingerprint": fingerprint(settings)}])

    def add(self, rows: Iterable[Mapping[str, Any]]) -> None:
        """Keep rows, each with `index` and `sample`; they are on disk when this returns."""
        new = [dict(row) for row in rows]
        self._append(new)
        self.by_key |= {(row["index"], row["sample"]): row for row in new}

    def ordered(self) -> list[dict[str, Any]]:
        """All rows by index and sample."""
        return [self.by_key[key] for key in sorted(self.by_key)]

    def _is_ours(self, lines: list[bytes]) -> bool:
        """Whether the first line, if it is whole, has these settings."""
        try:
            head = json.loads(lines[0]) if len(lines) > 1 else {}
        except ValueError:
            return False
        return bool(head.get("fingerprint") == fingerprint(self._settings))

    def _read(self) -> None:
        lines = self.path.read_bytes().split(b"\n")
        # The last line is empty, or was cut off in the middle: it is written anew.
        whole = b"".join(line + b"\n" for line in lines[:-1])
        if lines[-1]:
            with self.path.open("r+b") as file:
                file.truncate(len(whole))
        if not self._is_ours(lines):
            raise mistake(
                "results_of_another",
                f"{self.path} holds results of other settings or another model.",
                "Choose another output folder.",
            )
        found = [json.loads(line) for line in lines[1:-1]]
        self.by_key = {(row["index"], row["sample"]): row for row in found}

    def _append(self, rows: Iterable[Mapping[str, Any]]) -> None:
        text = "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)
        try:
            with self.path.open("ab") as file:
                file.write(text.encode("utf-8", "replace"))
                file.flush()
                os.fsync(file.fileno())
        except OSError as error:
            raise write_failure(self.path, error) from error

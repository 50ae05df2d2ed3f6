"""Reads a trainer's `events.jsonl` as it grows and hands whole lines to SQL."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

from app.db import Database
from app.runs.ingest import Position, ingest, position

EVENTS_FILE = "events.jsonl"
_CHUNK_BYTES = 1 << 20


class Batch(NamedTuple):
    """Whole lines of a file and the position after them."""

    lines: list[bytes]
    end: int


def read_batch(path: Path, offset: int) -> Batch:
    """The next whole lines after `offset`; a line that is still being written is left for later."""
    try:
        with path.open("rb") as file:
            file.seek(offset)
            data = file.read(_CHUNK_BYTES)
            while data and b"\n" not in data:
                more = file.read(_CHUNK_BYTES)
                if not more:
                    break
                data += more
    except FileNotFoundError:
        return Batch([], offset)
    whole = data[: data.rfind(b"\n") + 1]
    # Not splitlines(): a carriage return inside a line does not end it.
    return Batch(whole.split(b"\n")[:-1], offset + len(whole))


class Tail:
    """Follows the file of one attempt. Safe to use by several processes at once."""

    def __init__(self, database: Database, attempt_id: int, directory: Path) -> None:
        self._database = database
        self._attempt_id = attempt_id
        self._path = directory / EVENTS_FILE
        self._position: Position | None = None

    def pump(self) -> bool:
        """Copy the next batch; returns whether there was one.

        Raises:
            SQLAlchemyError: the database did not take it; nothing is lost, call again.
        """
        if self._position is None:
            with self._database.read() as session:
                self._position = position(session, self._attempt_id)
        batch = read_batch(self._path, self._position.bytes)
        if not batch.lines:
            return False
        offset, self._position = self._position.bytes, None
        with self._database.write() as session:
            ingest(session, self._attempt_id, offset, batch.lines, batch.end)
        return True

    def drain(self) -> Position:
        """Copy all that is there; returns where that led to."""
        while self.pump():
            pass
        with self._database.read() as session:
            return position(session, self._attempt_id)

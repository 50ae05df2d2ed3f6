"""Keeps data files under the hash of their bytes.

A file is written under a temporary name and renamed when it is whole, so that what has a final
name is complete and what it says.
"""

from __future__ import annotations

import errno
import hashlib
import secrets
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import IO, Any, Final

from fsspec.core import url_to_fs
from starlette.concurrency import run_in_threadpool

from app.errors import TooLargeError, UnavailableError
from core.errors import Problem, StudioError
from core.tables import SUFFIXES, Format, file_format

_CHUNK: Final = 2**20
_UNWRITABLE: Final = frozenset(
    {errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EACCES, errno.EPERM, errno.EIO}
)


@dataclass
class Incoming:
    """A file on its way into the store."""

    path: Path
    file_name: str
    suffix: str
    limit: int
    size: int = 0
    _hash: Any = field(default_factory=hashlib.sha256)

    @property
    def sha256(self) -> str:
        """Hash of the bytes so far."""
        return str(self._hash.hexdigest())

    @property
    def key(self) -> str:
        """Path in the store."""
        return f"{self.sha256[:2]}/{self.sha256}{self.suffix}"

    def take(self, chunk: bytes, file: IO[bytes]) -> None:
        """Write and hash some bytes.

        Raises:
            TooLargeError: there are more than are taken.
        """
        self.size += len(chunk)
        if self.size > self.limit:
            raise too_large(self.limit)
        self._hash.update(chunk)
        file.write(chunk)


def too_large(limit: int) -> TooLargeError:
    """The error for a file of more than `limit` bytes."""
    return TooLargeError(
        f"The file is larger than the {limit:,} bytes that are taken here.",
        "Compress it with gzip, split it, or raise UNISD_MAX_UPLOAD_BYTES.",
    )


def known_format(file_name: str, place: str = "file_name") -> Format:
    """Format of a file by its name.

    Raises:
        StudioError: `data_format_unknown`.
    """
    found = file_format(file_name)
    if found is None:
        raise StudioError(
            Problem(
                code="data_format_unknown",
                message=f"The name “{file_name}” does not say what the file holds.",
                remedy=f"Name it with one of {', '.join(SUFFIXES)}; all but Parquet also with .gz.",
                field=place,
            )
        )
    return found


class Store:
    """The folder of data files. Workers read the files where they lie."""

    def __init__(self, root: Path) -> None:
        self._system, self._root = url_to_fs(str(root))

    def path(self, key: str) -> Path:
        """Where a file lies."""
        return Path(self._root) / key

    @contextmanager
    def incoming(self, file_name: str, limit: int) -> Iterator[Incoming]:
        """Room for a new file; what is not kept is removed at the end.

        Raises:
            StudioError: the file's format is not known.
            UnavailableError: there is no room, or the folder cannot be written.
        """
        known_format(file_name)
        suffixes = PurePosixPath(file_name.lower()).suffixes
        suffix = "".join(suffixes[-2:] if suffixes[-1] == ".gz" else suffixes[-1:])
        folder = f"{self._root}/incoming"
        path = f"{folder}/{secrets.token_hex(8)}{suffix}"
        try:
            self._system.makedirs(folder, exist_ok=True)
            yield Incoming(Path(path), file_name, suffix, limit)
        except OSError as error:
            if error.errno not in _UNWRITABLE:
                raise
            raise UnavailableError(
                f"The folder for data sets, {self._root}, cannot be written: {error.strerror}.",
                "Make room or mend its permissions, or set UNISD_HOME to another folder.",
            ) from error
        finally:
            if self._system.exists(path):
                self._system.rm_file(path)

    def copy(self, incoming: Incoming, source: IO[bytes]) -> None:
        """Take a file's bytes."""
        with self._system.open(str(incoming.path), "wb") as file:
            while chunk := source.read(_CHUNK):
                incoming.take(chunk, file)

    async def receive(self, incoming: Incoming, body: AsyncIterator[bytes]) -> None:
        """Take a request's body; at most about a megabyte is held."""
        async with self._writer(incoming) as write:
            held = bytearray()
            async for chunk in body:
                held += chunk
                if len(held) >= _CHUNK:
                    await write(bytes(held))
                    held.clear()
            await write(bytes(held))

    @asynccontextmanager
    async def _writer(self, incoming: Incoming) -> AsyncIterator[Any]:
        file = await run_in_threadpool(self._system.open, str(incoming.path), "wb")
        try:
            yield lambda chunk: run_in_threadpool(incoming.take, chunk, file)
        finally:
            await run_in_threadpool(file.close)

    def keep(self, incoming: Incoming) -> None:
        """Give a whole file its final name; a file with the same bytes may be there already."""
        final = str(self.path(incoming.key))
        if self._system.exists(final):
            return
        self._system.makedirs(str(Path(final).parent), exist_ok=True)
        self._system.mv(str(incoming.path), final)

    def remove(self, key: str) -> None:
        """Remove a file that no version needs any more."""
        if self._system.exists(str(self.path(key))):
            self._system.rm_file(str(self.path(key)))

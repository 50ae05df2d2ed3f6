"""Keeps data files under the hash of their bytes.

A file is written under a temporary name and renamed when it is whole, so that what has a final
name is complete and what it says.
"""

from __future__ import annotations

import errno
import hashlib
import secrets
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import IO, Any, Final

from fsspec.core import url_to_fs
from starlette.concurrency import run_in_threadpool

from app.errors import NotFoundError, TooLargeError, UnavailableError
from app.settings import Settings
from app.storage.keys import dataset_key, deleted_key
from app.storage.reading import store_unavailable
from app.storage.store import Progress, StoreError, artifact_store
from app.storage.store import Store as ArtifactStore
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
    """The folder of data files, where check and trainer read them, and the store behind it.

    Args:
        root: the folder.
        remote: where all hosts' files are kept, if not in that folder.
    """

    def __init__(self, root: Path, remote: ArtifactStore | None = None) -> None:
        self._system, self._root = url_to_fs(str(root))
        self._remote = remote

    @classmethod
    def of(cls, settings: Settings) -> Store:
        """The installation's.

        Raises:
            UnavailableError: there is no store at UNISD_ARTIFACTS_URL.
        """
        with _answering():
            remote = artifact_store(settings)
        return cls(settings.datasets_directory, None if remote.is_home else remote)

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

    def publish(self, incoming: Incoming) -> None:
        """Copy a whole file to where all hosts find it. Slow: before the transaction of `keep`.

        Raises:
            UnavailableError: the store does not take it.
        """
        if self._remote is not None:
            self._send(self._remote, incoming.path, incoming.key)

    def keep(self, incoming: Incoming) -> None:
        """Give a whole file its final name; a file with the same bytes may be there already.

        Raises:
            UnavailableError: the store does not take it.
        """
        final = self.path(incoming.key)
        if not self._system.exists(str(final)):
            self._system.makedirs(str(final.parent), exist_ok=True)
            self._system.mv(str(incoming.path), str(final))
        if self._remote is not None:
            # Between `publish` and here another may have deleted the same bytes.
            self._send(self._remote, final, incoming.key)

    def _send(self, remote: ArtifactStore, path: Path, key: str) -> None:
        with _answering():
            remote.delete(deleted_key(dataset_key(key)))
            if not remote.exists(dataset_key(key)):
                remote.put(path, dataset_key(key))

    def bring(self, key: str, progress: Progress | None = None) -> Path:
        """Path of a file, which is fetched to this host if it is elsewhere.

        Raises:
            NotFoundError: it is nowhere.
            StoreError: the store does not answer.
        """
        path = self.path(key)
        if path.is_file():
            return path
        if self._remote is not None:
            with suppress(FileNotFoundError):
                self._remote.fetch(dataset_key(key), path, progress)
                return path
        raise NotFoundError(
            f"The data file {path} is not on this host.",
            "Upload it again, or mend UNISD_HOME or UNISD_ARTIFACTS_URL.",
        )

    def present(self, key: str) -> Path:
        """Path of a file for who answers a request.

        Raises:
            NotFoundError: it is nowhere.
            UnavailableError: the store does not answer.
        """
        with _answering():
            return self.bring(key)

    def remove(self, key: str) -> None:
        """Remove a file that no version needs any more; workers' copies follow.

        Raises:
            UnavailableError: the store does not answer.
        """
        if self._remote is not None:
            with _answering():
                self._remote.put_bytes(b"", deleted_key(dataset_key(key)))
                self._remote.delete(dataset_key(key))
        if self._system.exists(str(self.path(key))):
            self._system.rm_file(str(self.path(key)))


@contextmanager
def _answering() -> Iterator[None]:
    """Tell a client that the store fails, as an error of the API."""
    try:
        yield
    except StoreError as error:
        raise store_unavailable(error) from error

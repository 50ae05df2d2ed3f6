"""The artifact store: a folder on this host, or whatever fsspec reaches by a URL."""

from __future__ import annotations

import os
import secrets
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import IO, Any, Final

from fsspec.core import url_to_fs

from app.settings import Settings
from app.storage.keys import checked, is_key

_CHUNK: Final = 4 * 2**20
_TEMPORARY: Final = ".tmp"
# Object stores show a new object when all of it is there; elsewhere a file is moved to its name.
_ATOMIC: Final = frozenset({"s3", "s3a", "gs", "gcs", "az", "abfs", "abfss", "adl"})
Progress = Callable[[], None]


class StoreError(Exception):
    """The store does not answer, or does not take or give a file; trying again later may help."""


@dataclass(frozen=True)
class Entry:
    """A file in the store.

    Attributes:
        key: its name.
        size: in bytes.
        version: changes when the file is written anew, as far as the store tells.
    """

    key: str
    size: int
    version: str


class Store:
    """Files by key. All methods raise `StoreError` where the store fails.

    Args:
        url: fsspec URL of the store's root.
        home: home folder of this host.
    """

    def __init__(self, url: str | None, home: Path) -> None:
        options = {"use_listings_cache": False} if url and "://" in url else {}
        try:
            self._system, root = url_to_fs(url or str(home), **options)
        except (ImportError, ValueError) as error:
            raise StoreError(f"UNISD_ARTIFACTS_URL={url}: {error}") from error
        self._root = str(root).rstrip("/")
        protocol = self._system.protocol
        self._protocols = {protocol} if isinstance(protocol, str) else set(protocol)
        self.is_home = "file" in self._protocols and Path(self._root) == home
        """Whether the store is this host's home folder, so that nothing needs to be copied."""

    def find(self, key: str) -> Entry | None:
        """A file, or None."""
        with self._failing(key):
            try:
                info = self._system.info(self._path(key))
            except FileNotFoundError:
                return None
        return _entry(key, info) if info["type"] == "file" else None

    def exists(self, key: str) -> bool:
        """Whether there is such a file."""
        return self.find(key) is not None

    def list(self, prefix: str) -> dict[str, Entry]:
        """All files below a folder, by key; empty if there is no such folder."""
        return {
            key: entry for key, entry in self._all(prefix).items() if not key.endswith(_TEMPORARY)
        }

    def read(self, key: str) -> bytes:
        """A small file's bytes.

        Raises:
            FileNotFoundError: there is no such file.
        """
        with self.open(key) as file, self._failing(key):
            return file.read()

    @contextmanager
    def open(self, key: str) -> Iterator[IO[bytes]]:
        """A file to read.

        Raises:
            FileNotFoundError: there is no such file.
        """
        with self._failing(key):
            file = self._system.open(self._path(key), "rb")
        with file:
            yield file

    def read_part(self, key: str, start: int, end: int, piece: int) -> Iterator[bytes]:
        """A file's bytes from `start` to before `end`, in pieces of at most `piece` bytes.

        Raises:
            StoreError: also where the file is gone or shorter.
        """
        try:
            with self.open(key) as file:
                with self._failing(key):
                    file.seek(start)
                while start < end:
                    with self._failing(key):
                        content = file.read(min(piece, end - start))
                    if not content:
                        raise StoreError(f"{key} ends at byte {start}")
                    start += len(content)
                    yield content
        except FileNotFoundError as error:
            raise StoreError(f"{key} is gone") from error

    def put(self, source: Path, key: str) -> None:
        """Copy a file into the store: whole under its name, or not there.

        Raises:
            FileNotFoundError: the source is gone.
        """
        try:
            self._put(key, lambda path: self._system.put_file(str(source), path))
        except FileNotFoundError as error:
            # A bucket that does not exist is told in the same words.
            source.stat()
            raise StoreError(f"the artifact store has no place for {key}: {error}") from error

    def put_bytes(self, content: bytes, key: str) -> None:
        """Write a small file: whole under its name, or not there."""
        try:
            self._put(key, lambda path: self._system.pipe_file(path, content))
        except FileNotFoundError as error:
            raise StoreError(f"the artifact store has no place for {key}: {error}") from error

    def fetch(self, key: str, target: Path, progress: Progress | None = None) -> None:
        """Copy a file from the store: whole under its name, or not there.

        Args:
            key: the file.
            target: where to; its folder is made.
            progress: called between pieces of some megabytes.

        Raises:
            FileNotFoundError: there is no such file.
            OSError: this host's disk does not take it.
        """
        target.parent.mkdir(parents=True, exist_ok=True)
        temporary = target.with_name(f".{target.name}.{secrets.token_hex(4)}{_TEMPORARY}")
        try:
            with self.open(key) as source, temporary.open("wb") as file:
                while chunk := self._piece(source, key):
                    file.write(chunk)
                    if progress is not None:
                        progress()
            temporary.replace(target)
        finally:
            temporary.unlink(missing_ok=True)

    def delete(self, key: str) -> None:
        """Remove a file; one that is not there is fine."""
        with self._failing(key):
            try:
                self._system.rm_file(self._path(key))
            except FileNotFoundError:
                return

    def delete_tree(self, prefix: str) -> None:
        """Remove all files below a folder; can be called again after it was cut off."""
        path = self._path(prefix)
        with self._failing(prefix):
            try:
                self._system.rm(path, recursive=True)
            except FileNotFoundError:
                return

    def sweep(self, prefix: str) -> None:
        """Remove what interrupted writes left below a folder that nobody writes to now."""
        for key in self._all(prefix):
            if key.endswith(_TEMPORARY):
                self.delete(key)

    def _all(self, prefix: str) -> dict[str, Entry]:
        with self._failing(prefix):
            try:
                found = self._system.find(self._path(prefix), detail=True)
            except FileNotFoundError:
                return {}
        start = len(self._root) + 1
        entries = (_entry(path[start:], info) for path, info in found.items())
        # A bucket may hold what others put there, under any name: none that leads out of a folder.
        return {entry.key: entry for entry in entries if is_key(entry.key)}

    def _put(self, key: str, write: Callable[[str], None]) -> None:
        path = self._path(key)
        folder, _, name = path.rpartition("/")
        with self._failing(key):
            if self._protocols & _ATOMIC:
                write(path)
                return
            self._system.makedirs(folder, exist_ok=True)
            temporary = f"{folder}/.{name}.{secrets.token_hex(4)}{_TEMPORARY}"
            try:
                write(temporary)
                if "file" in self._protocols:
                    _sync(Path(temporary))
                self._system.mv(temporary, path)
            except BaseException:
                if self._system.exists(temporary):
                    self._system.rm_file(temporary)
                raise

    def _piece(self, source: IO[bytes], key: str) -> bytes:
        with self._failing(key):
            return source.read(_CHUNK)

    def _path(self, key: str) -> str:
        return f"{self._root}/{checked(key)}"

    @contextmanager
    def _failing(self, key: str) -> Iterator[None]:
        """Make one error of the many that the stores' libraries raise."""
        try:
            yield
        except (FileNotFoundError, StoreError):
            raise
        except Exception as error:
            told = f"{type(error).__name__}: {error}"
            raise StoreError(f"the artifact store fails at {key}: {told}") from error


def _entry(key: str, info: dict[str, Any]) -> Entry:
    marks = ("ETag", "etag", "mtime", "LastModified", "last_modified", "updated", "created")
    version = "-".join(str(info[mark]) for mark in marks if info.get(mark) is not None)
    return Entry(key, int(info["size"] or 0), version)


def _sync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


@lru_cache(maxsize=8)
def _store(url: str | None, home: Path) -> Store:
    return Store(url, home)


def artifact_store(settings: Settings) -> Store:
    """The installation's store.

    Raises:
        StoreError: the URL is not understood, or its library is not installed.
    """
    return _store(settings.artifacts_url, settings.home)

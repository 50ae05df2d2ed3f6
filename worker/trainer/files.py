"""Writing files so that a reader never sees half of one."""

from __future__ import annotations

import hashlib
import os
import re
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from safetensors import SafetensorError

_ERROR_NUMBER: Final = re.compile(r"\(os error ([0-9]+)\)")


def write_atomically(path: Path, content: bytes) -> None:
    """Write a small file: complete and on disk under its name, or not there.

    Raises:
        OSError: the disk is full or the folder cannot be written.
    """
    temporary = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    try:
        with temporary.open("wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(path)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise
    _sync(path.parent)


@contextmanager
def folder_written_atomically(path: Path) -> Iterator[Path]:
    """Give a temporary folder beside `path` to fill; on success it gets the name `path`.

    Raises:
        OSError: the disk is full, the folder cannot be written, or `path` is a folder with content.
    """
    temporary = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    shutil.rmtree(temporary, ignore_errors=True)
    temporary.mkdir(parents=True)
    try:
        with disk_errors():
            yield temporary
        for file in temporary.rglob("*"):
            _sync(file)
        _sync(temporary)
        temporary.replace(path)
    except BaseException:
        shutil.rmtree(temporary, ignore_errors=True)
        raise
    _sync(path.parent)


@contextmanager
def disk_errors() -> Iterator[None]:
    """Raise an `OSError` where safetensors could not write: it has an error of its own for that.

    Raises:
        OSError: the disk is full, or the file cannot be written.
    """
    try:
        yield
    except SafetensorError as error:
        number = _ERROR_NUMBER.search(str(error))
        if number is None:
            raise
        raise OSError(int(number[1]), os.strerror(int(number[1]))) from error


def file_sha256(path: Path) -> str:
    """Hexadecimal SHA-256 of a file's bytes."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _sync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)

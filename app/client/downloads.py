"""Downloads that go on where they were cut off, and are what the studio has."""

from __future__ import annotations

import hashlib
import re
import zipfile
from collections.abc import Callable, Mapping
from email.message import Message
from pathlib import Path
from typing import IO, Any, Final

from app.client.errors import ApiError, ConflictError, UnavailableError, UnreachableError
from app.client.transport import Params, Transport
from app.exports.schemas import ExportCreate
from core.errors import Problem, StudioError

_PIECE: Final = 2**20
_GIVE_UP: Final = 20
"""So many tries in a row without a single byte."""

Progress = Callable[[int, int], None]
Hashes = Mapping[str, str]
"""SHA-256 by a file's path."""


def with_secrets(wanted: ExportCreate) -> dict[str, Any]:
    """An export's fields with the hub's token itself, which is never printed but here sent."""
    plain = wanted.model_dump(mode="json", exclude_unset=True)
    if wanted.hub is not None:
        plain["hub"]["token"] = wanted.hub.token.get_secret_value()
    return plain


def fetch(
    transport: Transport,
    path: str,
    params: Params,
    to: Path,
    progress: Progress,
    check: Callable[[Path], None],
) -> Path:
    """Download into `to`, a folder or a new file. The part that is there lies beside it.

    Raises:
        ApiError: there is no such file, or the studio could not be reached for a long time.
        StudioError: `download_damaged`, of `check`; nothing of it is kept.
    """
    headers = transport.head(path, params)
    target = to / _name(headers.get("content-disposition", "")) if to.is_dir() else to
    part = target.with_name(f"{target.name}.part")
    mark = target.with_name(f"{target.name}.part.etag")
    etag, total = headers.get("etag", ""), int(headers.get("content-length", 0))
    if not mark.exists() or mark.read_text() != etag:
        part.unlink(missing_ok=True)  # of other bytes
        mark.write_text(etag)
    part.touch()
    progress(part.stat().st_size, total)
    vain = 0
    while (done := part.stat().st_size) < total:
        try:
            _go_on(transport, path, params, part, etag, lambda now: progress(now, total))
        except ApiError as error:
            vain = 0 if part.stat().st_size > done else vain + 1
            passing = isinstance(error, UnreachableError | UnavailableError)
            if not passing or vain > _GIVE_UP:
                raise
            transport.pause(vain)
    try:
        check(part)
    except StudioError:
        part.unlink()  # going on with it would never mend it
        mark.unlink()
        raise
    part.replace(target)
    mark.unlink()
    return target


def check_file(where: Path, name: str, hashes: Hashes) -> None:
    """See that a file is what the studio has under that name.

    Raises:
        StudioError: `download_damaged`; it is not.
    """
    with where.open("rb") as file:
        _same(file, name, hashes)


def check_archive(where: Path, hashes: Hashes) -> None:
    """See that an archive holds these files, and each is what the studio has.

    Raises:
        StudioError: `download_damaged`; it is not, or one is missing.
    """
    try:
        archive = zipfile.ZipFile(where)
    except zipfile.BadZipFile as error:
        raise _damaged("The archive") from error
    with archive:
        for name in hashes:
            _check_member(archive, name, hashes)


def _check_member(archive: zipfile.ZipFile, name: str, hashes: Hashes) -> None:
    try:
        with archive.open(name) as file:
            _same(file, name, hashes)
    except (zipfile.BadZipFile, KeyError, EOFError) as error:
        raise _damaged(f"“{name}”") from error


def _same(file: IO[bytes], name: str, hashes: Hashes) -> None:
    digest = hashlib.sha256()
    while piece := file.read(_PIECE):
        digest.update(piece)
    if digest.hexdigest() != hashes.get(name):
        raise _damaged(f"“{name}”")


def _damaged(what: str) -> StudioError:
    problem = Problem(
        code="download_damaged",
        message=f"{what} did not arrive as the studio has it; SHA-256 tells.",
        remedy="Fetch it again; nothing of it was kept.",
    )
    return StudioError(problem)


def _go_on(
    transport: Transport,
    path: str,
    params: Params,
    part: Path,
    etag: str,
    progress: Callable[[int], None],
) -> None:
    done = part.stat().st_size
    asked = {"Range": f"bytes={done}-", "If-Range": etag} if done else {}
    with transport.stream(path, params=params, headers=asked) as answer:
        if answer.headers.get("etag", "") != etag:
            raise _changed()
        # A whole answer to a question for the rest is written from its start.
        done = done if answer.status_code == 206 else 0
        with part.open("r+b") as file:
            file.seek(done)
            file.truncate()
            for piece in answer.iter_bytes(_PIECE):
                file.write(piece)
                done += len(piece)
                progress(done)


def _changed() -> ConflictError:
    problem = Problem(
        code="download_changed",
        message="The file has become another one while it was fetched.",
        remedy="Fetch it again.",
    )
    return ConflictError(409, problem.code, [problem])


def _name(disposition: str) -> str:
    """The file's name as the studio calls it, without any folder."""
    message = Message()
    message["content-disposition"] = disposition
    name = message.get_filename() or "export"
    return re.sub(r"[/\\\x00-\x1f]", "_", name).lstrip(".") or "export"

"""Sends bytes of the store over HTTP, whole or in part: RFC 9110, sections 13 and 14."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from http import HTTPStatus
from typing import Final
from urllib.parse import quote

from fastapi import Request
from fastapi.responses import Response, StreamingResponse

from app.storage.archive import Segment
from app.storage.store import Store

_PIECE: Final = 2**20
_ONE_RANGE: Final = re.compile(r"bytes=([0-9]{0,19})-([0-9]{0,19})", re.IGNORECASE)
_Asked = tuple[int | None, int | None]
_BYTES: Final = "application/octet-stream"
ARCHIVE: Final = "application/zip"


def ranged(*media_types: str) -> dict[int | str, dict[str, object]]:
    """`responses=` of routes that answer with `send`, in any of these types."""
    content = {one: {"schema": {"type": "string", "format": "binary"}} for one in media_types}
    short = "It is shorter than the range begins; `Content-Range` tells its length."
    return {
        200: {"description": "All of it.", "content": content},
        206: {"description": "The asked range of it.", "content": content},
        304: {"description": "It is still what `If-None-Match` names."},
        416: {"description": short},
    }


RANGED: Final = ranged(_BYTES)
RANGED_OR_ARCHIVE: Final = ranged(_BYTES, ARCHIVE)


@dataclass(frozen=True)
class Download:
    """Something to send.

    Attributes:
        segments: its bytes, in order.
        etag: names these bytes and no others.
        file_name: what a browser calls it.
        media_type: what it is.
    """

    segments: Sequence[Segment]
    etag: str
    file_name: str
    media_type: str = _BYTES

    @property
    def size(self) -> int:
        """Bytes in all."""
        return sum(segment.size for segment in self.segments)


def send(request: Request, store: Store, download: Download) -> Response:
    """Answer with all of it, or with the range that is asked for."""
    headers = _headers(download)
    if _names(request.headers.get("if-none-match", ""), download.etag):
        return Response(status_code=HTTPStatus.NOT_MODIFIED, headers=headers)
    start, end, status = 0, download.size, HTTPStatus.OK
    wanted = _wanted(request, download.etag)
    if wanted is not None:
        found = _resolved(wanted, download.size)
        if found is None:
            headers["Content-Range"] = f"bytes */{download.size}"
            return Response(status_code=HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE, headers=headers)
        (start, end), status = found, HTTPStatus.PARTIAL_CONTENT
        headers["Content-Range"] = f"bytes {start}-{end - 1}/{download.size}"
    headers["Content-Length"] = str(end - start)
    if request.method == "HEAD":
        return Response(status_code=status, headers=headers, media_type=download.media_type)
    return StreamingResponse(
        read_range(store, download.segments, start, end),
        status_code=status,
        headers=headers,
        media_type=download.media_type,
    )


def _headers(download: Download) -> dict[str, str]:
    plain = re.sub(r'[^ -~]|["\\]', "_", download.file_name)
    encoded = quote(download.file_name, safe="")
    return {
        "Accept-Ranges": "bytes",
        "ETag": f'"{download.etag}"',
        "Content-Disposition": f"attachment; filename=\"{plain}\"; filename*=UTF-8''{encoded}",
        "Cache-Control": "private, no-cache",
        # Nothing that a run wrote is shown by a browser as a page of ours.
        "X-Content-Type-Options": "nosniff",
    }


def _names(header: str, etag: str) -> bool:
    names = [name.strip().removeprefix("W/") for name in header.split(",")]
    return "*" in names or f'"{etag}"' in names


def _wanted(request: Request, etag: str) -> _Asked | None:
    """First and last byte asked for; None where all of it is to be sent.

    So it is where the range is of other bytes than these, or where it is no single range: that may
    be passed over.
    """
    unless = request.headers.get("if-range")
    if unless is not None and unless.strip() != f'"{etag}"':
        return None
    found = _ONE_RANGE.fullmatch(request.headers.get("range", "").strip())
    if found is None or found.groups() == ("", ""):
        return None
    first, last = (int(digits) if digits else None for digits in found.groups())
    return None if first is not None and last is not None and last < first else (first, last)


def _resolved(wanted: _Asked, size: int) -> tuple[int, int] | None:
    """First byte and the one after the last; None if there are none."""
    first, last = wanted
    if first is None:  # the last so many bytes
        return (max(0, size - last), size) if last and size else None
    end = size if last is None else min(size, last + 1)
    return (first, end) if first < size else None


def read_range(store: Store, segments: Sequence[Segment], start: int, end: int) -> Iterator[bytes]:
    """The bytes from `start` to before `end`, in pieces.

    Raises:
        StoreError: the store fails, or a file is shorter than it was; the answer then ends early,
            which its reader sees by its length.
    """
    offset = 0
    for segment in segments:
        first, last = max(start - offset, 0), min(end - offset, segment.size)
        offset += segment.size
        if first >= last:
            continue
        if segment.content is not None:
            yield segment.content[first:last]
        elif segment.key is not None:
            yield from store.read_part(segment.key, first, last, _PIECE)

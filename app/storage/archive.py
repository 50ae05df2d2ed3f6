"""A ZIP archive that is never written: its bytes follow from the files' names, sizes and CRCs.

Files lie in it uncompressed (weights do not compress) and one after the other, with fixed times and
in the order of their names. So the same files always give the same bytes, any range of them can be
told without reading what is before it, and a download that was cut goes on where it was. Sizes are
in ZIP64's fields throughout: archives beyond 4 GiB are nothing special.
"""

from __future__ import annotations

import struct
from collections.abc import Sequence
from typing import Final, NamedTuple

_UTF8_NAMES: Final = 0x0800
_ZIP64: Final = 45
_MADE_ON_UNIX: Final = (3 << 8) | _ZIP64
_EARLIEST_DATE: Final = 0x0021  # 1 January 1980
_MODE: Final = 0o100644 << 16
_IN_EXTRA: Final = 0xFFFFFFFF


class Member(NamedTuple):
    """A file of the archive: its name there, and what it is made of."""

    name: str
    key: str
    size: int
    crc32: int


class Segment(NamedTuple):
    """A stretch of bytes: given ones, or a whole file in the store."""

    size: int
    content: bytes | None = None
    key: str | None = None


def layout(members: Sequence[Member]) -> list[Segment]:
    """The archive's segments, in order."""
    segments, central, offset = [], b"", 0
    for member in sorted(members):
        head = _local_header(member)
        segments += [Segment(len(head), content=head), Segment(member.size, key=member.key)]
        central += _central_header(member, offset)
        offset += len(head) + member.size
    tail = central + _end(len(members), len(central), offset)
    return [*segments, Segment(len(tail), content=tail)]


def _local_header(member: Member) -> bytes:
    name = member.name.encode()
    extra = struct.pack("<HHQQ", 1, 16, member.size, member.size)
    return (
        struct.pack(
            "<IHHHHHIIIHH",
            0x04034B50,
            _ZIP64,
            _UTF8_NAMES,
            0,
            0,
            _EARLIEST_DATE,
            member.crc32,
            _IN_EXTRA,
            _IN_EXTRA,
            len(name),
            len(extra),
        )
        + name
        + extra
    )


def _central_header(member: Member, offset: int) -> bytes:
    name = member.name.encode()
    extra = struct.pack("<HHQQQ", 1, 24, member.size, member.size, offset)
    return (
        struct.pack(
            "<IHHHHHHIIIHHHHHII",
            0x02014B50,
            _MADE_ON_UNIX,
            _ZIP64,
            _UTF8_NAMES,
            0,
            0,
            _EARLIEST_DATE,
            member.crc32,
            _IN_EXTRA,
            _IN_EXTRA,
            len(name),
            len(extra),
            0,
            0,
            0,
            _MODE,
            _IN_EXTRA,
        )
        + name
        + extra
    )


def _end(members: int, size: int, offset: int) -> bytes:
    record = struct.pack(
        "<IQHHIIQQQQ",
        0x06064B50,
        44,
        _MADE_ON_UNIX,
        _ZIP64,
        0,
        0,
        members,
        members,
        size,
        offset,
    )
    locator = struct.pack("<IIQI", 0x07064B50, 0, offset + size, 1)
    classic = struct.pack("<IHHHHIIH", 0x06054B50, 0, 0, 0xFFFF, 0xFFFF, _IN_EXTRA, _IN_EXTRA, 0)
    return record + locator + classic

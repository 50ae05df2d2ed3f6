"""Archives that are never written, and ranges of them."""

from __future__ import annotations

import io
import zipfile
import zlib
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from fastapi import FastAPI, Request
from fastapi.testclient import TestClient
from hypothesis import given, settings
from hypothesis import strategies as st

from app.storage.archive import Member, Segment, layout
from app.storage.ranges import Download, read_range, send
from app.storage.store import Store

CONTENTS = {"b/weights.bin": bytes(range(256)) * 9, "a é.txt": b"hello", "empty": b""}


def _members(store: Store, home: Path) -> list[Member]:
    found = []
    for name, content in CONTENTS.items():
        path = home / "files" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
        found.append(Member(name, f"files/{name}", len(content), zlib.crc32(content)))
    return found


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Store:
    return Store(None, tmp_path_factory.mktemp("home"))


@pytest.fixture(scope="module")
def segments(store: Store) -> list[Segment]:
    return layout(_members(store, Path(store._root)))


@pytest.fixture(scope="module")
def whole(store: Store, segments: list[Segment]) -> bytes:
    return b"".join(read_range(store, segments, 0, sum(one.size for one in segments)))


def test_the_archive_is_one_that_others_read(whole: bytes) -> None:
    with zipfile.ZipFile(io.BytesIO(whole)) as archive:
        assert archive.testzip() is None
        assert {one: archive.read(one) for one in archive.namelist()} == CONTENTS
        assert archive.namelist() == sorted(CONTENTS)


def test_archives_may_be_larger_than_4_gib(tmp_path: Path) -> None:
    size = 5 * 2**30
    segments = layout([Member("w", "w", size, 0), Member("x", "x", 3, zlib.crc32(b"abc"))])
    path = tmp_path / "large.zip"
    with path.open("wb") as file:  # a sparse one: the zeros take no room
        for segment in segments:
            if segment.content is None and segment.size == size:
                file.seek(size, io.SEEK_CUR)
            else:
                file.write(segment.content or b"abc")
    with zipfile.ZipFile(path) as archive:
        assert [one.file_size for one in archive.infolist()] == [size, 3]
        assert archive.read("x") == b"abc"
        with archive.open("w") as large:
            assert large.read(8) == bytes(8)


@settings(max_examples=50, deadline=None)
@given(cuts=st.lists(st.integers(0, 3000), max_size=5))
def test_any_cut_gives_the_same_bytes(
    store: Store, segments: list[Segment], whole: bytes, cuts: list[int]
) -> None:
    ends = [0, *sorted(min(cut, len(whole)) for cut in cuts), len(whole)]
    parts = [b"".join(read_range(store, segments, start, end)) for start, end in pairwise(ends)]
    assert b"".join(parts) == whole


@pytest.fixture(scope="module")
def http(store: Store, segments: list[Segment]) -> TestClient:
    app = FastAPI()

    @app.api_route("/file", methods=["GET", "HEAD"])
    def file(request: Request) -> Any:
        return send(request, store, Download(segments, "abc", 'é "x".zip'))

    return TestClient(app)


@pytest.mark.parametrize(
    ("asked", "start", "end"),
    [
        ("bytes=0-0", 0, 1),
        ("bytes=5-", 5, None),
        ("bytes=-7", -7, None),
        ("bytes=10-99999999", 10, None),
        ("BYTES=3-4", 3, 5),
    ],
)
def test_ranges_are_answered(
    http: TestClient, whole: bytes, asked: str, start: int, end: int | None
) -> None:
    answer = http.get("/file", headers={"Range": asked})
    assert answer.status_code == 206
    expected = whole[start:end]
    assert answer.content == expected
    first = start if start >= 0 else len(whole) + start
    told = f"bytes {first}-{first + len(expected) - 1}/{len(whole)}"
    assert answer.headers["content-range"] == told
    assert answer.headers["content-length"] == str(len(expected))


@pytest.mark.parametrize(
    "asked", ["bytes=5-4", "bytes=", "bytes=-", "lines=1-2", "bytes=1-2,4-5", "bytes=x-", ""]
)
def test_what_is_no_single_range_gets_all_of_it(http: TestClient, whole: bytes, asked: str) -> None:
    answer = http.get("/file", headers={"Range": asked})
    assert (answer.status_code, answer.content) == (200, whole)


def test_headers_and_conditions(http: TestClient, whole: bytes) -> None:
    answer = http.head("/file")
    assert (answer.status_code, answer.content) == (200, b"")
    assert answer.headers["content-length"] == str(len(whole))
    assert answer.headers["etag"] == '"abc"'
    assert answer.headers["accept-ranges"] == "bytes"
    told = answer.headers["content-disposition"]
    assert told == "attachment; filename=\"_ _x_.zip\"; filename*=UTF-8''%C3%A9%20%22x%22.zip"
    beyond = http.get("/file", headers={"Range": f"bytes={len(whole)}-"})
    assert (beyond.status_code, beyond.headers["content-range"]) == (416, f"bytes */{len(whole)}")
    assert http.get("/file", headers={"Range": "bytes=-0"}).status_code == 416
    known = http.get("/file", headers={"If-None-Match": '"x", W/"abc"'})
    assert (known.status_code, known.content) == (304, b"")
    # Another file under the same name: the part that is there is worthless.
    changed = http.get("/file", headers={"Range": "bytes=5-", "If-Range": '"old"'})
    assert (changed.status_code, changed.content) == (200, whole)
    same = http.get("/file", headers={"Range": "bytes=5-", "If-Range": '"abc"'})
    assert (same.status_code, same.content) == (206, whole[5:])

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from worker.tail import read_batch

LINES = st.lists(st.binary(max_size=30).map(lambda raw: raw.replace(b"\n", b"")), max_size=12)


@settings(max_examples=200, deadline=None)
@given(lines=LINES, torn=st.binary(max_size=20), cuts=st.lists(st.integers(0, 400), max_size=8))
def test_however_the_file_grows_every_line_is_read_once(
    lines: list[bytes], torn: bytes, cuts: list[int], tmp_path_factory: pytest.TempPathFactory
) -> None:
    folder = tmp_path_factory.mktemp("tail")
    path: Path = folder / "events.jsonl"
    whole = b"".join(line + b"\n" for line in lines) + torn.replace(b"\n", b"")
    read: list[bytes] = []
    offset = 0
    for cut in [*sorted(min(cut, len(whole)) for cut in cuts), len(whole)]:
        path.write_bytes(whole[:cut])
        batch = read_batch(path, offset)
        read.extend(batch.lines)
        offset = batch.end
    assert read == lines
    assert whole[offset:] == torn.replace(b"\n", b"")


def test_a_line_longer_than_a_chunk_is_read_whole(tmp_path: Path) -> None:
    path = tmp_path / "events.jsonl"
    long = b"x" * 3_000_000
    path.write_bytes(long + b"\nshort\n")
    first = read_batch(path, 0)
    assert first.lines[0] == long
    rest = read_batch(path, first.end)
    assert [*first.lines[1:], *rest.lines] == [b"short"]


def test_there_is_no_file_yet(tmp_path: Path) -> None:
    assert read_batch(tmp_path / "events.jsonl", 0) == ([], 0)

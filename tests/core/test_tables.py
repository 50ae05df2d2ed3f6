from __future__ import annotations

import csv
import gzip
import json
import tracemalloc
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pyarrow import parquet

from core.errors import StudioError
from core.tables import LONGEST_LINE, file_format, rows, scan

TEXT = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\x00\r"), min_size=1)
ROWS = st.lists(st.fixed_dictionaries({"a": TEXT, "b": TEXT}), min_size=1, max_size=6)


def _jsonl(path: Path, found: list[dict[str, Any]]) -> None:
    path.write_text("".join(json.dumps(row) + "\n" for row in found), encoding="utf-8")


def _json(path: Path, found: list[dict[str, Any]]) -> None:
    path.write_text(json.dumps(found), encoding="utf-8")


def _csv(path: Path, found: list[dict[str, Any]]) -> None:
    delimiter = "\t" if path.suffix == ".tsv" else ","
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, list(found[0]), delimiter=delimiter, quoting=csv.QUOTE_ALL)
        writer.writeheader()
        writer.writerows(found)


def _parquet(path: Path, found: list[dict[str, Any]]) -> None:
    parquet.write_table(pa.Table.from_pylist(found), path)


WRITERS: dict[str, Callable[[Path, list[dict[str, Any]]], None]] = {
    "data.jsonl": _jsonl,
    "data.json": _json,
    "data.csv": _csv,
    "data.tsv": _csv,
    "data.parquet": _parquet,
}


@pytest.mark.parametrize("name", WRITERS)
@settings(max_examples=30, deadline=None)
@given(found=ROWS)
def test_every_format_gives_back_what_was_written(
    name: str, found: list[dict[str, Any]], tmp_path_factory: pytest.TempPathFactory
) -> None:
    path = tmp_path_factory.mktemp("data") / name
    WRITERS[name](path, found)
    assert [row for _, row in rows(path)] == found


@pytest.mark.parametrize("name", ["data.jsonl", "data.json", "data.csv"])
def test_gzipped_files_are_read_alike(tmp_path: Path, name: str) -> None:
    WRITERS[name](tmp_path / name, [{"a": "1", "b": "2"}])
    packed = tmp_path / f"{name}.gz"
    packed.write_bytes(gzip.compress((tmp_path / name).read_bytes()))
    assert list(rows(packed)) == list(rows(tmp_path / name))


@pytest.mark.parametrize("name", WRITERS)
@settings(max_examples=60, deadline=None)
@given(content=st.binary(max_size=200))
def test_any_bytes_give_rows_or_a_problem_with_a_line(
    name: str, content: bytes, tmp_path_factory: pytest.TempPathFactory
) -> None:
    path = tmp_path_factory.mktemp("data") / name
    path.write_bytes(content)
    for number, value in scan(path):
        assert number >= 1
        if isinstance(value, StudioError):
            assert value.problem.remedy


def test_an_object_of_objects_has_its_keys_as_pid(tmp_path: Path) -> None:
    path = tmp_path / "data.json"
    path.write_bytes(b'\xef\xbb\xbf {"7": {"a": 1.5, "b": [2]}, "8": 3, "9": {"a": null}}')
    assert list(rows(path)) == [(1, {"pid": "7", "a": 1.5, "b": [2]}), (2, {"pid": "9", "a": None})]


@pytest.mark.parametrize("separator", [",", ";", "\t"])
def test_the_separator_of_a_csv_file_is_found(tmp_path: Path, separator: str) -> None:
    path = tmp_path / "data.csv"
    lines = [["question", "answer"], ['"one, two; three"', "1"], ['"two\nlines"', "2"], ["x", "3"]]
    path.write_text("\ufeff" + "\n".join(separator.join(line) for line in lines) + "\n")
    assert [(number, row["answer"]) for number, row in rows(path)] == [(2, "1"), (3, "2"), (5, "3")]


BROKEN: dict[str, tuple[str, bytes, int]] = {
    "few cells": ("data.csv", b"a,b\n1,2\n3\n4,5\n", 3),
    "many cells": ("data.csv", b"a,b\n1,2\n3,4,5\n4,5\n", 3),
    "no JSON": ("data.jsonl", b'{"a": 1}\n\n{"a": \n{"a": 2}\n', 3),
    "no UTF-8": ("data.jsonl", b'{"a": 1}\n{"a": "\xff"}\n{"a": 2}\n', 2),
}


@pytest.mark.parametrize(("name", "content", "line"), BROKEN.values(), ids=BROKEN)
def test_reading_goes_on_after_a_broken_line(
    tmp_path: Path, name: str, content: bytes, line: int
) -> None:
    path = tmp_path / name
    path.write_bytes(content)
    found = list(scan(path))
    assert len(found) == 3
    assert [number for number, value in found if isinstance(value, StudioError)] == [line]
    with pytest.raises(StudioError, match=f"Line {line} "):
        list(rows(path))


ENDS: dict[str, tuple[str, bytes]] = {
    "array breaks off": ("data.json", b'[{"a": 1}, {"a": 2}, {"a"'),
    "array with a deep item": ("data.json", b'[{"a": 1}, {"a": 2}, ' + b"[" * 200_000),
    "array with an endless number": ("data.json", b'[{"a": 1}, {"a": 2}, ' + b"1" * 9_000 + b"]"),
    "torn archive": ("data.jsonl.gz", gzip.compress(b'{"a": 1}\n{"a": 2}\n')[:-8]),
}


@pytest.mark.parametrize(("name", "content"), ENDS.values(), ids=ENDS)
def test_where_reading_cannot_go_on_the_last_item_says_so(
    tmp_path: Path, name: str, content: bytes
) -> None:
    path = tmp_path / name
    path.write_bytes(content)
    *good, (line, error) = scan(path)
    assert [row["a"] for _, row in good] == [1, 2]
    assert line == 3
    assert isinstance(error, StudioError)
    assert "data.json" in str(error) or "JSON" in str(error)


def test_repeated_columns_and_a_header_alone(tmp_path: Path) -> None:
    path = tmp_path / "data.csv"
    path.write_text("a,a\n1,2\n")
    with pytest.raises(StudioError, match="repeated column"):
        list(rows(path))
    path.write_text("a,b\n")
    assert list(rows(path)) == []


def test_a_line_without_end_is_refused_and_the_next_is_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert LONGEST_LINE >= 2**20
    monkeypatch.setattr("core.tables.LONGEST_LINE", 64)
    path = tmp_path / "data.jsonl"
    path.write_bytes(b'{"a": "' + b"x" * 500 + b'"}\n{"a": 2}\n')
    (first, error), second = scan(path)
    assert isinstance(error, StudioError)
    assert (first, second) == (1, (2, {"a": 2}))


def test_formats_by_name() -> None:
    names = ["A.JSONL.GZ", "a.ndjson", "a.json", "a.tsv", "a.parquet", "a.parquet.gz", "a.txt", "a"]
    found = [file_format(name) for name in names]
    assert found == ["jsonl", "jsonl", "json", "csv", "parquet", None, None, None]


def _large(path: Path, size: int) -> None:
    """A file of about `size` bytes, written without holding it."""
    text = "x" * 980
    count = size // 1000
    if path.suffix == ".parquet":
        schema = pa.schema([("a", pa.string()), ("n", pa.int64())])
        with parquet.ParquetWriter(path, schema, compression="none", use_dictionary=False) as out:
            for start in range(0, count, 1000):
                chunk = [{"a": f"{n}{text}", "n": n} for n in range(start, start + 1000)]
                out.write_table(pa.Table.from_pylist(chunk, schema))
        return
    lines: Iterator[str] = (json.dumps({"a": text, "n": n}) for n in range(count))
    with path.open("w") as file:
        if path.suffix == ".csv":
            file.write("a,n\n")
            file.writelines(f"{text},{n}\n" for n in range(count))
        elif path.suffix == ".json":
            file.write("[" + next(lines))
            file.writelines(f",{line}" for line in lines)
            file.write("]")
        else:
            file.writelines(f"{line}\n" for line in lines)


def _growth(path: Path) -> tuple[int, int]:
    """Rows of a file, and bytes of the most memory that reading them held."""
    pool = pa.default_memory_pool()
    before = pool.bytes_allocated()
    most = 0
    tracemalloc.start()
    count = 0
    for _ in rows(path):
        count += 1
        if count % 256 == 0:
            most = max(most, pool.bytes_allocated() - before)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    return count, peak + most


@pytest.mark.parametrize("name", ["data.jsonl", "data.json", "data.csv", "data.parquet"])
def test_a_large_file_does_not_fill_memory(tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    _large(path, 50 * 10**6)
    assert path.stat().st_size > 45 * 10**6
    count, peak = _growth(path)
    path.unlink()
    assert count == 50_000
    assert peak < 12 * 2**20


@pytest.mark.full
def test_a_gigabyte_does_not_fill_memory(tmp_path: Path) -> None:
    path = tmp_path / "data.jsonl"
    _large(path, 10**9)
    assert _growth(path) == (10**6, pytest.approx(0, abs=12 * 2**20))
    path.unlink()

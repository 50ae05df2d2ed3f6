from __future__ import annotations

import asyncio
import json
import tracemalloc
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.datasets.files import Store
from app.datasets.report import examine, guess, leaks, preview
from app.errors import TooLargeError
from core.data_config import DataFields

WORD = st.sampled_from(["a", "B", "ß", " b", "A ", "ss", "a  b"])
ROW = st.fixed_dictionaries({"question": WORD, "answer": WORD})


def _folded(row: dict[str, str]) -> str:
    return " ".join(row["question"].casefold().split())


def _write(path: Path, rows: list[Any]) -> Path:
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return path


@settings(max_examples=80, deadline=None)
@given(train=st.lists(ROW, max_size=8), asked=st.lists(ROW, max_size=8))
def test_duplicates_and_leaks_are_those_of_a_plain_search(
    train: list[dict[str, str]],
    asked: list[dict[str, str]],
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    folder = tmp_path_factory.mktemp("data")
    one = _write(folder / "train.jsonl", train)
    other = _write(folder / "asked.jsonl", asked)
    fields = DataFields()
    prompts = [_folded(row) for row in train]
    repeats = [
        (line, prompts.index(prompt) + 1)
        for line, prompt in enumerate(prompts, start=1)
        if prompts.index(prompt) + 1 < line
    ]
    report = examine(one, fields, "train.jsonl")
    assert [(one.line, one.first) for one in report.duplicate_lines] == repeats
    assert report.duplicates == len(repeats)
    expected = [
        (line, prompts.index(_folded(row)) + 1)
        for line, row in enumerate(asked, start=1)
        if _folded(row) in prompts
    ]
    found = leaks((one, fields), (other, fields))
    assert [(one.line, one.first) for one in found.lines] == expected
    assert (found.train, found.evaluation, found.leaked) == (len(train), len(asked), len(expected))


@settings(max_examples=80, deadline=None)
@given(content=st.binary(max_size=200), name=st.sampled_from(["a.jsonl", "a.json", "a.csv"]))
def test_any_bytes_give_a_report_that_can_be_sent(
    content: bytes, name: str, tmp_path_factory: pytest.TempPathFactory
) -> None:
    path = tmp_path_factory.mktemp("data") / name
    path.write_bytes(content)
    fields = guess(path)
    report = examine(path, fields, "own.name")
    assert report.good + report.broken == report.rows
    assert len(report.problems) == min(report.broken, 100)
    assert all(problem.line and str(path) not in problem.message for problem in report.problems)
    json.dumps(report.model_dump(mode="json"), allow_nan=False).encode()
    for row in preview(path, fields, limit=10, offset=0):
        json.dumps(row.model_dump(mode="json"), allow_nan=False, ensure_ascii=False).encode()


def test_of_many_problems_the_first_hundred_are_listed_and_all_are_counted(tmp_path: Path) -> None:
    path = _write(tmp_path / "a.jsonl", [{"question": "q"}] * 250)
    report = examine(path, DataFields(), "a.jsonl")
    assert (report.broken, len(report.problems), report.problems[-1].line) == (250, 100, 100)


LINE = json.dumps({"question": "q" * 480, "answer": "a" * 480}).encode() + b"\n"


async def _body(size: int) -> AsyncIterator[bytes]:
    for _ in range(size // (len(LINE) * 60)):
        yield LINE * 60


def test_a_large_upload_does_not_fill_memory(tmp_path: Path) -> None:
    store = Store(tmp_path)
    tracemalloc.start()
    with store.incoming("a.jsonl", 10**9) as incoming:
        asyncio.run(store.receive(incoming, _body(50 * 10**6)))
        report = examine(incoming.path, DataFields(), "a.jsonl")
        assert incoming.path.stat().st_size == incoming.size > 49 * 10**6
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert report.good == incoming.size // len(LINE)
    assert peak < 16 * 2**20
    assert not list(tmp_path.rglob("*.jsonl"))


def test_what_breaks_off_leaves_nothing(tmp_path: Path) -> None:
    store = Store(tmp_path)

    async def body() -> AsyncIterator[bytes]:
        yield b"x" * 2**20
        raise ConnectionError

    with pytest.raises(ConnectionError), store.incoming("a.csv.gz", 10**9) as incoming:
        asyncio.run(store.receive(incoming, body()))
    with pytest.raises(TooLargeError), store.incoming("a.jsonl", 10**6) as incoming:
        asyncio.run(store.receive(incoming, _body(10**7)))
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == []

from __future__ import annotations

import gzip
import json
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from core.data_config import DataConfig
from core.errors import Problem, StudioError
from core.record import Record
from core.records import BROKEN_ROW, read_records


def _problem(path: Path) -> Problem | None:
    try:
        _read(path)
    except StudioError as error:
        return error.problem
    return None


TEXT = st.text(
    st.characters(exclude_categories=["Cs"], exclude_characters="\x00"), min_size=1
).filter(str.strip)
ROW = st.fixed_dictionaries(
    {"question": TEXT, "answer": TEXT},
    optional={"rationale": st.one_of(st.none(), TEXT), "id": st.one_of(TEXT, st.integers())},
)


def _write(path: Path, rows: list[Any]) -> Path:
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return path


def _read(path: Path, **options: Any) -> list[Record]:
    return list(read_records(DataConfig(path=str(path), **options)))


@settings(max_examples=100, deadline=None)
@given(rows=st.lists(ROW, min_size=1, max_size=8))
def test_what_was_written_is_read(
    rows: list[dict[str, Any]], tmp_path_factory: pytest.TempPathFactory
) -> None:
    path = _write(tmp_path_factory.mktemp("data") / "data.jsonl", rows)
    records = _read(path)
    assert [record.prompt for record in records] == [row["question"] for row in rows]
    assert [record.answer for record in records] == [row["answer"] for row in rows]
    assert [record.line for record in records] == list(range(1, len(rows) + 1))


@settings(max_examples=200, deadline=None)
@given(content=st.binary(max_size=300))
def test_whatever_the_file_holds_the_answer_is_records_or_a_problem_with_its_line(
    content: bytes, tmp_path_factory: pytest.TempPathFactory
) -> None:
    path = tmp_path_factory.mktemp("data") / "data.jsonl"
    path.write_bytes(content)
    problem = _problem(path)
    if problem is not None:
        assert problem.code in {"data_invalid", "data_empty"}
        assert (problem.line is None) == (problem.code == "data_empty")
        assert problem.remedy


BROKEN_LINES: dict[str, Any] = {
    "not JSON": '{"question": "1+1", "answer": ',
    "a list": "[1, 2]",
    "no answer": '{"question": "1+1"}',
    "empty answer": '{"question": "1+1", "answer": "  "}',
    "a number": '{"question": "1+1", "answer": 2}',
    "NUL": '{"question": "1+1", "answer": "\\u0000"}',
    "half a surrogate": '{"question": "1+1", "answer": "\\ud800"}',
    "a number of 5000 digits": '{"question": ' + "1" * 5000 + "}",
    "deep": "[" * 100_000,
}


@pytest.mark.parametrize("broken", BROKEN_LINES.values(), ids=BROKEN_LINES)
def test_a_broken_line_37_is_named(tmp_path: Path, broken: str) -> None:
    good = json.dumps({"question": "1+1", "answer": "2"})
    path = tmp_path / "data.jsonl"
    path.write_text("\n".join([good] * 36 + [broken] + [good] * 3))
    with pytest.raises(StudioError) as raised:
        _read(path)
    assert raised.value.problem.line == 37
    assert "37" in raised.value.problem.message
    assert raised.value.problem.field == "data.path"
    assert raised.value.problem.remedy


def test_blank_lines_and_a_byte_order_mark_are_passed_over(tmp_path: Path) -> None:
    path = tmp_path / "data.jsonl"
    path.write_bytes(
        b'\xef\xbb\xbf{"question": "a", "answer": "b"}\n\n{"question": "c", "answer": "d"}'
    )
    assert [record.line for record in _read(path)] == [1, 3]


def test_other_field_names(tmp_path: Path) -> None:
    path = _write(tmp_path / "data.jsonl", [{"q": "a", "a": "b", "why": "c"}])
    (record,) = _read(path, fields={"prompt": "q", "answer": "a", "rationale": "why"})
    assert (record.prompt, record.answer, record.rationale) == ("a", "b", "c")


def test_a_field_that_is_not_there_is_named_with_those_that_are(tmp_path: Path) -> None:
    path = _write(tmp_path / "data.jsonl", [{"prompt": "a", "answer": "b"}])
    with pytest.raises(StudioError, match=r"“question” .*answer, prompt"):
        _read(path)


def test_gzip_and_a_torn_gzip(tmp_path: Path) -> None:
    whole = gzip.compress(json.dumps({"question": "a", "answer": "b"}).encode() * 1)
    path = tmp_path / "data.jsonl.gz"
    path.write_bytes(whole)
    assert len(_read(path)) == 1
    path.write_bytes(whole[:-9])
    with pytest.raises(StudioError) as raised:
        _read(path)
    assert raised.value.problem.code == "data_unreadable"


def test_missing_file_and_limit(tmp_path: Path) -> None:
    with pytest.raises(StudioError) as raised:
        _read(tmp_path / "nowhere.jsonl")
    assert raised.value.problem.code == "data_not_found"
    path = _write(tmp_path / "data.jsonl", [{"question": "a", "answer": "b"}] * 5)
    assert len(_read(path, limit=3)) == 3


def test_broken_rows_are_counted_where_they_are_left_out(tmp_path: Path) -> None:
    path = tmp_path / "data.jsonl"
    path.write_text('{"question": "a", "answer": "b"}\n{"a\n[1]\n{"question": "c"}\n')
    skipped: Counter[str] = Counter()
    source = DataConfig(path=str(path), skip_broken=True)
    assert [record.line for record in read_records(source, skipped=skipped)] == [1]
    assert skipped == {BROKEN_ROW: 3}


def test_a_data_set_is_named_alone_and_only_the_studio_knows_it() -> None:
    for more in ({"path": "x"}, {"format": "cos_e"}, {"fields": {"prompt": "q"}}):
        with pytest.raises(ValidationError):
            DataConfig.model_validate({"dataset": "sums@1", **more})
    with pytest.raises(StudioError) as raised:
        list(read_records(DataConfig(dataset="sums@1")))
    assert raised.value.problem.field == "data.dataset"


def test_real_cos_e(shared_data: Path) -> None:
    records = _read(shared_data / "cos_e" / "cos_e_v1.11_validation.jsonl.gz", format="cos_e")
    assert len(records) == 1221
    for record in records:
        letter, _, answer = record.answer.partition(". ")
        assert f"\n{letter}. {answer}\n" in record.prompt
    assert sum(record.rationale is not None for record in records) > 1200

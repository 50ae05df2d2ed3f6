from __future__ import annotations

import copy
import json
from collections import Counter
from pathlib import Path
from typing import Any, get_args

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from core.benchmarks import BENCHMARKS
from core.benchmarks.locate import FOLDER_VARIABLE
from core.data_config import EVALUATION_ONLY, BenchmarkName, DataConfig, Source
from core.errors import StudioError
from core.record import Record
from core.records import read_records
from tests.core.benchmarks.rows import SAMPLES

VALUES: list[Any] = [
    None,
    "",
    "  ",
    0,
    -1,
    10**30,
    1.5,
    True,
    [],
    [None],
    [""],
    [[]],
    {},
    {"a": None},
    "\x00",
    "\ud800",
    "x" * 1_000_000,
    [1, "x"],
    {"choices": 3, "stem": "s"},
]


def _read(path: Path, layout: str, **options: Any) -> list[Record]:
    return list(read_records(Source(path=str(path), format=layout, **options)))


def _write(folder: Path, rows: list[Any], name: str = "data.jsonl") -> Path:
    path = folder / name
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return path


def _outcome(path: Path, layout: str) -> list[Record] | StudioError:
    """Records, or a clear error; anything else is a bug and passes through."""
    try:
        return _read(path, layout)
    except StudioError as error:
        found = error
    assert found.problem.code in {"data_invalid", "data_empty"}
    assert found.problem.remedy
    assert len(found.problem.message) < 2000
    assert found.problem.code == "data_empty" or found.problem.line == 1
    return found


def test_the_names_in_the_schema_are_those_of_the_benchmarks() -> None:
    assert set(get_args(BenchmarkName)) == set(BENCHMARKS)
    only = {name for name, benchmark in BENCHMARKS.items() if benchmark.train is None}
    assert only == EVALUATION_ONLY
    for benchmark in BENCHMARKS.values():
        assert benchmark.evaluate in benchmark.splits
        assert benchmark.train is None or benchmark.train in benchmark.splits


@pytest.mark.parametrize("name", SAMPLES)
def test_a_good_row_becomes_records(name: str, tmp_path: Path) -> None:
    sample = SAMPLES[name]
    records = _read(_write(tmp_path, [sample.row]), sample.layout)
    assert len(records) == len(sample.row.get("Instructions", [0]))
    assert all(record.prompt and record.answer for record in records)


@pytest.mark.parametrize("name", SAMPLES)
def test_a_missing_field_is_named(name: str, tmp_path: Path) -> None:
    sample = SAMPLES[name]
    for field in sample.row:
        row = {key: value for key, value in sample.row.items() if key != field}
        found = _outcome(_write(tmp_path, [row]), sample.layout)
        if field in sample.required:
            assert isinstance(found, StudioError), field
            assert f"“{field}”" in found.problem.message
        elif name not in {"tooluse", "mbpp"}:  # their layouts are told apart by a field
            assert not isinstance(found, StudioError), field


@pytest.mark.parametrize("name", SAMPLES)
def test_a_field_of_any_kind_gives_records_or_a_clear_error(name: str, tmp_path: Path) -> None:
    sample = SAMPLES[name]
    for field in sample.row:
        for value in VALUES:
            found = _outcome(_write(tmp_path, [{**sample.row, field: value}]), sample.layout)
            if value is None and field in sample.required:
                assert isinstance(found, StudioError), field


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner),
    max_leaves=6,
)


def _places(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """Paths to everything inside a row."""
    inner = (
        value.items()
        if isinstance(value, dict)
        else enumerate(value)
        if isinstance(value, list)
        else ()
    )
    return [path, *(place for key, item in inner for place in _places(item, (*path, key)))]


@settings(max_examples=300, deadline=None)
@given(data=st.data())
def test_anything_anywhere_in_a_row_gives_records_or_a_clear_error(
    data: st.DataObject, tmp_path_factory: pytest.TempPathFactory
) -> None:
    sample = SAMPLES[data.draw(st.sampled_from(sorted(SAMPLES)))]
    row = copy.deepcopy(sample.row)
    *path, last = data.draw(st.sampled_from(_places(row)[1:]))
    holder: Any = row
    for step in path:
        holder = holder[step]
    holder[last] = data.draw(JSON)
    _outcome(_write(tmp_path_factory.mktemp("data"), [row]), sample.layout)


def test_gpqa_is_shuffled_always_in_the_same_way(tmp_path: Path) -> None:
    rows = [{**SAMPLES["gpqa_main"].row, "Record ID": f"rec{n}"} for n in range(40)]
    records = _read(_write(tmp_path, rows), "gpqa_main")
    assert {record.correct for record in records} == {0, 1, 2, 3}
    assert all(record.choices[record.correct or 0] == "the blue one" for record in records)
    assert [record.correct for record in _read(tmp_path / "data.jsonl", "gpqa_main")] == [
        record.correct for record in records
    ]


@pytest.mark.parametrize("name", sorted(EVALUATION_ONLY))
def test_training_on_what_is_for_evaluation_is_refused_with_the_reason(name: str) -> None:
    for given_as in ({"benchmark": name}, {"path": "x.jsonl", "format": name}):
        with pytest.raises(ValidationError, match="for evaluation only"):
            DataConfig.model_validate(given_as)


def test_image_questions_are_left_out_and_counted_unless_a_caption_is_there(tmp_path: Path) -> None:
    row = SAMPLES["scienceqa"].row
    path = _write(tmp_path, [row, {**row, "pid": "8", "image": "image.png"}])
    skipped: Counter[str] = Counter()
    source = Source(path=str(path), format="scienceqa")
    assert len(list(read_records(source, skipped=skipped))) == 1
    assert skipped == {"image_question": 1}
    (tmp_path / "captions.json").write_text(json.dumps({"captions": {"8": "a lump of ice"}}))
    with_captions = _read(path, "scienceqa", captions=True)
    assert [record.id for record in with_captions] == ["7", "8"]
    assert "Image: a lump of ice" in with_captions[1].prompt


def test_the_lecture_is_context_where_it_is_wanted(tmp_path: Path) -> None:
    path = _write(tmp_path, [SAMPLES["scienceqa"].row])
    assert "Solids keep" not in _read(path, "scienceqa")[0].prompt
    assert _read(path, "scienceqa", lecture=True)[0].prompt.startswith("Solids keep")


def test_the_original_files_of_scienceqa_and_cos_e_are_joined(tmp_path: Path) -> None:
    rows = {
        str(n): {**SAMPLES["scienceqa"].row, "split": s} for n, s in enumerate(["train", "val"])
    }
    for row in rows.values():
        del row["pid"]
    (tmp_path / "problems.json").write_text(json.dumps(rows))
    assert [r.id for r in _read(tmp_path / "problems.json", "scienceqa", split="val")] == ["1"]
    question = {k: v for k, v in SAMPLES["commonsense_qa"].row.items() if k != "explanation"}
    path = _write(tmp_path, [question], "train_rand_split.jsonl")
    explanation = {"id": "q2", "explanation": {"open-ended": "It is wet.", "selected": "wet"}}
    _write(tmp_path, [explanation], "cose_train_v1.11.jsonl")
    assert _read(path, "cos_e")[0].rationale == "It is wet."


def test_a_benchmark_is_found_by_its_name_and_split(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "mbpp").mkdir()
    rows = [{**SAMPLES["mbpp"].row, "task_id": task} for task in (5, 11, 510, 511, 601, 974)]
    _write(tmp_path / "mbpp", rows, "mbpp.jsonl")
    monkeypatch.setenv(FOLDER_VARIABLE, str(tmp_path))
    counts = {
        split: len(list(read_records(Source(benchmark="mbpp", split=split))))
        for split in ("prompt", "test", "validation", "train", "all")
    }
    assert counts == {"prompt": 1, "test": 2, "validation": 1, "train": 2, "all": 6}
    assert len(list(read_records(Source(benchmark="mbpp"), training=False))) == 2


@pytest.mark.parametrize(
    ("source", "code"),
    [
        ({"benchmark": "mbpp"}, "benchmark_not_found"),
        ({"benchmark": "mbpp", "split": "dev"}, "benchmark_split_unknown"),
        ({"benchmark": "humaneval"}, "benchmark_evaluation_only"),
        ({"path": "/nowhere.jsonl"}, "data_not_found"),
    ],
)
def test_what_is_not_there_is_told_with_what_to_do(
    source: dict[str, Any], code: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(FOLDER_VARIABLE, str(tmp_path))
    with pytest.raises(StudioError) as raised:
        list(read_records(Source.model_validate(source)))
    assert raised.value.problem.code == code
    assert raised.value.problem.remedy


def test_path_and_benchmark_exclude_each_other() -> None:
    for given_as in (
        {},
        {"path": "x", "benchmark": "mbpp"},
        {"benchmark": "mbpp", "format": "cos_e"},
    ):
        with pytest.raises(ValidationError):
            Source.model_validate(given_as)

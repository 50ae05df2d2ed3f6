from __future__ import annotations

import re
from pathlib import Path

from cli.demo_data import FAMILIES, RECORDS, write_demo_data
from core.data_config import DataConfig
from core.records import read_records


def test_it_is_the_same_from_the_same_seed(tmp_path: Path) -> None:
    first, second, other = (tmp_path / name for name in ("a.jsonl", "b.jsonl", "c.jsonl"))
    write_demo_data(first)
    write_demo_data(second)
    write_demo_data(other, seed=8)
    assert first.read_bytes() == second.read_bytes() != other.read_bytes()


def test_records_are_whole_and_of_every_family(tmp_path: Path) -> None:
    path = tmp_path / "demo.jsonl"
    write_demo_data(path)
    records = list(read_records(DataConfig(path=str(path))))
    assert len(records) == RECORDS
    assert len({record.id for record in records}) == RECORDS
    assert {record.id.rsplit("-", 1)[0] for record in records} == set(FAMILIES)
    assert all(record.rationale for record in records)


def test_the_answers_are_right(tmp_path: Path) -> None:
    path = tmp_path / "demo.jsonl"
    write_demo_data(path)
    checked = 0
    for record in read_records(DataConfig(path=str(path))):
        numbers = [int(number) for number in re.findall(r"\d+", record.prompt)]
        if record.id.startswith("shopping"):
            assert int(record.answer) == numbers[0] * numbers[1] - numbers[2]
        elif record.id.startswith("sequence"):
            assert int(record.answer) == 2 * numbers[3] - numbers[2]
        elif record.id.startswith("sorting"):
            words = record.prompt.removesuffix(".").split(": ")[1].split(", ")
            assert record.answer.split(", ") == sorted(words)
        elif record.id.startswith("clock"):
            hour, minute = map(int, record.answer.split(":"))
            assert hour * 60 + minute == numbers[0] * 60 + numbers[1] + numbers[2]
        else:
            continue
        checked += 1
    assert checked == RECORDS * 4 / 5

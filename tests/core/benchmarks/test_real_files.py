"""Every file of original benchmark records, whole, with the counts of their sources."""

from __future__ import annotations

from pathlib import Path

import pytest

from core.benchmarks.locate import FOLDER_VARIABLE
from core.data_config import Source
from core.records import read_records

DATA = Path(__file__).parents[4] / "shared" / "data"
pytestmark = pytest.mark.skipif(
    not DATA.is_dir(), reason="the folder of original benchmark records is not here"
)
SPLITS = {
    ("cos_e", "train"): 9741,
    ("cos_e", "validation"): 1221,
    ("scienceqa", "train"): 516,
    ("scienceqa", "val"): 179,
    ("scienceqa", "test"): 97,
    ("mbpp", "all"): 974,
    ("mbpp", "prompt"): 10,
    ("mbpp", "test"): 500,
    ("mbpp", "validation"): 90,
    ("mbpp", "train"): 374,
    ("mbpp_sanitized", "all"): 427,
    ("mbpp_sanitized", "prompt"): 7,
    ("mbpp_sanitized", "test"): 257,
    ("mbpp_sanitized", "validation"): 43,
    ("mbpp_sanitized", "train"): 120,
    ("humaneval", "test"): 164,
    ("gsm8k", "train"): 7473,
    ("gsm8k", "test"): 500,
    ("toolalpaca", "simulated"): 100,
    ("toolalpaca", "react"): 68,
    ("toolalpaca", "sdpo"): 68,
}


@pytest.mark.parametrize(("benchmark", "split"), SPLITS)
def test_a_split_is_read_whole(benchmark: str, split: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(FOLDER_VARIABLE, str(DATA))
    source = Source.model_validate({"benchmark": benchmark, "split": split})
    assert sum(1 for _ in read_records(source)) == SPLITS[benchmark, split]


@pytest.mark.parametrize(("part", "count"), [("train", 9741), ("dev", 1221)])
def test_the_original_halves_of_cos_e_are_joined(part: str, count: int) -> None:
    path = DATA / "cos_e" / "raw" / f"commonsenseqa_{part}_rand_split.jsonl.gz"
    records = list(read_records(Source(path=str(path), format="cos_e")))
    assert len(records) == count
    split = "train" if part == "train" else "validation"
    joined = DATA / "cos_e" / f"cos_e_v1.11_{split}.jsonl.gz"
    # The joined files name the answer by its text; a few records have two options of that text.
    shown = [
        (record.id, record.prompt, record.answer[3:], record.rationale)
        for record in read_records(Source(path=str(joined), format="cos_e"))
    ]
    assert shown == [(one.id, one.prompt, one.answer[3:], one.rationale) for one in records]

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.evaluation_config import EvaluationSet
from core.record import Record
from worker.trainer.evaluation.questions import Question, Questions
from worker.trainer.evaluation.summary import (
    distribution,
    metrics,
    summarize,
    summarize_retention,
)


@given(st.lists(st.floats(-1e6, 1e6), min_size=2, max_size=30))
def test_a_distribution_is_that_of_numpy(values: list[float]) -> None:
    found = distribution(values)
    assert found["mean"] == pytest.approx(np.mean(values), abs=1e-6)
    assert found["sd"] == pytest.approx(np.std(values, ddof=1), abs=1e-6)
    for name, share in (("p10", 10), ("p25", 25), ("median", 50), ("p75", 75), ("p90", 90)):
        assert found[name] == pytest.approx(np.percentile(values, share), abs=1e-6)


def test_of_one_value_and_of_none() -> None:
    assert distribution([2.0])["sd"] == 0
    assert distribution([]) == {}


def _questions(*choices: int) -> Questions:
    records = [
        Record(
            id=str(n),
            line=n + 1,
            prompt="?",
            answer="A",
            choices=tuple("x" * c for c in range(count)),
            correct=0 if count else None,
        )
        for n, count in enumerate(choices)
    ]
    asked = [Question(record, "?", [1], [2]) for record in records]
    return Questions(EvaluationSet(name="s", path="x"), asked, {}, "0" * 64)


def _answer(index: int, sample: int, correct: bool, extracted: str | None = "A") -> dict[str, Any]:
    return {
        "index": index,
        "sample": sample,
        "correct": correct,
        "extracted": extracted,
        "partial": None,
        "detail": None,
        "tokens": 3,
        "truncated": False,
    }


def test_each_question_counts_once_however_many_answers_it_has() -> None:
    answers = [_answer(0, 0, True), _answer(0, 1, False), _answer(1, 0, False, None)]
    found = summarize(_questions(2, 4), answers)
    assert found["accuracy"] == 0.25
    assert found["extracted"] == 0.5
    assert found["chance"] == pytest.approx((1 / 2 + 1 / 4) / 2)
    assert "partial" not in found
    assert metrics({"set": "s", **found})["eval/s/accuracy"] == 0.25


def test_an_empty_completion_is_counted_apart() -> None:
    part = {"tokens": 2, "base_logprob": -1.0, "tuned_logprob": -0.5, "jsd": 0.1}
    row = {"index": 0, "base_correct": True, "forward": part, "reverse": None, "gold": part}
    others = [{**row, "forward": None, "base_correct": False}, {**row, "index": 1}]
    found = summarize_retention([row, *others])
    assert found["base_accuracy"] == 0.75
    assert found["forward"]["empty"] == 1
    assert found["forward"]["jsd"]["mean"] == 0.1
    assert found["forward"]["base_perplexity"] == pytest.approx(math.e)
    assert found["reverse"]["empty"] == 3
    assert found["reverse"]["base_perplexity"] is None

from __future__ import annotations

from typing import Any

import pytest

from app.evaluations.comparison import compare, rate_intervals
from app.evaluations.schemas import Example
from app.statistics import wilson
from core.errors import StudioError


def _example(
    number: int, correct: bool, jsd: float | None = None, logprob: float = -1.0, sample: int = 0
) -> Example:
    strip = None
    if jsd is not None:
        strip = {"tokens": 2, "base_logprob": logprob, "tuned_logprob": -1.0, "jsd": jsd}
    parts: dict[str, Any] = {"forward": strip, "reverse": None, "gold": None}
    return Example.model_validate(
        {
            "index": number,
            "sample": sample,
            "id": f"q{number}",
            "line": number + 1,
            "task": "choice",
            "prompt": f"{number}?",
            "reference": "A",
            "answer": "A",
            "tokens": 1,
            "truncated": False,
            "extracted": "A" if correct else None,
            "correct": correct,
            "partial": None,
            "detail": None,
            "retention": {"base_answer": "A", "base_correct": True, **parts},
        }
    )


def test_two_models_are_compared_where_both_answered() -> None:
    first = [_example(n, n < 2, jsd=0.2, logprob=-1.0) for n in range(5)]
    second = [_example(n, n in {1, 2, 3}, jsd=0.1, logprob=-2.0) for n in range(4)]
    found = compare([first], [second])
    assert (found.examples, found.only_first, found.only_second) == (4, 1, 0)
    quadrants = found.quadrants
    assert (quadrants.both, quadrants.only_first, quadrants.only_second) == (1, 1, 2)
    assert found.first.accuracy == wilson(2, 4)
    assert found.second.extracted == wilson(3, 4)
    assert found.accuracy.estimate == pytest.approx(0.25)
    assert found.mcnemar is not None
    assert (found.mcnemar.only_first, found.mcnemar.only_second) == (1, 2)
    kept = found.retention["forward"]
    assert set(found.retention) == {"forward"}
    assert kept.lower_jsd.estimate == 1
    assert kept.higher_base_logprob is not None
    assert kept.higher_base_logprob.estimate == 0
    assert kept.tuned_logprob.estimate == 0
    assert kept.jsd.estimate == pytest.approx(-0.1)


def test_several_answers_to_a_question_count_as_one_question() -> None:
    first = [_example(0, False, sample=0), _example(0, False, sample=1), _example(1, False)]
    second = [_example(0, True, sample=0), _example(0, False, sample=1), _example(1, True)]
    found = compare([first], [second])
    assert found.accuracy.n == 2
    assert found.accuracy.estimate == pytest.approx(0.75)
    assert found.mcnemar is None
    assert found.first.accuracy.low is None
    assert "several answers" in found.first.accuracy.note


def test_empty_completions_are_left_out_of_retention() -> None:
    first = [_example(0, True, jsd=0.2), _example(1, True)]
    second = [_example(0, True, jsd=0.1), _example(1, True, jsd=0.1)]
    assert compare([first], [second]).retention["forward"].examples == 1


def test_evaluations_of_other_questions_cannot_be_compared() -> None:
    with pytest.raises(StudioError) as raised:
        compare([[_example(0, True)]], [[_example(1, True)]])
    assert raised.value.problem.code == "evaluations_differ"


def test_rates_have_intervals_only_where_questions_are_answered_once() -> None:
    summary = {"questions": 4, "answers": 4, "accuracy": 0.25, "extracted": 1.0}
    assert rate_intervals(summary)["accuracy"] == wilson(1, 4)
    assert rate_intervals({**summary, "answers": 8}) == {}


def test_seeds_are_groups() -> None:
    firsts = [[_example(n, n < 2, jsd=0.2) for n in range(4)] for _ in range(3)]
    seconds = [[_example(n, n < 2 + seed, jsd=0.1) for n in range(4)] for seed in range(3)]
    found = compare(firsts, seconds)
    assert (found.seeds, found.examples) == (3, 4)
    assert found.mcnemar is None
    assert found.accuracy.estimate == pytest.approx(0.25)
    assert found.accuracy.low is not None
    assert found.first.accuracy.n == 12
    assert found.retention["forward"].jsd.estimate == pytest.approx(-0.1)
    with pytest.raises(StudioError, match="each seed"):
        compare(firsts, seconds[:1])

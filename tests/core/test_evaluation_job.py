from __future__ import annotations

from typing import Any

import pytest
from pydantic import ValidationError

from core.config import RunConfig
from core.evaluation_config import training_sets
from core.evaluation_job import EvaluationJob
from core.validation import validation_problems


@pytest.mark.parametrize(
    ("sets", "field"),
    [
        ([{"name": "own"}], "sets.path"),
        ([{"name": "own", "path": "x", "samples": 4}], "sets.samples"),
        ([{"name": "own", "path": "x", "colour": 1}], "sets.0.colour"),
        ([{"name": "Own", "path": "x"}], "sets.0.name"),
        ([], "sets"),
        ([{"name": "own", "path": "x"}] * 2, "sets"),
    ],
)
def test_a_mistake_in_a_set_is_told_once(sets: list[dict[str, Any]], field: str) -> None:
    with pytest.raises(ValidationError) as raised:
        EvaluationJob.model_validate({"sets": sets})
    errors = raised.value.errors(include_url=False)
    (problem,) = validation_problems(errors, model=EvaluationJob)
    assert problem.field == field


def test_a_field_of_a_set_that_was_meant_is_suggested() -> None:
    with pytest.raises(ValidationError) as raised:
        EvaluationJob.model_validate({"sets": [{"name": "own", "path": "x", "few_shots": 2}]})
    errors = raised.value.errors(include_url=False)
    (problem,) = validation_problems(errors, model=EvaluationJob)
    assert "“few_shot”" in problem.remedy


def test_what_a_run_asks_is_worded_as_what_it_trains_on() -> None:
    data = {"benchmark": "scienceqa", "lecture": True, "answer_first": True}
    evaluation = {"benchmarks": ["scienceqa", "gpqa_main"], "limit": 5, "retention": True}
    config = RunConfig.model_validate({"data": data, "evaluation": evaluation})
    first, second = training_sets(config.evaluation, config.data)
    assert (first.name, first.lecture, first.answer_first, first.limit) == (
        "scienceqa",
        True,
        True,
        5,
    )
    assert (second.name, second.retention) == ("gpqa_main", True)

from __future__ import annotations

import sys
import types
from typing import Any

import pytest

from core.errors import StudioError
from core.evaluation_config import EvaluationConfig
from core.record import Record
from worker.trainer.grading.custom import SWITCH, load_grader
from worker.trainer.grading.graders import Grader

RECORD = Record(id="r1", line=1, prompt="?", answer="yes")


@pytest.fixture
def judges(monkeypatch: pytest.MonkeyPatch) -> types.ModuleType:
    module = types.ModuleType("judges_of_this_test")
    monkeypatch.setitem(sys.modules, module.__name__, module)
    monkeypatch.setenv(SWITCH, "1")
    return module


@pytest.mark.parametrize(
    ("returned", "correct", "partial"),
    [
        (True, True, None),
        (False, False, None),
        (1, True, 1.0),
        (0.25, False, 0.25),
        ({"correct": True, "extracted": 7, "why": "x"}, True, None),
    ],
)
def test_what_a_grader_of_ones_own_may_return(
    judges: Any, returned: Any, correct: bool, partial: float | None
) -> None:
    judges.judge = lambda record, text: returned
    grader = Grader(EvaluationConfig(grader="judges_of_this_test:judge"))
    (found,) = grader.grade([RECORD], ["yes"])
    assert (found.correct, found.partial) == (correct, partial)


def test_it_sees_the_record_and_the_answer(judges: Any) -> None:
    judges.judge = lambda record, text: record["answer"] == text
    judge = load_grader("judges_of_this_test:judge")
    assert judge(RECORD, "yes").correct
    assert not judge(RECORD, "no").correct


@pytest.mark.parametrize("returned", ["yes", None, 2, -0.1, float("nan"), {"right": True}])
def test_what_it_may_not_return_is_told_with_the_record(judges: Any, returned: Any) -> None:
    judges.judge = lambda record, text: returned
    with pytest.raises(StudioError, match="r1") as raised:
        load_grader("judges_of_this_test:judge")(RECORD, "yes")
    assert raised.value.problem.code == "grader_failed"


@pytest.mark.parametrize("name", ["judges_of_this_test:nothing", "no.such.module:f", "x", ":", ""])
def test_one_that_is_not_there(judges: Any, name: str) -> None:
    with pytest.raises(StudioError) as raised:
        load_grader(name)
    assert raised.value.problem.code == "grader_not_found"


def test_it_is_off_unless_the_worker_allows_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(SWITCH, raising=False)
    with pytest.raises(StudioError) as raised:
        load_grader("os:getcwd")
    assert raised.value.problem.code == "grader_not_allowed"

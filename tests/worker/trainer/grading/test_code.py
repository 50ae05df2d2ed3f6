from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.benchmarks.code import fenced
from core.benchmarks.locate import FOLDER_VARIABLE
from core.code_tests import CodeTests
from core.data_config import BenchmarkName, Source
from core.evaluation_config import EvaluationSet
from core.record import Record
from core.records import read_records
from worker.trainer.grading.code import extract_code, grade_code
from worker.trainer.grading.graders import Grader
from worker.trainer.sandbox import Isolation, Limits
from worker.trainer.sandbox import run as sandbox

CODE = "def double(n):\n    return 2 * n\n"
MBPP = CodeTests(entry_point="double", tests=("assert double(2) == 4",))
HUMANEVAL = CodeTests(
    prefix='import math\n\n\ndef helper(n):\n    return n\n\n\ndef double(n):\n    """Twice."""\n',
    entry_point="double",
    tests=("def check(f):\n    assert f(2) == 4 == helper(4)\n    math.tau\ncheck(double)",),
)
NEEDS_WALLS = pytest.mark.skipif(
    sandbox.reached() < Isolation.NAMESPACES, reason="no isolation can be reached here"
)


@pytest.mark.parametrize(
    "text",
    [
        CODE,
        fenced(CODE),
        f"Here you are:\n{fenced(CODE)}\nIt doubles.",
        f"```\n{CODE}```",
        f"~~~py\n{CODE}~~~",
        f"First:\n{fenced('print(1)')}\nand now:\n{fenced(CODE)}\nUse:\n{fenced('double(3)')}",
        f"Sure!\n{CODE}\nThis function doubles its argument.",
        f"```python\n{CODE}",
        "```python\nclass A:\n    pass\n\ndef double(n): return 2 * n\n```",
        "double = lambda n: 2 * n\nimport math",
    ],
)
@NEEDS_WALLS
def test_the_code_is_found_whatever_stands_around_it(text: str) -> None:
    (found,) = grade_code([MBPP], [text], Isolation.NAMESPACES, Limits())
    if text.startswith("double ="):
        assert found.extracted is not None
        return
    assert found.correct, found


@pytest.mark.parametrize(
    "text",
    [
        "    return 2 * n",
        "return 2 * n",
        "m = 2 * n\nreturn m",
        "if n:\n    return 2 * n\nreturn 0",
        "return (2\n    * n)",
        f"```python\n{CODE}```",
        f"```python\n{HUMANEVAL.prefix}    return 2 * n\n```",
        "```python\n    return 2 * n\n```",
        "    return 2 * n\n\n\ndef other(m):\n    return m",
        "    return 2 * n\n\nThis doubles it.\n```",
        "1. Like this:\n   ```python\n   def double(n):\n       return 2 * n\n   ```",
        "```python\r\ndef double(n):\r\n    return 2 * n\r\n```\r\n",
        f"{CODE}\nif __name__ == '__main__':\n    raise SystemExit",
    ],
)
@NEEDS_WALLS
def test_a_function_may_be_completed_or_written_whole(text: str) -> None:
    (found,) = grade_code([HUMANEVAL], [text], Isolation.NAMESPACES, Limits())
    assert found.correct, found


@pytest.mark.parametrize("text", ["", "I cannot.", "```python\ndef (\n```", "```js\nlet x\n```"])
def test_what_is_no_code_is_not_run(text: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sandbox, "run_at", lambda *_: pytest.fail("it was run"))
    (found,) = grade_code([MBPP], [text], Isolation.NAMESPACES, Limits())
    assert (found.extracted, found.correct) == (None, False)


@given(st.text())
def test_any_text_gives_code_or_none(text: str) -> None:
    for tests in (MBPP, HUMANEVAL):
        found = extract_code(text, tests)
        assert found is None or found.strip()


@NEEDS_WALLS
def test_the_verdict_says_why_and_behind_which_walls() -> None:
    texts = [fenced("def double(n):\n    return n"), fenced("def double(n):\n    while True: pass")]
    wrong, endless = grade_code([MBPP, MBPP], texts, Isolation.NAMESPACES, Limits(seconds=0.5))
    assert wrong.detail is not None
    assert endless.detail is not None
    assert wrong.detail["error"] == "AssertionError"
    assert endless.detail["status"] == "timeout"
    assert wrong.detail["isolation"] == sandbox.reached().label


@NEEDS_WALLS
def test_answers_of_all_tasks_are_graded_in_their_order() -> None:
    code = Record(id="c", line=1, prompt="?", answer=CODE, written=fenced(CODE), tests=MBPP)
    text = Record(id="t", line=2, prompt="?", answer="yes")
    grader = Grader(EvaluationSet(name="own", path="x"))
    found = grader.grade([text, code, text, code], ["yes", fenced(CODE), "no", "no code"])
    assert [one.correct for one in found] == [True, True, False, False]


def _references(
    benchmark: BenchmarkName, split: str, every: int
) -> tuple[list[CodeTests], list[str]]:
    source = Source(benchmark=benchmark, split=split)
    records = list(read_records(source, training=False))[::every]
    return [one.tests for one in records if one.tests], [one.written or "" for one in records]


REFERENCES: list[tuple[BenchmarkName, str, int]] = [
    ("humaneval", "test", 164),
    ("mbpp_sanitized", "all", 427),
    ("mbpp", "all", 974),
]


@pytest.mark.parametrize(
    "every", [pytest.param(20, id="sample"), pytest.param(1, id="all", marks=pytest.mark.full)]
)
@pytest.mark.parametrize(("benchmark", "split", "count"), REFERENCES)
@NEEDS_WALLS
def test_reference_solutions_pass(
    benchmark: BenchmarkName,
    split: str,
    count: int,
    every: int,
    shared_data: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv(FOLDER_VARIABLE, str(shared_data))
    tests, texts = _references(benchmark, split, every)
    assert len(tests) == -(-count // every)
    found = grade_code(tests, texts, Isolation.NAMESPACES, Limits())
    failed = [(text, one.detail) for text, one in zip(texts, found, strict=True) if not one.correct]
    assert failed == []

"""MBPP and HumanEval: small Python functions with tests."""

from __future__ import annotations

import ast
import re
from collections.abc import Callable, Iterator
from typing import Final

from core.benchmarks.benchmark import Benchmark, Split
from core.code_tests import CodeTests
from core.data_config import Source
from core.record import Record
from core.record_fields import Row, broken, identifier, optional_text, text, texts

ASK: Final = "Reply with the code in one Python block."


def fenced(code: str) -> str:
    """Code as a completion shows it."""
    return f"```python\n{code.strip()}\n```"


def parse_mbpp(row: Row, number: int, source: Source) -> Iterator[Record]:  # noqa: ARG001
    """MBPP, full (`text`) or sanitized (`prompt`); the first test shows name and arguments."""
    task = text(row, "text" if "text" in row else "prompt", number).strip()
    code = _unix(text(row, "code", number))
    tests = [_unix(test) for test in texts(row, "test_list", number, at_least=1)]
    setup = _unix(optional_text(row, "test_setup_code", number) or "")
    imports = texts(row, "test_imports", number) if row.get("test_imports") else []
    yield Record(
        id=_mbpp_id(row, number),
        line=number,
        prompt=f"{task}\nYour code must pass this test:\n{tests[0]}\n{ASK}",
        answer=code,
        written=fenced(code),
        tests=CodeTests(
            entry_point=_called(tests[0], code),
            setup="\n".join(imports),
            # It may use classes of the answer, so it cannot come before it.
            tests=tuple(filter(None, [setup, *tests])),
        ),
    )


def parse_humaneval(row: Row, number: int, source: Source) -> Iterator[Record]:  # noqa: ARG001
    """HumanEval: a signature with its docstring, to be completed."""
    head, entry = text(row, "prompt", number), text(row, "entry_point", number)
    if not entry.isidentifier():
        raise broken(number, "has no name of a function in “entry_point”", "See HumanEval.")
    solution = head + text(row, "canonical_solution", number)
    yield Record(
        id=identifier(row, number, "task_id"),
        line=number,
        prompt=f"Complete this function:\n{fenced(head)}\n{ASK}",
        answer=solution,
        written=fenced(solution),
        tests=CodeTests(
            prefix=head,
            entry_point=entry,
            tests=(f"{text(row, 'test', number)}\ncheck({entry})",),
        ),
    )


def _unix(code: str) -> str:
    return code.replace("\r\n", "\n")


def _mbpp_id(row: Row, number: int) -> str:
    return f"MBPP/{identifier(row, number, 'task_id')}"


def _called(test: str, code: str) -> str | None:
    """The function of the reference that a test calls."""
    try:
        defined = {
            node.name for node in ast.walk(ast.parse(code)) if isinstance(node, ast.FunctionDef)
        }
    except (SyntaxError, ValueError, RecursionError):
        return None
    return next((name for name in re.findall(r"\w+(?=\()", test) if name in defined), None)


def _tasks(first: int, last: int) -> Callable[[Row], bool]:
    def within(row: Row) -> bool:
        task = row.get("task_id")
        # A row without a usable number is kept, so that its mistake is told.
        return not isinstance(task, int) or first <= task <= last

    return within


def _mbpp(name: str, title: str, files: tuple[str, ...], config: str) -> Benchmark:
    ranges = {
        "prompt": (1, 10),
        "test": (11, 510),
        "validation": (511, 600),
        "train": (601, 974),
    }
    splits = {
        split: Split(files, f"{config}/{split}-*.parquet", _tasks(*between))
        for split, between in ranges.items()
    }
    splits["all"] = Split(files)
    return Benchmark(
        name=name,
        title=title,
        licence="CC BY 4.0",
        repository="google-research-datasets/mbpp",
        splits=splits,
        train="train",
        evaluate="test",
        parse=parse_mbpp,
    )


BENCHMARKS: Final = (
    _mbpp("mbpp", "MBPP", ("mbpp/mbpp.jsonl.gz", "mbpp/mbpp.jsonl"), "full"),
    _mbpp("mbpp_sanitized", "MBPP sanitized", ("mbpp/sanitized-mbpp.json",), "sanitized"),
    Benchmark(
        name="humaneval",
        title="HumanEval",
        licence="MIT",
        repository="openai/openai_humaneval",
        splits={
            "test": Split(
                ("humaneval/HumanEval.jsonl.gz", "humaneval/HumanEval.jsonl"),
                "openai_humaneval/test-*.parquet",
            )
        },
        train=None,
        evaluate="test",
        parse=parse_humaneval,
    ),
)

"""Code as answers: what is taken for the code, and whether it passes its tests in the sandbox."""

from __future__ import annotations

import ast
import itertools
import re
import textwrap
import warnings
from collections.abc import Sequence
from typing import Final

from core.code_tests import CodeTests
from worker.trainer.grading.grade import Grade
from worker.trainer.sandbox import Isolation, Limits, Outcome, run_many

_FENCED: Final = re.compile(
    r"^[ \t]*(`{3,}|~{3,})[ \t]*([\w+.-]*)[^\n]*\n(.*?)(?:^[ \t]*\1[ \t]*$|\Z)", re.S | re.M
)
_PYTHON: Final = frozenset({"", "python", "python3", "py"})
_BEGINS: Final = re.compile(r"^(?:def|class|import|from|async def|@\w)", re.M)


def extract_code(text: str, tests: CodeTests) -> str | None:
    """The code of an answer, or None.

    In this order: the last fenced block that defines the function that is tested; the last fenced
    Python block; without any block, the text from its first line of code on; where the tests bring
    the function's head, the text itself as its body. What does not parse is no code.
    """
    fenced = _FENCED.findall(text.replace("\r\n", "\n"))
    blocks: list[str] = [
        textwrap.dedent(body) for _, language, body in fenced if language.lower() in _PYTHON
    ]
    defining = [block for block in blocks if _defines(block, tests.entry_point)]
    for block in (*reversed(defining), *reversed(blocks)):
        if _parses(_whole(block, tests)):
            return block
    if blocks:
        return None
    if tests.prefix and not _defines(text, tests.entry_point):
        body = _body(text)
        if body.strip() and _parses(_whole(body, tests)):
            return body
    begins = _BEGINS.search(text)
    bare: str = text[begins.start() :] if begins else text
    for candidate in (bare, _shortened(bare)):
        if candidate.strip() and _parses(_whole(candidate, tests)) and (begins or tests.prefix):
            return candidate
    return None


def code_places(text: str) -> list[tuple[int, int]]:
    """Where code stands in a text, as (begin, end): fenced blocks, else from its first line on."""
    blocks = [found.span(3) for found in _FENCED.finditer(text) if found[2].lower() in _PYTHON]
    if blocks:
        return blocks
    begins = _BEGINS.search(text)
    return [(begins.start(), len(text))] if begins else []


def _body(text: str) -> str:
    """The indented lines that a continuation begins with; what follows is something else."""
    lines = text.strip("\n").splitlines()
    if not lines or lines[0][:1] not in {" ", "\t"}:
        return ""
    return "\n".join(itertools.takewhile(lambda line: line[:1] in {" ", "\t", ""}, lines))


def grade_code(
    tests: Sequence[CodeTests], texts: Sequence[str], minimum: Isolation, limits: Limits
) -> list[Grade]:
    """Run the tests of each answer, several side by side.

    Args:
        tests: for each answer.
        texts: the answers.
        minimum: no code is run where less isolation can be reached.
        limits: of each program.

    Raises:
        StudioError: `isolation_unavailable`.
    """
    codes = [extract_code(text, one) for text, one in zip(texts, tests, strict=True)]
    programs = [
        program(code, one) for code, one in zip(codes, tests, strict=True) if code is not None
    ]
    outcomes = iter(run_many(programs, limits, minimum))
    return [
        Grade(None, correct=False) if code is None else _grade(code, next(outcomes))
        for code in codes
    ]


def program(code: str, tests: CodeTests) -> str:
    """The program whose end means that the code is right."""
    return "\n\n".join(filter(None, [tests.setup, _whole(code, tests), *tests.tests])) + "\n"


def _grade(code: str, outcome: Outcome) -> Grade:
    detail = {
        "status": outcome.status.value,
        "error": outcome.error,
        "isolation": outcome.isolation.label,
        "stderr": outcome.stderr[-1000:],
    }
    return Grade(code, outcome.passed, None, detail)


def _whole(code: str, tests: CodeTests) -> str:
    """The code with the head of its function, where it does not define that itself."""
    if not tests.prefix or _defines(code, tests.entry_point):
        # Imports and helpers of the head may be needed all the same.
        return f"{_before(tests)}\n{code}" if tests.prefix else code
    return f"{tests.prefix.rstrip()}\n{_indented(code)}"


def _before(tests: CodeTests) -> str:
    """What the tests' head has before the function that is to be written."""
    name = re.escape(tests.entry_point or "")
    place = re.search(rf"^(?:async )?def {name}\b", tests.prefix, re.M)
    return tests.prefix[: place.start()] if place else ""


def _indented(body: str) -> str:
    """A function's body: models seldom write its first lines with their indentation."""
    lines = body.strip("\n").splitlines()
    first = next((line for line in lines if line.strip()), "")
    if first[:1] in {" ", "\t"}:
        return "\n".join(lines)
    if all(line[:1] in {" ", "\t", ""} for line in lines[1:]):
        return "\n".join([f"    {lines[0]}", *lines[1:]]) if lines else ""
    return "\n".join(f"    {line}" if line.strip() else line for line in lines)


def _shortened(code: str) -> str:
    """The longest beginning, in whole lines, that is code: words may follow it."""
    lines = code.splitlines()
    for end in range(len(lines), max(0, len(lines) - 200), -1):
        candidate = "\n".join(lines[:end])
        if _parses(candidate):
            return candidate
    return ""


def _defines(code: str, name: str | None) -> bool:
    return name is not None and bool(
        re.search(rf"^(?:async )?(?:def|class) {re.escape(name)}\b", code, re.M)
        or re.search(rf"^{re.escape(name)}\s*=", code, re.M)
    )


def _parses(code: str) -> bool:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # "\w" outside of a raw string is a matter of style
            ast.parse(code)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return False
    return True

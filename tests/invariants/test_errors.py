"""Every error is told in sentences, and every code is in `docs/errors.md`."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from typing import NamedTuple

import pytest

from app import errors
from tests.conftest import ROOT

PACKAGES = ("core", "app", "worker", "cli")
CODE = re.compile(r"[a-z]+(_[a-z]+)*")
GAP = "…"
"""Stands for what is filled in when it is raised."""
# Who makes problems of (code, message, remedy), besides `Problem` itself.
MAKERS = {"mistake", "failure", "_mistake"}
# Who raises a refusal of (detail, remedy).
REFUSALS = {
    name
    for name, kind in vars(errors).items()
    if isinstance(kind, type) and issubclass(kind, errors.AppError)
} | {"KeyReusedError", "not_found"}


class Told(NamedTuple):
    where: str
    code: str | None
    message: str
    remedy: str


def _text(node: ast.expr | None) -> str:
    """What a string says; everything that is not written there is a gap."""
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        return node.value
    if isinstance(node, ast.JoinedStr):
        return "".join(_text(part) for part in node.values)
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Add):
        return _text(node.left) + _text(node.right)
    return "" if node is None else GAP


def _told() -> Iterator[Told]:
    for package in PACKAGES:
        for file in sorted((ROOT / package).rglob("*.py")):
            for node in ast.walk(ast.parse(file.read_text())):
                if isinstance(node, ast.Call):
                    where = f"{file.relative_to(ROOT)}:{node.lineno}"
                    yield from _of_call(node, where)


def _of_call(node: ast.Call, where: str) -> Iterator[Told]:
    name = getattr(node.func, "id", getattr(node.func, "attr", ""))
    named = {word.arg: word.value for word in node.keywords}
    if any(isinstance(one, ast.Starred) for one in node.args) or None in named:
        return  # handed on from where it was written
    if name == "Problem":
        parts = [named.get(part) for part in ("code", "message", "remedy")]
    elif name in MAKERS:
        parts = [*node.args, *[None] * 3][:3]
        keys = ("code", "message", "remedy")
        parts = [named.get(key, part) for key, part in zip(keys, parts, strict=True)]
    elif name in REFUSALS and node.args and not _is_number(node.args[0]):
        parts = [None, *node.args[:1], *(node.args[1:2] or [named.get("remedy")])]
    else:
        return
    code, message, remedy = map(_text, parts)
    yield Told(where, code if CODE.fullmatch(code) else None, message, remedy)


def _is_number(node: ast.expr) -> bool:
    """Whether it is the status with which the client makes an error of what it was answered."""
    return isinstance(node, ast.Constant) and isinstance(node.value, int)


TOLD = list(_told())


def _is_sentence(text: str) -> bool:
    """Begins like a sentence and ends like one; a gap may do both."""
    begins = re.match(rf"[A-Z“`{GAP}]|vLLM|model\.", text) is not None
    return begins and text.rstrip()[-1:] in {".", "?", GAP}


def test_errors_are_found() -> None:
    assert len(TOLD) > 100


@pytest.mark.parametrize("told", TOLD, ids=lambda told: told.where)
def test_each_says_what_is_wrong_and_what_to_do(told: Told) -> None:
    assert _is_sentence(told.message), told
    assert _is_sentence(told.remedy), told
    for text in (told.message, told.remedy):
        assert "  " not in text
        assert not re.search(r"\b(null|None|NoneType|exception)\b", text), told


def _of_kinds() -> Iterator[str]:
    """Codes that kinds of errors have, wherever they are defined."""
    for file in sorted((ROOT / "app").rglob("*.py")):
        for node in ast.walk(ast.parse(file.read_text())):
            if isinstance(node, ast.ClassDef):
                for line in node.body:
                    if isinstance(line, ast.Assign) and ast.unparse(line.targets[0]) == "code":
                        yield _text(line.value)


def test_every_code_is_explained() -> None:
    text = (ROOT / "docs" / "errors.md").read_text()
    listed = set(re.findall(r"^\| `([a-z_]+)` \|", text, re.MULTILINE))
    kinds = set(_of_kinds())
    assert "database_busy" in kinds
    raised = {told.code for told in TOLD if told.code} | kinds
    assert raised - listed == set(), "not in docs/errors.md"
    rows = re.findall(r"^\| `[a-z_]+` \| (.+?) \| (.+?) \|$", text, re.MULTILINE)
    assert len(rows) == len(listed)

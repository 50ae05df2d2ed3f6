"""Which part of an answer a piece of its text is, task by task."""

from __future__ import annotations

import pytest

from core.code_tests import CodeTests
from core.record import Record, ToolCall
from worker.trainer.grading.parts import parts_of_tokens

ASKED = {"id": "r", "line": 1, "prompt": "p", "answer": "a"}
CHOICE = Record(**ASKED, choices=("a fish", "a bird", "a cat"), correct=1)
TEXT = Record(**ASKED)
NUMBER = Record(**ASKED, number="12")
CODE = Record(**ASKED, tests=CodeTests(tests=("assert f(1) == 2",), entry_point="f"))
TOOLS = Record(**ASKED, calls=(ToolCall(action="find", arguments="{}"),))

CASES = [
    (CHOICE, "A bird, so B.|\nAnswer: |B", "rrl"),
    (CHOICE, "I first thought Answer: |A|.\nAnswer: |B", "rrrl"),
    (CHOICE, "It is \\boxed{|C|}", "rlr"),
    (CHOICE, "Nobody| knows", "rr"),
    (CHOICE, "(|B|) because it flies", "rlr"),
    (NUMBER, "6 + 6|\nAnswer:| 1|2", "rraa"),
    (NUMBER, "it is 12", "r"),
    (TEXT, "Thus.\nAnswer: |a long| one", "raa"),
    (CODE, "So:\n```python\n|def f(x):\n|    return x + 1\n|```\nDone", "rccr"),
    (CODE, "def f(x):\n|    return x + 1", "cc"),
    (CODE, "I cannot", "r"),
    (TOOLS, 'Let me see.\nAction: |find|\nAction Input: |{"q":| 1}', "rtruu"),
    (TOOLS, "Action: |find", "rt"),
]
WORDS = {
    "r": "reasoning",
    "l": "answer letter",
    "a": "answer",
    "c": "code",
    "t": "action",
    "u": "arguments",
}


@pytest.mark.parametrize(("record", "text", "parts"), CASES)
def test_every_token_is_of_one_part(record: Record, text: str, parts: str) -> None:
    pieces = text.split("|")
    expected = [WORDS[letter] for letter in parts]
    assert parts_of_tokens(record, pieces, ended=False) == expected
    assert parts_of_tokens(record, [*pieces, "<end>"], ended=True) == [*expected, "end"]


def test_a_character_over_several_tokens_leaves_empty_texts() -> None:
    pieces = ["é", "", " B", ""]
    assert parts_of_tokens(CHOICE, ["Answer:", *pieces[1:]], ended=False)[2] == "answer letter"
    assert len(parts_of_tokens(CHOICE, pieces, ended=False)) == 4
    assert parts_of_tokens(CHOICE, [], ended=False) == []
    assert parts_of_tokens(CHOICE, ["<end>"], ended=True) == ["end"]

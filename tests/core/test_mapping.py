from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.data_config import DataFields
from core.errors import StudioError
from core.mapping import guess_fields, record_from

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=9), inner),
    max_leaves=6,
)
ALL = DataFields(messages="messages", tests="tests", tool_calls="tool_calls")
CHAT = [
    {"role": "system", "content": "Be brief."},
    {"role": "user", "content": "Hello"},
    {"role": "assistant", "content": "Hi"},
    {"role": "user", "content": "1 + 1?"},
    {"role": "assistant", "content": "2"},
]


def test_a_conversation_becomes_turns_a_prompt_and_the_answer() -> None:
    record = record_from({"messages": CHAT}, 3, ALL)
    assert [turn.role for turn in record.turns] == ["system", "user", "assistant"]
    assert (record.prompt, record.answer, record.line) == ("1 + 1?", "2", 3)
    own = record_from({"messages": CHAT, "answer": "two"}, 1, ALL)
    assert (own.prompt, own.answer) == ("1 + 1?", "two")


def test_the_other_common_spelling_and_json_text_are_taken() -> None:
    chat = [{"from": "human", "value": "1 + 1?"}, {"from": "gpt", "value": "2"}]
    fields = DataFields(messages="conversations")
    for value in (chat, json.dumps(chat)):
        record = record_from({"conversations": value}, 1, fields)
        assert (record.turns, record.prompt, record.answer) == ((), "1 + 1?", "2")


def test_tests_and_tool_calls_say_how_to_grade() -> None:
    fields = DataFields(tests="tests", tool_calls="calls")
    row = {"question": "Write f.", "answer": "def f(): return 1"}
    for tests in (["assert f() == 1"], "assert f() == 1", '["assert f() == 1"]'):
        record = record_from({**row, "tests": tests}, 1, fields)
        assert record.task == "code"
        assert record.tests is not None
        assert record.tests.tests == ("assert f() == 1",)
        assert record.written == "```python\ndef f(): return 1\n```"
    calls = [{"name": "go", "arguments": {"to": "Ö"}}, {"function": {"name": "stop"}}]
    for given_calls in (calls, json.dumps(calls)):
        record = record_from({"question": "Go.", "calls": given_calls}, 1, fields)
        assert record.task == "tools"
        assert record.written == (
            'Action: go\nAction Input: {"to": "Ö"}\nAction: stop\nAction Input: {}'
        )
    assert record_from({**row, "tests": [], "calls": None}, 1, fields).task == "text"


def test_choices_keep_earlier_turns() -> None:
    row = {"messages": CHAT, "answer": "2", "choices": '["1", "2"]'}
    record = record_from(row, 1, ALL)
    assert (record.task, record.answer, len(record.turns)) == ("choice", "B. 2", 3)


BROKEN: dict[str, tuple[dict[str, Any], str]] = {
    "no messages": ({"answer": "x"}, "messages"),
    "empty messages": ({"messages": []}, "messages"),
    "an answer alone": ({"messages": CHAT[-1:]}, "messages"),
    "two answers": ({"messages": [*CHAT, CHAT[-1]]}, "messages"),
    "a strange role": ({"messages": [{"role": "tool", "content": "x"}]}, "tool"),
    "parts for content": ({"messages": [{"role": "user", "content": [{}]}]}, "messages"),
    "no answer": ({"messages": CHAT[:-1]}, "answer"),
    "no statement": ({"messages": CHAT, "tests": [1]}, "tests"),
    "calls of nothing": ({"messages": CHAT, "tool_calls": [{"arguments": {}}]}, "tool_calls"),
    "calls that are no JSON": ({"messages": CHAT, "tool_calls": "go()"}, "tool_calls"),
    "two ways to grade": (
        {"messages": CHAT, "tests": ["a"], "tool_calls": [{"name": "b"}]},
        "“tests” and “tool_calls”",
    ),
}


@pytest.mark.parametrize(("row", "named"), BROKEN.values(), ids=BROKEN)
def test_what_is_wrong_is_told_with_line_and_column(row: dict[str, Any], named: str) -> None:
    with pytest.raises(StudioError) as raised:
        record_from(row, 37, ALL)
    assert raised.value.problem.line == 37
    assert named in raised.value.problem.message
    assert raised.value.problem.remedy


COLUMNS = ("question", "answer", "rationale", "choices", "messages", "tests", "tool_calls")


@settings(max_examples=300, deadline=None)
@given(row=st.dictionaries(st.sampled_from(COLUMNS), JSON), chat=st.booleans())
def test_any_row_is_a_record_or_a_problem_with_its_line(row: dict[str, Any], chat: bool) -> None:
    fields = ALL if chat else ALL.model_copy(update={"messages": None})
    try:
        line: int | None = record_from(row, 5, fields).line
    except StudioError as error:
        line = error.problem.line
    assert line == 5
    guess_fields([row])


GUESSES: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {
    "usual": ({"question": "q", "answer": "a"}, {"prompt": "question", "answer": "answer"}),
    "alpaca": (
        {"instruction": "q", "input": "", "output": "a"},
        {"prompt": "instruction", "answer": "output"},
    ),
    "upper case": (
        {"Prompt": "q", "Completion": "a"},
        {"prompt": "Prompt", "answer": "Completion"},
    ),
    "solution alone": (
        {"problem": "q", "solution": "s"},
        {"prompt": "problem", "answer": "solution"},
    ),
    "reasoned": (
        {"problem": "q", "solution": "s", "answer": "a"},
        {"prompt": "problem", "answer": "answer", "rationale": "solution"},
    ),
    "chat": ({"conversations": CHAT}, {"messages": "conversations"}),
    "choice": (
        {"question": "q", "choices": ["a", "b"], "answer": "a"},
        {"prompt": "question", "answer": "answer", "choices": "choices"},
    ),
    "code": (
        {"text": "q", "code": "c", "test_list": ["assert 1"]},
        {"prompt": "text", "answer": "code", "tests": "test_list"},
    ),
    "tools": (
        {"query": "q", "tool_calls": '[{"name": "go"}]'},
        {"prompt": "query", "tool_calls": "tool_calls"},
    ),
    "numbers are no answers": ({"question": "q", "answer": 1}, {"prompt": "question"}),
}


@pytest.mark.parametrize(("row", "expected"), GUESSES.values(), ids=GUESSES)
def test_a_mapping_is_guessed(row: dict[str, Any], expected: dict[str, Any]) -> None:
    found = guess_fields([row])
    assert found == DataFields(**{"rationale": None, "choices": None, **expected})


def test_text_of_a_record_is_never_looked_at_for_placeholders() -> None:
    text = "{{7*7}} {prompt} ${x} {demonstration}"
    record = record_from({"question": text, "answer": text}, 1, DataFields())
    assert (record.prompt, record.answer) == (text, text)

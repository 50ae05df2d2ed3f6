from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.record import ToolCall
from worker.trainer.grading.tools import extract_calls, grade_calls


def _call(action: str, arguments: str = "{}") -> ToolCall:
    return ToolCall(action=action, arguments=arguments)


def _text(*calls: ToolCall) -> str:
    return "\n".join(f"Action: {call.action}\nAction Input: {call.arguments}" for call in calls)


@pytest.mark.parametrize(
    "text",
    [
        'Action: find\nAction Input: {"a": 1}',
        'Thought: I must.\nAction: find\nAction Input: {"a": 1}\nObservation: ok',
        'Action:\nfind\nAction Input: {"a": 1}',
        '**Action:** `find`\n**Action Input:** {"a": 1}',
        'Action: find\nAction Input:\n```json\n{\n  "a": 1\n}\n```',
        '1. Action: find\nAction_Input: {"a":1} and then',
    ],
)
def test_a_call_is_found_however_it_is_set(text: str) -> None:
    (found,) = extract_calls(text)
    assert found.action == "find"
    assert json.loads(found.arguments) == {"a": 1}


@pytest.mark.parametrize(
    ("written", "name"),
    [
        ("get_", "get_"),
        ("_private", "_private"),
        ("_find_", "find"),
        ("__find__", "find"),
        ("**find_all**", "find_all"),
        ("`_find`.", "_find"),
        ("find()", "find"),
    ],
)
def test_underscores_belong_to_the_name(written: str, name: str) -> None:
    (found,) = extract_calls(f"Action: {written}\nAction Input: {{}}")
    assert found.action == name


@given(
    st.lists(
        st.tuples(
            st.from_regex(r"[a-zA-Z]\w{0,9}", fullmatch=True),
            st.dictionaries(st.text(), st.integers() | st.text()),
        )
    )
)
def test_what_was_written_is_found(calls: list[tuple[str, dict[str, int | str]]]) -> None:
    given_calls = [_call(action, json.dumps(arguments)) for action, arguments in calls]
    assert extract_calls(_text(*given_calls)) == given_calls


@given(st.text())
def test_any_text_is_graded(text: str) -> None:
    assert not grade_calls([_call("find", '{"a": "b c"}')], text).correct


def test_actions_and_arguments_must_agree_in_order() -> None:
    right = [_call("find", '{"a": 1, "b": [true, null]}'), _call("book", '{"id": ${id}}')]
    same = [_call("find", '{"b":[true,null],"a":1.0}'), _call("book", '{"id":  ${id}}')]
    assert grade_calls(right, _text(*same)).correct
    for wrong in (
        same[:1],
        same[::-1],
        [*same, _call("find")],
        [_call("find", '{"a": 1, "b": [1, null]}'), same[1]],
        [_call("find", '{"a": "1", "b": [true, null]}'), same[1]],
        [_call("Find", same[0].arguments), same[1]],
    ):
        assert not grade_calls(right, _text(*wrong)).correct


def test_partial_credit_stands_apart() -> None:
    right = [_call("find", '{"a": 1}'), _call("book")]
    half = grade_calls(right, _text(_call("find", '{"a": 2}'), _call("book")))
    assert (half.correct, half.partial) == (False, 0.5)
    assert half.detail is not None
    assert half.detail["actions"] == 1.0
    long = grade_calls(right, _text(*right, *right))
    assert (long.correct, long.partial) == (False, 0.5)
    nothing = grade_calls(right, "I cannot do that.")
    assert (nothing.extracted, nothing.correct, nothing.partial) == (None, False, 0.0)


def test_endless_nesting_does_no_harm() -> None:
    deep = '{"a":' * 100_000
    assert not grade_calls([_call("find")], f"Action: find\nAction Input: {deep}").correct


def test_marks_inside_arguments_and_ways_to_write_a_call() -> None:
    right = [_call("find", json.dumps({"text": "```json x"}))]
    assert grade_calls(right, _text(*right)).correct
    for action in ("find()", '"find"', "`find`.", "find"):
        assert grade_calls([_call("find")], f"Action: {action}\nAction Input: {{}}").correct
        assert grade_calls([_call("find")], f"Action: {action}").correct

"""Makes worked examples of rows by a mapping of their columns, and guesses such a mapping.

Cells of CSV files hold text alone, so lists may also be written as JSON text.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any, Final, NamedTuple

from core.benchmarks.code import fenced
from core.benchmarks.toolalpaca import written
from core.code_tests import CodeTests
from core.data_config import DataFields
from core.multiple_choice import Question, as_record
from core.record import Record, ToolCall, Turn
from core.record_fields import (
    Row,
    broken,
    identifier,
    options,
    plain_text,
    position,
    required,
    text,
)

_ROLES: Final = {
    "system": "system",
    "user": "user",
    "human": "user",
    "assistant": "assistant",
    "gpt": "assistant",
}
_GUESSES: Final = {
    "prompt": ("prompt", "question", "instruction", "problem", "input", "query", "text"),
    "answer": ("answer", "output", "response", "completion", "target", "code", "label"),
    "rationale": ("rationale", "explanation", "reasoning", "solution"),
    "choices": ("choices", "options"),
    "messages": ("messages", "conversations", "conversation"),
    "tests": ("tests", "test_list", "test"),
    "tool_calls": ("tool_calls", "calls"),
}
"""Usual names of columns, the likeliest first."""
_LISTS: Final = frozenset({"choices", "messages", "tests", "tool_calls"})


class _Asked(NamedTuple):
    """What a row asks, and the answer that its conversation ends with, if it does."""

    turns: tuple[Turn, ...]
    prompt: str
    reply: str | None


def record_from(row: Row, number: int, fields: DataFields, *, answer_first: bool = False) -> Record:
    """The worked example that a row holds.

    Raises:
        StudioError: `data_invalid`, with the line and the column at fault.
    """
    asked = _asked(row, number, fields)
    kinds = [
        name
        for name in (fields.choices, fields.tests, fields.tool_calls)
        if name and row.get(name) not in (None, "", [])
    ]
    if len(kinds) > 1:
        named = " and ".join(f"“{name}”" for name in kinds)
        raise broken(number, f"has both {named}", "Map one of them; it says how to grade.")
    if kinds and kinds[0] == fields.choices:
        return _choice(row, number, fields, asked, answer_first=answer_first)
    if kinds and kinds[0] == fields.tests:
        answer = _answer(row, number, fields, asked)
        tests = CodeTests(tests=_tests(row, fields.tests or "", number))
        shown = answer if "```" in answer else fenced(answer)
        return _record(row, number, fields, asked, answer, written=shown, tests=tests)
    if kinds:
        calls = _calls(row, fields.tool_calls or "", number)
        shown = written(calls)
        return _record(row, number, fields, asked, shown, written=shown, calls=calls)
    return _record(row, number, fields, asked, _answer(row, number, fields, asked))


def _record(
    row: Row,
    number: int,
    fields: DataFields,
    asked: _Asked,
    answer: str,
    **more: Any,  # noqa: ANN401 - what the kind of task adds
) -> Record:
    return Record(
        id=identifier(row, number),
        line=number,
        prompt=asked.prompt,
        answer=answer,
        rationale=_rationale(row, number, fields),
        turns=asked.turns,
        **more,
    )


def _choice(
    row: Row, number: int, fields: DataFields, asked: _Asked, *, answer_first: bool
) -> Record:
    name = fields.choices or ""
    choices = options({name: _decoded(row, name, number)}, name, number)
    correct = position(_answer(row, number, fields, asked), choices, number)
    question = Question(
        identifier(row, number),
        number,
        asked.prompt,
        choices,
        correct,
        _rationale(row, number, fields),
    )
    found = as_record(question, answer_first=answer_first)
    return found.model_copy(update={"turns": asked.turns}) if asked.turns else found


def _rationale(row: Row, number: int, fields: DataFields) -> str | None:
    name = fields.rationale
    return text(row, name, number) if name and row.get(name) else None


def _answer(row: Row, number: int, fields: DataFields, asked: _Asked) -> str:
    if asked.reply is not None and row.get(fields.answer) in (None, ""):
        return asked.reply
    return text(row, fields.answer, number)


def _asked(row: Row, number: int, fields: DataFields) -> _Asked:
    if fields.messages is None:
        return _Asked((), text(row, fields.prompt, number), None)
    given = _decoded(row, fields.messages, number)
    if not isinstance(given, list) or not given:
        raise broken(
            number,
            f"has no list of messages in “{fields.messages}”",
            "Write [{role, content}, …].",
        )
    turns = [_turn(one, fields.messages, number) for one in given]
    reply = turns.pop().content if turns[-1].role == "assistant" else None
    if not turns or turns[-1].role != "user":
        raise broken(
            number,
            f"has no question of the user at the end of “{fields.messages}”",
            "End with a message of the user, or with one of the user and its answer.",
        )
    return _Asked(tuple(turns[:-1]), turns[-1].content, reply)


def _turn(given: Any, field: str, number: int) -> Turn:  # noqa: ANN401 - whatever the file holds
    if not isinstance(given, Mapping):
        raise broken(number, f"has a message in “{field}” that is no object", "Mend the record.")
    role = given.get("role", given.get("from"))
    if not isinstance(role, str) or role not in _ROLES:
        raise broken(
            number,
            f"has a message in “{field}” of the role {str(role)[:50]!r}",
            "Roles are system, user and assistant.",
        )
    content = given.get("content", given.get("value"))
    return Turn.model_validate(
        {"role": _ROLES[role], "content": plain_text(content, field, number)}
    )


def _tests(row: Row, field: str, number: int) -> tuple[str, ...]:
    given = row[field]
    if isinstance(given, str) and given.lstrip().startswith("["):
        given = _decoded(row, field, number)
    listed = [given] if isinstance(given, str) else given
    if not isinstance(listed, list):
        raise broken(number, f"has no tests in “{field}”", "Write a list of Python statements.")
    return tuple(plain_text(one, field, number).replace("\r\n", "\n") for one in listed)


def _calls(row: Row, field: str, number: int) -> tuple[ToolCall, ...]:
    given = _decoded(row, field, number)
    if not isinstance(given, list) or not given:
        raise broken(number, f"has no list of calls in “{field}”", "Write [{name, arguments}, …].")
    return tuple(_call(one, field, number) for one in given)


def _call(given: Any, field: str, number: int) -> ToolCall:  # noqa: ANN401 - as above
    if isinstance(given, Mapping) and isinstance(given.get("function"), Mapping):
        given = given["function"]
    if not isinstance(given, Mapping):
        raise broken(number, f"has a call in “{field}” that is no object", "Mend the record.")
    name = given.get("name")
    if not isinstance(name, str) or not name.strip():
        raise broken(number, f"has a call in “{field}” without a name", "Mend the record.")
    arguments = given.get("arguments", {})
    if isinstance(arguments, Mapping):
        arguments = json.dumps(arguments, ensure_ascii=False, default=str)
    return ToolCall(
        action=plain_text(name, field, number), arguments=plain_text(arguments, field, number)
    )


def _decoded(row: Row, field: str, number: int) -> Any:  # noqa: ANN401 - as above
    """A value, or what its JSON text says."""
    value = required(row, field, number)
    if not isinstance(value, str):
        return value
    try:
        return json.loads(value)
    except (ValueError, RecursionError):
        raise broken(
            number, f"has text in “{field}” that is no JSON", "Write the list as JSON."
        ) from None


def guess_fields(rows: Sequence[Row]) -> DataFields:
    """A mapping that suits the names and types of some rows' columns.

    Where nothing suits, a part keeps its usual name, so that the report says what is missing.
    """
    columns = {str(name).casefold(): str(name) for row in reversed(rows) for name in row}
    found: dict[str, str] = {}
    for part, names in _GUESSES.items():
        for name in names:
            column = columns.get(name)
            if column and column not in found.values() and _suits(part, column, rows):
                found[part] = column
                break
    if "messages" in found:
        found.pop("prompt", None)
    elif "rationale" in found and "answer" not in found:
        found["answer"] = found.pop("rationale")  # a solution alone is what is learnt
    blank = dict.fromkeys(("rationale", "choices"))
    return DataFields.model_validate({**blank, **found})


def _suits(part: str, column: str, rows: Sequence[Row]) -> bool:
    values = [row[column] for row in rows if row.get(column) not in (None, "")]
    if not values:
        return False
    if part not in _LISTS:
        return all(isinstance(value, str) for value in values)
    if part == "tests" and all(isinstance(value, str) for value in values):
        return any("assert" in value or "def " in value for value in values)
    return all(isinstance(_list(value), list) for value in values)


def _list(value: Any) -> Any:  # noqa: ANN401 - as above
    try:
        return json.loads(value) if isinstance(value, str) else value
    except (ValueError, RecursionError):
        return None

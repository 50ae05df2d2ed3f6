"""Worked examples: reading and checking them, line by line.

A record is data: nothing in it is evaluated. A broken line is refused with its number, so that
nothing is skipped silently.
"""

from __future__ import annotations

import gzip
import json
from collections.abc import Iterator, Sequence
from itertools import islice
from pathlib import Path
from typing import Any, BinaryIO, Final, cast

from pydantic import BaseModel, ConfigDict, Field

from core.config import DataConfig
from core.errors import Problem, StudioError


class Record(BaseModel):
    """One worked example: the student sees `prompt`; the teacher also the rest."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    id: str = Field(description="Identifier; the record's own `id`, else its line number.")
    line: int = Field(ge=1, description="Line in the data file, counted from 1.")
    prompt: str = Field(min_length=1)
    answer: str = Field(min_length=1)
    rationale: str | None = None
    choices: tuple[str, ...] = Field(
        default=(), description="Options of a multiple-choice question, without their letters."
    )
    correct: int | None = Field(default=None, description="Index of the right option.")


def read_records(data: DataConfig) -> Iterator[Record]:
    """Stream the records of a data file.

    Raises:
        StudioError: the file is missing or unreadable (`data_not_found`, `data_unreadable`), a line
            is not what the format asks for (`data_invalid`, with its line), or there is no record
            at all (`data_empty`).
    """
    path = Path(data.path).expanduser()
    if not path.is_file():
        raise StudioError(
            Problem(
                code="data_not_found",
                message=f"The data file {path} does not exist.",
                remedy="Give the path of a JSONL file as the worker sees it.",
                field="data.path",
            )
        )
    found = False
    for record in islice(_parse_lines(path, data), data.limit):
        found = True
        yield record
    if not found:
        raise StudioError(
            Problem(
                code="data_empty",
                message=f"The data file {path} holds no record.",
                remedy="Write one JSON object a line.",
                field="data.path",
            )
        )


def _parse_lines(path: Path, data: DataConfig) -> Iterator[Record]:
    number = 0
    try:
        with _open(path) as lines:
            for number, raw in enumerate(lines, start=1):
                if raw.strip():
                    yield _parse_line(raw, number, data)
    except (OSError, EOFError) as error:
        raise StudioError(
            Problem(
                code="data_unreadable",
                message=f"The data file {path} could not be read after line {number}: {error}.",
                remedy="Check its permissions, and that a gzipped file is whole.",
                field="data.path",
            )
        ) from error


def _open(path: Path) -> BinaryIO:
    if path.suffix == ".gz":
        return cast("BinaryIO", gzip.open(path, "rb"))
    return path.open("rb")


def _parse_line(raw: bytes, number: int, data: DataConfig) -> Record:
    try:
        row = json.loads(raw.decode("utf-8-sig" if number == 1 else "utf-8"))
    except UnicodeDecodeError as error:
        raise _broken(number, f"is not UTF-8 ({error.reason})", "Save the file as UTF-8.") from None
    except json.JSONDecodeError as error:
        raise _broken(
            number, f"is not valid JSON: {error.msg}", "Write one JSON object a line."
        ) from None
    except (ValueError, RecursionError) as error:  # endless numbers, endless nesting
        reason = str(error).partition(";")[0]
        raise _broken(
            number, f"is not valid JSON: {reason}", "Write one JSON object a line."
        ) from None
    if not isinstance(row, dict):
        raise _broken(
            number, f"holds a {type(row).__name__}, not an object", "Write one JSON object a line."
        )
    if data.format == "cos_e":
        return _from_cos_e(row, number, data)
    if data.format == "scienceqa":
        return _from_scienceqa(row, number, data)
    return _from_fields(row, number, data)


def _from_fields(row: dict[str, Any], number: int, data: DataConfig) -> Record:
    fields = data.fields
    rationale = fields.rationale
    reason = _text(row, rationale, number) if rationale and row.get(rationale) else None
    if fields.choices and row.get(fields.choices):
        choices = _choices(row, fields.choices, number)
        question, answer = _text(row, fields.prompt, number), _text(row, fields.answer, number)
        correct = _position(answer, choices, number)
        return _multiple_choice(row, number, data, (question, choices, correct, reason))
    return Record(
        id=_identifier(row, number),
        line=number,
        prompt=_text(row, fields.prompt, number),
        answer=_text(row, fields.answer, number),
        rationale=reason,
    )


def _from_cos_e(row: dict[str, Any], number: int, data: DataConfig) -> Record:
    """CoS-E v1.11 as the hub names its fields: a question with five options and an explanation."""
    choices = _choices(row, "choices", number)
    correct = _position(_text(row, "answer", number), choices, number)
    reason = _optional(row, "abstractive_explanation")
    question = _text(row, "question", number)
    return _multiple_choice(row, number, data, (question, choices, correct, reason))


def _from_scienceqa(row: dict[str, Any], number: int, data: DataConfig) -> Record:
    """ScienceQA, text only: a question, perhaps a hint, options, and a worked solution."""
    if row.get("image"):
        raise _broken(number, "is a question about an image", "Keep records without an image.")
    choices = _choices(row, "choices", number)
    correct = row.get("answer")
    if not isinstance(correct, int) or not 0 <= correct < len(choices):
        raise _broken(number, "has no index of an option in “answer”", "See the ScienceQA format.")
    hint = _optional(row, "hint")
    question = _text(row, "question", number)
    question = f"{hint}\n{question}" if hint else question
    reason = _optional(row, "solution")
    named = {"id": row.get("pid"), **row}
    return _multiple_choice(named, number, data, (question, choices, correct, reason))


LETTERS: Final = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
REASON_FIRST: Final = "Think briefly, then give the letter of the best option."
ANSWER_FIRST: Final = "Give the letter of the best option first, then a short reason."


def _multiple_choice(
    row: dict[str, Any],
    number: int,
    data: DataConfig,
    parts: tuple[str, list[str], int, str | None],
) -> Record:
    question, choices, correct, reason = parts
    options = "\n".join(option(choices, index) for index in range(len(choices)))
    how = ANSWER_FIRST if data.answer_first else REASON_FIRST
    return Record(
        id=_identifier(row, number),
        line=number,
        prompt=f"{question}\n{options}\n{how}",
        answer=option(choices, correct),
        rationale=reason,
        choices=tuple(choices),
        correct=correct,
    )


def option(choices: Sequence[str], index: int) -> str:
    """An option with its letter, as the prompt shows it."""
    return f"{LETTERS[index]}. {choices[index]}"


def _choices(row: dict[str, Any], field: str, number: int) -> list[str]:
    choices = row.get(field)
    if (
        not isinstance(choices, list)
        or not all(isinstance(choice, str) for choice in choices)
        or not 2 <= len(choices) <= len(LETTERS)
    ):
        raise _broken(
            number, f"has no list of 2 to 26 texts in “{field}”", "Write the options as texts."
        )
    return choices


def _position(answer: str, choices: list[str], number: int) -> int:
    if answer not in choices:
        raise _broken(
            number, f"has the answer {answer!r}, which is not among its choices", "Mend the record."
        )
    return choices.index(answer)


def _optional(row: dict[str, Any], field: str) -> str | None:
    value = row.get(field)
    return value.strip() or None if isinstance(value, str) else None


def _identifier(row: dict[str, Any], number: int) -> str:
    identifier = row.get("id")
    if isinstance(identifier, str | int) and not isinstance(identifier, bool):
        return str(identifier)[:200] or f"line-{number}"
    return f"line-{number}"


def _text(row: dict[str, Any], field: str, number: int) -> str:
    if field not in row:
        known = ", ".join(sorted(map(str, row))[:12]) or "none"
        raise _broken(
            number,
            f"has no field “{field}” (it has: {known})",
            "Name the right field under data.fields, or add it to the record.",
        )
    value = row[field]
    if not isinstance(value, str):
        raise _broken(
            number,
            f"has a {type(value).__name__} in “{field}” where text is needed",
            "Write it as a JSON string.",
        )
    if not value.strip():
        raise _broken(number, f"has an empty “{field}”", "Fill it in or remove the record.")
    if any(char == "\x00" or "\ud800" <= char <= "\udfff" for char in value):
        raise _broken(
            number, f"has a NUL or half a surrogate pair in “{field}”", "Remove that character."
        )
    return value


def _broken(number: int, what: str, remedy: str) -> StudioError:
    return StudioError(
        Problem(
            code="data_invalid",
            message=f"Line {number} of the data file {what}.",
            remedy=remedy,
            field="data.path",
            line=number,
        )
    )

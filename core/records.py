"""Worked examples: reading and checking them, line by line.

A record is data: nothing in it is evaluated. A broken line is refused with its number, so that
nothing is skipped silently.
"""

from __future__ import annotations

import gzip
import json
from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import Any, BinaryIO, cast

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
        return _from_cos_e(row, number)
    fields = data.fields
    rationale = fields.rationale
    return Record(
        id=_identifier(row, number),
        line=number,
        prompt=_text(row, fields.prompt, number),
        answer=_text(row, fields.answer, number),
        rationale=_text(row, rationale, number) if rationale and row.get(rationale) else None,
    )


def _from_cos_e(row: dict[str, Any], number: int) -> Record:
    """CoS-E v1.11 as the hub names its fields: a question with five options and an explanation."""
    choices = row.get("choices")
    if not isinstance(choices, list) or not all(isinstance(choice, str) for choice in choices):
        raise _broken(number, "has no list of texts in “choices”", "See the CoS-E v1.11 format.")
    answer = _text(row, "answer", number)
    if answer not in choices or len(choices) > 26:
        raise _broken(
            number, f"has the answer {answer!r}, which is not among its choices", "Mend the record."
        )
    letters = [chr(ord("A") + index) for index in range(len(choices))]
    options = "\n".join(
        f"{letter}. {choice}" for letter, choice in zip(letters, choices, strict=True)
    )
    question = _text(row, "question", number)
    explanation = row.get("abstractive_explanation")
    return Record(
        id=_identifier(row, number),
        line=number,
        prompt=f"{question}\n{options}\nThink briefly, then give the letter of the best option.",
        answer=f"{letters[choices.index(answer)]}. {answer}",
        rationale=explanation.strip() or None if isinstance(explanation, str) else None,
    )


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

"""Takes a record's fields out of a row of a data file; what is wrong is told with its line."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from core.errors import Problem, StudioError

Row = Mapping[str, Any]
LETTERS: Final = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"


def broken(number: int, what: str, remedy: str) -> StudioError:
    """The error for a line that cannot be used: the line's number and what is wrong with it."""
    return StudioError(
        Problem(
            code="data_invalid",
            message=f"Line {number} of the data file {what}.",
            remedy=remedy,
            field="data.path",
            line=number,
        )
    )


def as_row(value: Any, number: int) -> Row:  # noqa: ANN401 - whatever the file holds
    """A row's value, which must be an object."""
    if not isinstance(value, dict):
        raise broken(
            number,
            f"holds a {type(value).__name__}, not an object",
            "Write one JSON object a line.",
        )
    return value


def required(row: Row, field: str, number: int) -> Any:  # noqa: ANN401 - whatever the file holds
    """A field's value, whatever its type.

    Raises:
        StudioError: `data_invalid` if the field is missing.
    """
    if field not in row:
        known = ", ".join(sorted(map(str, row))[:12]) or "none"
        raise broken(
            number,
            f"has no field “{field}” (it has: {known})",
            "Name the right field in the mapping (data.fields), or add it to the record.",
        )
    return row[field]


def text(row: Row, field: str, number: int) -> str:
    """A field that must hold text.

    Raises:
        StudioError: `data_invalid` if it is missing, of another type, empty, or not storable.
    """
    return plain_text(required(row, field, number), field, number)


def plain_text(value: Any, field: str, number: int) -> str:  # noqa: ANN401 - as above
    """A value that must be text."""
    if not isinstance(value, str):
        raise broken(
            number,
            f"has a {type(value).__name__} in “{field}” where text is needed",
            "Write it as a JSON string.",
        )
    if not value.strip():
        raise broken(number, f"has an empty “{field}”", "Fill it in or remove the record.")
    if any(char == "\x00" or "\ud800" <= char <= "\udfff" for char in value):
        raise broken(
            number, f"has a NUL or half a surrogate pair in “{field}”", "Remove that character."
        )
    return value


def optional_text(row: Row, field: str, number: int) -> str | None:
    """A field that may be missing, null or empty, but holds text where it holds anything."""
    value = row.get(field)
    if value is None or (isinstance(value, str) and not value.strip()):
        return None
    return plain_text(value, field, number).strip()


def texts(row: Row, field: str, number: int, *, at_least: int = 0) -> list[str]:
    """A field that must hold a list of texts."""
    value = required(row, field, number)
    if not isinstance(value, list) or len(value) < at_least:
        needed = f"list of at least {at_least} texts" if at_least else "list of texts"
        raise broken(number, f"has no {needed} in “{field}”", "Write it as a JSON array.")
    return [plain_text(item, field, number) for item in value]


def options(row: Row, field: str, number: int) -> list[str]:
    """The options of a multiple-choice question."""
    value = required(row, field, number)
    if not isinstance(value, list) or not 2 <= len(value) <= len(LETTERS):
        raise broken(
            number, f"has no list of 2 to 26 texts in “{field}”", "Write the options as texts."
        )
    return [plain_text(item, field, number) for item in value]


def position(answer: str, choices: Sequence[str], number: int) -> int:
    """Index of the answer among the options."""
    if answer not in choices:
        raise broken(
            number,
            f"has the answer {answer[:100]!r}, which is not among its choices",
            "Mend the record.",
        )
    return choices.index(answer)


def identifier(row: Row, number: int, field: str = "id") -> str:
    """The record's own identifier, else its line."""
    value = row.get(field)
    if isinstance(value, str | int) and not isinstance(value, bool):
        # As long as the column that holds it; surrogates cannot be stored.
        shown = str(value).replace("\x00", "").encode("utf-8", "replace").decode()
        return shown[:200] or f"line-{number}"
    return f"line-{number}"

"""Rows of data files, one after another."""

from __future__ import annotations

import csv
import gzip
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any, BinaryIO, cast

from core.record_fields import broken


def rows(path: Path) -> Iterator[tuple[int, Any]]:
    """Line or row number and value of each row: JSON lines, a JSON array or object, CSV."""
    name = path.name.removesuffix(".gz")
    if name.endswith(".json"):
        yield from _array(path)
    elif name.endswith(".csv"):
        with path.open(newline="", encoding="utf-8-sig") as file:
            yield from enumerate(csv.DictReader(file), start=2)
    else:
        with _open(path) as lines:
            for number, raw in enumerate(lines, start=1):
                if raw.strip():
                    yield number, _parse(raw, number)


def _array(path: Path) -> Iterator[tuple[int, Any]]:
    with _open(path) as file:
        found = _parse(file.read(), 1)
    if isinstance(found, dict):
        found = [{"pid": key, **row} for key, row in found.items() if isinstance(row, dict)]
    yield from enumerate(found, start=1)


def _open(path: Path) -> BinaryIO:
    if path.suffix == ".gz":
        return cast("BinaryIO", gzip.open(path, "rb"))
    return path.open("rb")


def _parse(raw: bytes, number: int) -> Any:  # noqa: ANN401 - whatever the file holds
    try:
        return json.loads(raw.decode("utf-8-sig" if number == 1 else "utf-8"))
    except UnicodeDecodeError as error:
        raise broken(number, f"is not UTF-8 ({error.reason})", "Save the file as UTF-8.") from None
    except json.JSONDecodeError as error:
        raise broken(
            number, f"is not valid JSON: {error.msg}", "Write one JSON object a line."
        ) from None
    except (ValueError, RecursionError) as error:  # endless numbers, endless nesting
        reason = str(error).partition(";")[0]
        raise broken(
            number, f"is not valid JSON: {reason}", "Write one JSON object a line."
        ) from None

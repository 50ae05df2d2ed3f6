"""Rows of data files, one after another; no more than a row or a batch is held in memory.

JSON lines, JSON (an array, or an object of objects), CSV and Parquet; all but Parquet also gzipped.
"""

from __future__ import annotations

import csv
import gzip
import json
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any, BinaryIO, Final, Literal, cast

import ijson

from core.errors import Problem, StudioError
from core.record_fields import broken

Format = Literal["jsonl", "json", "csv", "parquet"]
SUFFIXES: Final[dict[str, Format]] = {
    ".jsonl": "jsonl",
    ".ndjson": "jsonl",
    ".json": "json",
    ".csv": "csv",
    ".tsv": "csv",
    ".parquet": "parquet",
}
"""Formats by what a file's name ends with, before `.gz`."""
LONGEST_LINE: Final = 64 * 2**20
"""Bytes; a longer line is refused, so that a file without line ends cannot fill memory."""
_DELIMITERS: Final = ",;\t"
_SAMPLE_LINES: Final = 20
_BATCH_ROWS: Final = 256
_DEEPEST: Final = 200
_MARK: Final = b"\xef\xbb\xbf"
_ONE_OBJECT: Final = "Write one JSON object a line."


def file_format(name: str) -> Format | None:
    """Format of a file by its name; None if it has none of the known endings."""
    path = Path(name.lower().removesuffix(".gz"))
    found = SUFFIXES.get(path.suffix)
    return None if found == "parquet" and name.lower().endswith(".gz") else found


def rows(path: Path) -> Iterator[tuple[int, Any]]:
    """Number and value of each row; a number is the line where the row starts, else its place.

    Files with an unknown ending are read as JSON lines.

    Raises:
        StudioError: `data_invalid` with the line, or `data_unreadable`.
        OSError: the file cannot be opened.
    """
    for number, value in scan(path):
        if isinstance(value, StudioError):
            raise value
        yield number, value


def scan(path: Path) -> Iterator[tuple[int, Any | StudioError]]:
    """As `rows`, but a row that cannot be read is given as its error, and reading goes on.

    Where it cannot go on (a JSON array that breaks off, a torn archive) the error is the last item.
    """
    reader = {"json": _json, "csv": _csv, "parquet": _parquet}.get(
        file_format(path.name) or "jsonl", _json_lines
    )
    number = 0
    try:
        for number, value in reader(path):
            yield number, value
    except StudioError as error:
        yield error.problem.line or number + 1, error
    except (OSError, EOFError, zlib.error) as error:
        if number == 0 and isinstance(error, FileNotFoundError | PermissionError):
            raise
        yield number + 1, _unreadable(path, number, str(error))


def _unreadable(path: Path, number: int, reason: str) -> StudioError:
    return StudioError(
        Problem(
            code="data_unreadable",
            message=f"The data file {path} could not be read after line {number}: {reason}.",
            remedy="Check its permissions, and that it is whole and what its name says.",
            field="data.path",
        )
    )


def _open(path: Path) -> BinaryIO:
    if path.suffix.lower() == ".gz":
        return cast("BinaryIO", gzip.open(path, "rb"))
    return path.open("rb")


def _lines(file: BinaryIO) -> Iterator[tuple[int, str | StudioError]]:
    """Lines of a file as text, with their ends."""
    number = 0
    while raw := file.readline(LONGEST_LINE):
        number += 1
        if len(raw) == LONGEST_LINE and not raw.endswith(b"\n"):
            while (more := file.readline(LONGEST_LINE)) and not more.endswith(b"\n"):
                pass
            limit = f"{LONGEST_LINE // 2**20} MiB"
            yield number, broken(number, f"is longer than {limit}", "Write one record a line.")
            continue
        try:
            yield number, raw.decode("utf-8-sig" if number == 1 else "utf-8")
        except UnicodeDecodeError as error:
            yield number, broken(number, f"is not UTF-8 ({error.reason})", "Save it as UTF-8.")


def _json_lines(path: Path) -> Iterator[tuple[int, Any | StudioError]]:
    with _open(path) as file:
        for number, line in _lines(file):
            if isinstance(line, StudioError):
                yield number, line
            elif line.strip():
                yield number, _parse(line, number)


def _parse(line: str, number: int) -> Any | StudioError:  # noqa: ANN401 - whatever the file holds
    try:
        return json.loads(line)
    except json.JSONDecodeError as error:
        reason = f"{error.msg.removesuffix(' at')} at column {error.colno}"
        return broken(number, f"is not valid JSON: {reason}", _ONE_OBJECT)
    except (ValueError, RecursionError) as error:  # endless numbers, endless nesting
        reason = str(error).partition(";")[0]
        return broken(number, f"is not valid JSON: {reason}", _ONE_OBJECT)


def _json(path: Path) -> Iterator[tuple[int, Any | StudioError]]:
    """Items of an array, or members of an object whose keys become the field `pid`."""
    number = 0
    try:
        with _open(path) as file:
            metered = _Metered(file)
            for row in _items(file, metered):
                number += 1
                metered.since_item = 0
                yield number, row
    except (ijson.JSONError, ValueError, OverflowError) as error:
        reason = " ".join(str(error).split())[:200]
        raise broken(
            number + 1,
            f"is not valid JSON: {reason}",
            "Write one array of objects; call a file with one object a line .jsonl.",
        ) from None


def _items(file: BinaryIO, metered: _Metered) -> Iterator[Any]:
    first = _first_byte(file)
    if first not in (b"{", b"["):
        raise ValueError("it starts with neither an array nor an object")
    events = ijson.parse(_shallow(ijson.basic_parse(metered, use_float=True)))
    if first == b"[":
        yield from ijson.items(events, "item")
        return
    for key, row in ijson.kvitems(events, ""):
        if isinstance(row, dict):
            yield {"pid": key, **row}


class _Metered:
    """A file that does not give one item more bytes than a line may have."""

    def __init__(self, file: BinaryIO) -> None:
        self.since_item = 0
        self._file = file

    def read(self, size: int) -> bytes:
        """The next bytes.

        Raises:
            ValueError: the item is too long.
        """
        found = self._file.read(size)
        self.since_item += len(found)
        if self.since_item > LONGEST_LINE:
            raise ValueError(f"an item is longer than {LONGEST_LINE // 2**20} MiB")
        return found


def _shallow(events: Iterator[tuple[str, Any]]) -> Iterator[tuple[str, Any]]:
    """The events, as long as they are not nested so deeply that their paths would fill memory."""
    depth = 0
    for event, value in events:
        if event in ("start_map", "start_array"):
            depth += 1
            if depth > _DEEPEST:
                raise ValueError("it is nested too deeply")
        elif event in ("end_map", "end_array"):
            depth -= 1
        yield event, value


def _first_byte(file: BinaryIO) -> bytes:
    """The first byte that is no white space; the file then stands after a byte order mark."""
    start = 3 if file.read(3) == _MARK else 0
    file.seek(start)
    while (found := file.read(1)).isspace():
        pass
    file.seek(start)
    return found


def _csv(path: Path) -> Iterator[tuple[int, Any | StudioError]]:
    delimiter = _delimiter(path)
    # Python's own limit of 128 KiB is below what people write into a cell.
    csv.field_size_limit(LONGEST_LINE)
    with _open(path) as file:
        reader = csv.reader(_texts(file), delimiter=delimiter)
        header: list[str] | None = None
        while True:
            number = reader.line_num + 1
            try:
                cells = next(reader)
            except StopIteration:
                return
            except csv.Error as error:
                yield number, broken(number, f"is not valid CSV: {error}", "Check its quotes.")
                continue
            if header is None:
                header = _header(cells, number) if cells else None
            elif cells:
                yield number, _row(header, cells, number)


def _texts(file: BinaryIO) -> Iterator[str]:
    for _, line in _lines(file):
        if isinstance(line, StudioError):
            raise line
        yield line


def _header(cells: list[str], number: int) -> list[str]:
    names = [cell.strip() for cell in cells]
    if not all(names) or len(set(names)) < len(names):
        raise broken(
            number, "has an empty or repeated column name", "Give each column a name of its own."
        )
    return names


def _row(header: list[str], cells: list[str], number: int) -> dict[str, str] | StudioError:
    if len(cells) != len(header):
        return broken(
            number,
            f"has {len(cells)} cells where the header has {len(header)}",
            "Quote cells that hold the separator or a line break.",
        )
    return dict(zip(header, cells, strict=True))


def _delimiter(path: Path) -> str:
    """The separator that splits the first lines into most columns, and all into equally many."""
    with _open(path) as file:
        sample = [line for _, line in zip(range(_SAMPLE_LINES), _texts(file), strict=False)]

    def suits(delimiter: str) -> tuple[bool, int]:
        try:
            found = [len(cells) for cells in csv.reader(sample, delimiter=delimiter) if cells]
        except csv.Error:
            return False, 0
        whole = found[:-1] if len(found) > 2 else found  # the last may go on beyond the sample
        return len(set(whole)) == 1 and whole[0] > 1, whole[0] if whole else 0

    return max(_DELIMITERS, key=suits)


def _parquet(path: Path) -> Iterator[tuple[int, Any | StudioError]]:
    try:
        import pyarrow as pa  # noqa: PLC0415 - large, and seldom needed
        from pyarrow import parquet  # noqa: PLC0415
    except ImportError:
        raise StudioError(
            Problem(
                code="data_unreadable",
                message=f"The data file {path} is Parquet, and pyarrow is not installed.",
                remedy="Install the extra `web` or `train`, or convert the file to JSON lines.",
                field="data.path",
            )
        ) from None
    number = 0
    try:
        with parquet.ParquetFile(path, pre_buffer=False) as file:
            for batch in file.iter_batches(batch_size=_BATCH_ROWS):
                for row in batch.to_pylist():
                    number += 1
                    yield number, row
    except (pa.ArrowException, ValueError) as error:
        reason = " ".join(str(error).split())[:200]
        raise _unreadable(path, number, reason) from None

"""How the command line tells things: data on stdout, words on stderr, exit codes for scripts.

Exit codes: 0 done; 1 done, but what was asked about is not well (a run failed, rows are broken);
2 refused, because of the input or the state of things; 3 the studio could not be asked, later it
may; 130 interrupted.
"""

from __future__ import annotations

import json
import re
import sys
import time
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Annotated, Final

import typer
from pydantic import BaseModel

from app.client import Client, ServerError, UnavailableError, UnreachableError
from core.errors import Problem, StudioError
from core.words import duration

NOT_WELL: Final = 1
REFUSED: Final = 2
UNREACHABLE: Final = 3
INTERRUPTED: Final = 130

AsJson = Annotated[bool, typer.Option("--json", help="For programs: JSON.")]
Yes = Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")]
Project = Annotated[str | None, typer.Option(help="Name of a project. Absent: all, or Default.")]

_FIGURE: Final = re.compile(r"–|-?[\d,.]+(e[+-]?\d+)?|NaN|-?Infinity|[\d,]+/[\d,]+|[\d.]+ GiB")


@contextmanager
def studio() -> Iterator[Client]:
    """A client of the studio; problems are told and end the command with their exit code."""
    with problems_told(), Client() as client:
        yield client


@contextmanager
def problems_told() -> Iterator[None]:
    """Tell problems as sentences on stderr, each with its field.

    Raises:
        typer.Exit: there were some, or somebody pressed Ctrl-C.
    """
    try:
        yield
    except StudioError as error:
        for problem in error.problems:
            place = f"{problem.field}: " if problem.field else ""
            tell(f"{place}{problem}")
        later = isinstance(error, UnreachableError | UnavailableError | ServerError)
        raise typer.Exit(UNREACHABLE if later else REFUSED) from None
    except KeyboardInterrupt:
        raise typer.Exit(INTERRUPTED) from None


def mistake(code: str, message: str, remedy: str, field: str | None = None) -> StudioError:
    """A mistake on the command line."""
    return StudioError(Problem(code=code, message=message, remedy=remedy, field=field))


def say(line: str) -> None:
    """Put a line of data on stdout, at once."""
    typer.echo(line)
    sys.stdout.flush()


def tell(line: str) -> None:
    """Tell the person at the terminal, on stderr."""
    typer.echo(line, err=True)


def say_json(found: BaseModel | Iterable[BaseModel]) -> None:
    """A thing as a JSON object, or things as an array."""
    if isinstance(found, BaseModel):
        say(found.model_dump_json(indent=2))
        return
    plain = [one.model_dump(mode="json") for one in found]
    say(json.dumps(plain, indent=2, ensure_ascii=False))


def say_table(heads: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    """Columns that line up; numbers to the right. Without rows nothing, so scripts see nothing."""
    given = list(rows)
    if not given:
        return
    texts = [[_text(value) for value in row] for row in given]
    kinds = [all(_FIGURE.fullmatch(line[column]) for line in texts) for column in range(len(heads))]
    lines = [[head.upper() for head in heads], *texts]
    widths = [max(len(line[column]) for line in lines) for column in range(len(heads))]
    for line in lines:
        cells = [
            cell.rjust(width) if right else cell.ljust(width)
            for cell, width, right in zip(line, widths, kinds, strict=True)
        ]
        say("  ".join(cells).rstrip())


def say_facts(facts: Iterable[tuple[str, object]]) -> None:
    """Names and what they are; those that are None or empty are left out."""
    shown = [(name, _text(value)) for name, value in facts if value not in (None, "", [])]
    width = max((len(name) for name, _ in shown), default=0)
    for name, value in shown:
        say(f"{name:<{width}}  {value}")


def ago(moment: datetime | float | None) -> str:
    """How long ago something was, in words."""
    if moment is None:
        return "–"
    seconds = moment if isinstance(moment, float) else (datetime.now(UTC) - moment).total_seconds()
    return f"{duration(max(0.0, seconds))} ago"


def since(epoch: float) -> str:
    """How long ago it was, of seconds since the Unix epoch."""
    return ago(time.time() - epoch)


def number(value: float | None) -> str:
    """A figure in short; unknown ones are a dash."""
    return "–" if value is None else f"{value:.4g}"


def gib(size: float | None) -> str:
    """Bytes in GiB."""
    return "–" if size is None else f"{size / 2**30:.1f} GiB"


def confirm(question: str, *, yes: bool) -> None:
    """Ask before something that cannot be undone.

    Raises:
        typer.Abort: the answer was no.
    """
    if not yes:
        typer.confirm(question, abort=True, err=True)


def _text(value: object) -> str:
    return "–" if value is None else f"{value:,}" if isinstance(value, int) else str(value)

"""`unisd metrics`: a run's metrics as a table, CSV or JSON."""

from __future__ import annotations

import csv
import sys
from collections.abc import Iterator, Sequence
from enum import StrEnum
from typing import Annotated, Final

import typer

from app.client import Client
from app.runs.schemas import MetricSeries, Series
from cli.runs import Run
from cli.telling import AsJson, mistake, number, say_json, say_table, studio

_TOKENS: Final = "train/tokens"


class X(StrEnum):
    """What stands in the first columns of a CSV."""

    STEP = "step"
    TIME = "time"
    RELATIVE = "relative"
    TOKENS = "tokens"


def metrics(
    run: Run,
    names: Annotated[
        list[str] | None, typer.Argument(metavar="[METRIC]...", help="Absent: all.")
    ] = None,
    attempt: Annotated[int | None, typer.Option(min=1, help="Absent: the latest.")] = None,
    x: Annotated[
        list[X] | None,
        typer.Option(
            help="First columns of the CSV: step; time (Unix seconds); relative (seconds since the "
            "first point); tokens. Absent: step and time."
        ),
    ] = None,
    *,
    as_csv: Annotated[
        bool, typer.Option("--csv", help="Every point; a column per metric.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """A run's metrics: last, lowest and highest values, or with --csv or --json every point."""
    chosen = x or [X.STEP, X.TIME]
    with studio() as client:
        run_id = client.runs.find(run).id
        found = client.runs.history(run_id, names or (), attempt=attempt)
        _refuse_unknown(found, names or ())
        tokens = _tokens(client, run_id, found) if as_csv and X.TOKENS in chosen else {}
    if as_json:
        say_json(found)
    elif as_csv:
        _write_csv(found, names or [one.name for one in found.items], chosen, tokens)
    else:
        say_table(
            ["metric", "points", "step", "last", "min", "max"], [_row(one) for one in found.items]
        )


def _refuse_unknown(found: MetricSeries, names: Sequence[str]) -> None:
    known = {one.name for one in found.items}
    missing = [name for name in names if name not in known]
    if missing:
        raise mistake(
            "metric_unknown",
            f"The run has not reported {', '.join(missing)}.",
            "`unisd metrics RUN` shows what it has.",
        )


def _row(one: Series) -> list[object]:
    finite = [value for value in one.values if value is not None]
    last = number(one.values[-1]) if one.values else "–"
    if one.non_finite and one.non_finite[-1].step == one.steps[-1]:
        last = one.non_finite[-1].value
    low, high = (number(min(finite)), number(max(finite))) if finite else ("–", "–")
    return [one.name, one.points, one.steps[-1] if one.steps else None, last, low, high]


def _tokens(client: Client, run_id: str, found: MetricSeries) -> dict[int, float | None]:
    """Tokens that the network had been put through at each step."""
    whole = client.runs.history(run_id, _TOKENS, attempt=found.attempt)
    return (
        dict(zip(whole.items[0].steps, whole.items[0].values, strict=True)) if whole.items else {}
    )


def _write_csv(
    found: MetricSeries, names: Sequence[str], x: Sequence[X], tokens: dict[int, float | None]
) -> None:
    writer = csv.writer(sys.stdout, lineterminator="\n")
    writer.writerow([*x, *names])
    writer.writerows(_rows(found, names, x, tokens))


def _rows(
    found: MetricSeries, names: Sequence[str], x: Sequence[X], tokens: dict[int, float | None]
) -> Iterator[list[object]]:
    """A line for each step at which any metric was reported; what was not is empty."""
    columns = {one.name: _cells(one) for one in found.items}
    times: dict[int, float] = {}
    for one in found.items:
        for step, moment in zip(one.steps, one.times, strict=True):
            times[step] = min(moment, times.get(step, moment))
    first = min(times.values(), default=0.0)
    for step in sorted(times):
        places = {
            X.STEP: step,
            X.TIME: times[step],
            X.RELATIVE: round(times[step] - first, 6),
            X.TOKENS: tokens.get(step),
        }
        yield [*(places[one] for one in x), *(columns[name].get(step) for name in names)]


def _cells(one: Series) -> dict[int, float | str | None]:
    cells: dict[int, float | str | None] = dict(zip(one.steps, one.values, strict=True))
    return cells | {gap.step: gap.value for gap in one.non_finite}

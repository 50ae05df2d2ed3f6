"""`unisd compare`, `unisd search` and `unisd views`: several things at once."""

from __future__ import annotations

import csv
import json
import sys
from collections.abc import Iterator, Sequence
from fnmatch import fnmatchcase
from typing import Annotated, Any

import typer

from app.comparisons.schemas import Cell, ConfigRow, MetricRow, RunComparison, Statistic
from app.statistics import Interval
from cli.runs import Several
from cli.telling import (
    AsJson,
    Project,
    Yes,
    ago,
    confirm,
    mistake,
    number,
    say,
    say_facts,
    say_json,
    say_table,
    studio,
    tell,
)

views_app = typer.Typer(
    name="views",
    help="Lists of runs that people saved on the page; `unisd runs list --view` shows one.",
    no_args_is_help=True,
)
View = Annotated[str, typer.Argument(metavar="VIEW", help="Identifier, its beginning, or name.")]


def compare(
    runs: Several,
    baseline: Annotated[
        str | None, typer.Option(help="Run that the others are compared with. Absent: the first.")
    ] = None,
    metric: Annotated[
        list[str] | None, typer.Option(help="Only these metrics; * stands for anything.")
    ] = None,
    statistic: Annotated[
        Statistic, typer.Option(help="Which of each metric's values is compared.")
    ] = "last",
    *,
    seeds: Annotated[
        bool, typer.Option(help="Runs that differ only in their seeds stand together.")
    ] = True,
    as_csv: Annotated[
        bool, typer.Option("--csv", help="The metrics, a line per metric and column.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Runs side by side: what differs in their configurations, metrics, and evaluations."""
    with studio() as client:
        ids = [client.runs.find(run).id for run in runs]
        base = client.runs.find(baseline).id if baseline else None
        if base and base not in ids:
            ids.insert(0, base)
        if len(set(ids)) < 2:
            message = "Only one run is named."
            raise mistake("input_invalid", message, "Name at least two to compare.", "RUN")
        found = client.comparisons.get(ids, baseline=base, seeds=seeds, statistic=statistic)
        shown = [row for row in found.metrics if _wanted(row.name, metric or ())]
        if metric and not shown:
            message = f"None of the runs has reported {', '.join(metric)}."
            raise mistake("metric_unknown", message, "`unisd metrics RUN` lists theirs.", "metric")
    if as_json:
        say_json(found)
    elif as_csv:
        _write_csv(found, shown)
    else:
        _say_comparison(found, shown)


def search(
    text: Annotated[str, typer.Argument(help="In a name, or an identifier. Absent: newest.")] = "",
    limit: Annotated[int, typer.Option(min=1, max=50, help="Of each kind at most.")] = 8,
    *,
    as_json: AsJson = False,
) -> None:
    """Find runs, data sets, studies and workers by name or identifier."""
    with studio() as client:
        found = client.search(text, limit=limit)
    if as_json:
        say_json(found)
        return
    rows = [[hit.kind, hit.id, hit.status or hit.detail, hit.name] for hit in found]
    say_table(["kind", "id", "what", "name"], rows)


@views_app.command("list")
def list_views(project: Project = None, *, as_json: AsJson = False) -> None:
    """Saved views by name."""
    with studio() as client:
        project_id = client.projects.find(project).id if project else None
        found = list(client.views.list(project_id=project_id))
    if as_json:
        say_json(found)
        return
    rows = [[one.id, one.created_by, ago(one.created_at), one.name] for one in found]
    say_table(["id", "by", "created", "name"], rows)


@views_app.command("show")
def show_view(view: View, project: Project = None, *, as_json: AsJson = False) -> None:
    """What a view shows of the runs."""
    with studio() as client:
        project_id = client.projects.find(project).id if project else None
        found = client.views.find(view, project_id=project_id)
    if as_json:
        say_json(found)
    else:
        say_facts([("view", found.id), ("name", found.name), *found.search.items()])


@views_app.command("delete")
def delete_view(view: View, project: Project = None, *, yes: Yes = False) -> None:
    """Forget a view, for everybody; the runs stay."""
    with studio() as client:
        project_id = client.projects.find(project).id if project else None
        found = client.views.find(view, project_id=project_id)
        confirm(f"Forget the view “{found.name}”?", yes=yes)
        client.views.delete(found.id)
    tell(f"{found.id} is deleted.")


def _wanted(name: str, patterns: Sequence[str]) -> bool:
    return not patterns or any(fnmatchcase(name, one) for one in patterns)


def _say_comparison(found: RunComparison, metrics: Sequence[MetricRow]) -> None:
    labels = [column.label for column in found.columns]
    for column in found.columns:
        named = ", ".join(f"{run.id} ({run.status})" for run in column.runs)
        say(f"{column.label}: {named}{', the baseline' if column.baseline else ''}")
    differing = [row for row in found.config if row.differs]
    _say_part(["field", *labels], [[row.path, *_fields(row)] for row in differing])
    _say_part(["metric", *labels], [[row.name, *map(_cell, row.cells)] for row in metrics])
    rows = [
        [row.set, *(_accuracy(cell.accuracy) for cell in row.cells)] for row in found.evaluations
    ]
    _say_part(["accuracy", *labels], rows)


def _say_part(heads: list[str], rows: list[list[str]]) -> None:
    if rows:
        say("")
        say_table(heads, rows)


def _fields(row: ConfigRow) -> Iterator[str]:
    for present, value in zip(row.present, row.values, strict=True):
        yield _field(value) if present else "–"


def _field(value: Any) -> str:  # noqa: ANN401 - any JSON
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def _cell(cell: Cell | None) -> str:
    """A value, and how far it is from the baseline's, with the interval of that difference."""
    if cell is None:
        return "–"
    text = cell.non_finite or number(cell.value)
    if cell.delta is None:
        return text
    text += f" ({cell.delta:+.3g}"
    if cell.delta_low is not None and cell.delta_high is not None:
        text += f", {cell.delta_low:+.3g} to {cell.delta_high:+.3g}"
    return f"{text})"


def _accuracy(found: Interval) -> str:
    if found.estimate is None:
        return "–"
    text = f"{found.estimate:.1%}"
    if found.low is not None and found.high is not None:
        text += f" ({found.low:.1%} to {found.high:.1%})"
    return text


def _write_csv(found: RunComparison, metrics: Sequence[MetricRow]) -> None:
    heads = ["value", "low", "high", "n", "delta", "delta_low", "delta_high"]
    writer = csv.writer(sys.stdout, lineterminator="\n")
    writer.writerow(["metric", "column", "runs", *heads])
    for row in metrics:
        for column, cell in zip(found.columns, row.cells, strict=True):
            if cell is not None:
                ids = " ".join(run.id for run in column.runs)
                told = cell.model_dump(include=set(heads))
                told["value"] = cell.non_finite or cell.value
                writer.writerow([row.name, column.label, ids, *(told[head] for head in heads)])

"""`unisd datasets`: uploads data files and shows what was found in them."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Final

import typer
from pydantic import BaseModel

from app.client import Client
from app.datasets.schemas import Leaks, RawRow, Report, VersionOut
from cli.telling import (
    NOT_WELL,
    AsJson,
    Yes,
    confirm,
    mistake,
    say,
    say_json,
    say_table,
    studio,
    tell,
)
from core.data_config import DataFields

app = typer.Typer(
    name="datasets",
    help="Upload data files to a running studio, and see what is in them.",
    no_args_is_help=True,
)
_LISTED: Final = 10
_SHOWN: Final = 200
_PARTS: Final = ", ".join(DataFields.model_fields)
Reference = Annotated[
    str, typer.Argument(metavar="NAME[@NUMBER]", help="Without a number: the newest version.")
]
Project = Annotated[
    str | None, typer.Option(help="Name of a project; needed where several have such a data set.")
]


class Checked(BaseModel):
    """What the check found, for programs."""

    report: Report
    leaks: Leaks | None


@app.command("list")
def list_datasets(
    project: Annotated[str | None, typer.Option(help="Name of a project. Absent: all.")] = None,
    *,
    as_json: AsJson = False,
) -> None:
    """Data sets with their newest version's figures."""
    with studio() as client:
        project_id = client.projects.find(project).id if project else None
        found = list(client.datasets.list(project_id=project_id))
    if as_json:
        say_json(found)
        return
    say_table(
        ["data set", "rows", "broken", "bytes"],
        [
            [
                f"{one.name}@{one.latest}" if one.latest else f"{one.name} (empty)",
                one.rows or 0,
                one.broken or 0,
                one.bytes or 0,
            ]
            for one in found
        ],
    )


@app.command()
def show(name: Reference, project: Project = None, *, as_json: AsJson = False) -> None:
    """A version: where it came from, its mapping, and its report."""
    with studio() as client:
        version = _find(client, name, project)
    _say_version(version, as_json=as_json)


@app.command()
def upload(
    file: Annotated[Path, typer.Argument(help="JSONL, JSON, CSV, TSV or Parquet, also gzipped.")],
    name: Annotated[str | None, typer.Option(help="Absent: the file's own.")] = None,
    project: Annotated[str | None, typer.Option(help="Absent: the default one.")] = None,
    *,
    as_json: AsJson = False,
) -> None:
    """Upload a file as a new version; says what was found in it."""
    with studio() as client:
        project_id = client.projects.find(project).id if project else None
        version = client.datasets.upload(file, name=name, project_id=project_id)
    _say_version(version, as_json=as_json)


@app.command()
def preview(
    name: Reference,
    project: Project = None,
    limit: Annotated[int, typer.Option(min=1, max=500, help="Rows.")] = 5,
    offset: Annotated[int, typer.Option(min=0, help="Rows to pass over.")] = 0,
    *,
    as_json: AsJson = False,
) -> None:
    """Rows as the mapping makes them."""
    with studio() as client:
        version = _find(client, name, project)
        found = client.datasets.preview(version, limit=limit, offset=offset)
    if as_json:
        say_json(found.items)
        return
    for row in found.items:
        _say_row(row)


@app.command("map")
def change_mapping(
    name: Reference,
    parts: Annotated[
        list[str],
        typer.Argument(
            metavar="PART=COLUMN...", help=f"Parts: {', '.join(DataFields.model_fields)}"
        ),
    ],
    project: Project = None,
    *,
    as_json: AsJson = False,
) -> None:
    """Map columns otherwise, as a new version of the same file: `map sums prompt=q answer=a`.

    Parts that are not named keep their column; `part=` without a column unmaps it.
    """
    with studio() as client:
        version = _find(client, name, project)
        mapping = {**version.mapping.model_dump(), **_parts(parts)}
        changed = client.datasets.change_mapping(version, mapping)
    _say_version(changed, as_json=as_json)


@app.command()
def check(
    train: Reference,
    evaluation: Annotated[
        str | None, typer.Argument(metavar="[NAME[@NUMBER]]", help="What the model is asked.")
    ] = None,
    project: Project = None,
    *,
    as_json: AsJson = False,
) -> None:
    """Broken rows, duplicates, and examples that are both trained on and asked.

    Ends with 1 if there are any.
    """
    with studio() as client:
        first = _find(client, train, project)
        found = None
        if evaluation is not None:
            second = _find(client, evaluation, project)
            found = client.datasets.leaks(first, second)
    if as_json:
        say_json(Checked(report=first.report, leaks=found))
    else:
        _say_report(first.report)
        _say_leaks(found, first)
    if first.report.broken or first.report.duplicates or (found is not None and found.leaked):
        raise typer.Exit(NOT_WELL)


@app.command()
def delete(name: Reference, project: Project = None, *, yes: Yes = False) -> None:
    """Delete a version, or with a name alone the data set with all versions."""
    with studio() as client:
        version = _find(client, name, project)
        whole = "@" not in name
        what = f"{name} with all its versions" if whole else version.reference
        confirm(f"Delete {what}?", yes=yes)
        if whole:
            client.datasets.delete(version.dataset_id)
        else:
            client.datasets.delete_version(version)
    tell(f"{what} is deleted.")


def _find(client: Client, reference: str, project: str | None) -> VersionOut:
    project_id = client.projects.find(project).id if project else None
    return client.datasets.find(reference, project_id=project_id)


def _parts(given: list[str]) -> Mapping[str, str | None]:
    parts: dict[str, str | None] = {}
    for one in given:
        part, equals, column = one.partition("=")
        if not equals or part not in DataFields.model_fields:
            raise mistake(
                "mapping_invalid",
                f"“{one}” maps nothing.",
                f"Write PART=COLUMN with one of: {_PARTS}.",
            )
        parts[part] = column or None
    return parts


def _say_version(version: VersionOut, *, as_json: bool) -> None:
    if as_json:
        say_json(version)
        return
    say(f"{version.reference}  {version.file_name}, {version.bytes:,} bytes")
    say(f"SHA-256 {version.sha256}")
    if version.origin is not None:
        origin = version.origin
        say(f"from {origin.repo_id}, {origin.file} at {origin.revision}")
    mapping = {part: column for part, column in version.mapping.model_dump().items() if column}
    say("mapping " + " ".join(f"{part}={column}" for part, column in mapping.items()))
    say("columns " + ", ".join(column.name for column in version.report.columns))
    _say_report(version.report)


def _say_report(report: Report) -> None:
    kinds = ", ".join(f"{count:,} {task}" for task, count in sorted(report.tasks.items()))
    say(f"{report.good:,} of {report.rows:,} rows are examples" + (f" ({kinds})" if kinds else ""))
    for problem in report.problems[:_LISTED]:
        say(f"  {problem}")
    if report.broken > _LISTED:
        say(f"  … {report.broken:,} in all")
    if report.duplicates:
        say(f"{report.duplicates:,} examples ask what an earlier line asks")
        for pair in report.duplicate_lines[:_LISTED]:
            say(f"  line {pair.line} is line {pair.first}")


def _say_leaks(found: Leaks | None, first: VersionOut) -> None:
    if found is None:
        return
    say(f"{found.leaked:,} of {found.evaluation:,} examples are also trained on")
    for pair in found.lines[:_LISTED]:
        say(f"  line {pair.line} is line {pair.first} of {first.reference}")


def _say_row(row: RawRow) -> None:
    say(f"line {row.line}")
    if row.record is None:
        say(f"  {row.problem}")
        return
    for turn in row.record.turns:
        say(f"  {turn.role}: {_short(turn.content)}")
    say(f"  prompt: {_short(row.record.prompt)}")
    say(f"  answer: {_short(row.record.answer)}")
    if row.record.rationale:
        say(f"  rationale: {_short(row.record.rationale)}")


def _short(text: str) -> str:
    shown = json.dumps(text, ensure_ascii=False)[1:-1]
    return shown if len(shown) <= _SHOWN else shown[:_SHOWN] + "…"

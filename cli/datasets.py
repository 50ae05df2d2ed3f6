"""`unisd datasets`: uploads data files and shows what was found in them."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Any, Final

import typer

from app.datasets.schemas import Leaks, Preview, Report, VersionOut
from cli.api_client import request
from cli.environment import read_settings
from cli.up import say
from core.data_config import DataFields
from core.errors import Problem, StudioError

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
Project = Annotated[str | None, typer.Option(help="Name of a project. Absent: the default one.")]


@app.command("list")
def list_datasets(project: Annotated[str | None, typer.Option(help="Its name.")] = None) -> None:
    """Data sets with their newest version's figures."""
    with _problems_told():
        params = {"limit": 500} | ({"project_id": _project_id(project)} if project else {})
        found = _ask("GET", "/api/datasets", params=params)
    for one in found["items"]:
        newest = f"{one['name']}@{one['latest']}" if one["latest"] else f"{one['name']} (empty)"
        figures = f"{one['rows'] or 0:>10,} rows {one['bytes'] or 0:>15,} bytes"
        say(f"{newest:<40}{figures}" + (f"  {one['broken']:,} broken" if one["broken"] else ""))
    if found["total"] > len(found["items"]):
        say(f"… of {found['total']}")


@app.command()
def show(name: Reference, project: Project = None) -> None:
    """A version: where it came from, its mapping, and its report."""
    with _problems_told():
        _, version = _find(name, project)
    _tell(version)


@app.command()
def upload(
    file: Annotated[Path, typer.Argument(help="JSONL, JSON, CSV, TSV or Parquet, also gzipped.")],
    name: Annotated[str | None, typer.Option(help="Absent: the file's own.")] = None,
    project: Project = None,
) -> None:
    """Upload a file as a new version; says what was found in it."""
    own = file.name.split(".")[0]
    params = {"name": name or own, "file_name": file.name}
    with _problems_told():
        if project:
            params["project_id"] = _project_id(project)
        try:
            with file.open("rb") as content:
                found = request(
                    read_settings(), "POST", "/api/datasets/upload", params=params, file=content
                )
        except OSError as error:
            raise _mistake(
                "data_not_found", f"{file} cannot be read: {error.strerror}.", "Check its path."
            ) from error
    _tell(VersionOut.model_validate(found))


@app.command()
def preview(
    name: Reference,
    project: Project = None,
    limit: Annotated[int, typer.Option(min=1, max=500, help="Rows.")] = 5,
    offset: Annotated[int, typer.Option(min=0, help="Rows to pass over.")] = 0,
) -> None:
    """Rows as the mapping makes them."""
    with _problems_told():
        address, _ = _find(name, project)
        params = {"limit": limit, "offset": offset}
        found = Preview.model_validate(_ask("GET", f"{address}/preview", params=params))
    for row in found.items:
        say(f"line {row.line}")
        if row.record is None:
            say(f"  {row.problem}")
            continue
        for turn in row.record.turns:
            say(f"  {turn.role}: {_short(turn.content)}")
        say(f"  prompt: {_short(row.record.prompt)}")
        say(f"  answer: {_short(row.record.answer)}")
        if row.record.rationale:
            say(f"  rationale: {_short(row.record.rationale)}")


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
) -> None:
    """Map columns otherwise, as a new version of the same file: `map sums prompt=q answer=a`.

    Parts that are not named keep their column; `part=` without a column unmaps it.
    """
    with _problems_told():
        address, version = _find(name, project)
        mapping = {**version.mapping.model_dump(), **_parts(parts)}
        found = _ask("POST", f"{address}/mapping", {"mapping": mapping})
    _tell(VersionOut.model_validate(found))


@app.command()
def check(
    train: Reference,
    evaluation: Annotated[
        str | None, typer.Argument(metavar="[NAME[@NUMBER]]", help="What the model is asked.")
    ] = None,
    project: Project = None,
) -> None:
    """Broken rows, duplicates, and examples that are both trained on and asked.

    Ends with 1 if there are any.
    """
    with _problems_told():
        _, first = _find(train, project)
        found = None
        if evaluation is not None:
            _, second = _find(evaluation, project)
            params = {"train": first.id, "evaluation": second.id}
            found = Leaks.model_validate(_ask("GET", "/api/datasets/leaks", params=params))
    _tell_report(first.report)
    if found is not None:
        say(f"{found.leaked:,} of {found.evaluation:,} examples are also trained on")
        for pair in found.lines[:_LISTED]:
            say(f"  line {pair.line} is line {pair.first} of {first.reference}")
    if first.report.broken or first.report.duplicates or (found is not None and found.leaked):
        raise typer.Exit(1)


@app.command()
def delete(
    name: Reference,
    project: Project = None,
    *,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
) -> None:
    """Delete a version, or with a name alone the data set with all versions."""
    with _problems_told():
        address, version = _find(name, project)
        whole = "@" not in name
        what = f"{name} with all its versions" if whole else version.reference
        if not yes:
            typer.confirm(f"Delete {what}?", abort=True)
        _ask("DELETE", f"/api/datasets/{version.dataset_id}" if whole else address)
    say(f"{what} is deleted.")


@contextmanager
def _problems_told() -> Iterator[None]:
    """Tell problems in the way of the command line."""
    try:
        yield
    except StudioError as error:
        for problem in error.problems:
            place = f"{problem.field}: " if problem.field else ""
            typer.echo(f"{place}{problem}", err=True)
        raise typer.Exit(2) from None


def _ask(
    method: str,
    path: str,
    body: dict[str, Any] | None = None,
    params: dict[str, Any] | None = None,
) -> dict[str, Any]:
    return request(read_settings(), method, path, body, params=params)


def _mistake(code: str, message: str, remedy: str) -> StudioError:
    return StudioError(Problem(code=code, message=message, remedy=remedy))


def _project_id(name: str | None) -> str:
    found = _ask("GET", "/api/projects", params={"name": name or "Default"})["items"]
    if not found:
        raise _mistake("not_found", f"There is no project “{name}”.", "Make it, or leave it out.")
    return str(found[0]["id"])


def _find(reference: str, project: str | None) -> tuple[str, VersionOut]:
    """A version and its address."""
    name, _, number = reference.partition("@")
    params = {"name": name, "project_id": _project_id(project)}
    found = _ask("GET", "/api/datasets", params=params)["items"]
    versions = _ask("GET", f"/api/datasets/{found[0]['id']}")["items"] if found else []
    for one in versions:
        if not number or str(one["number"]) == number:
            address = f"/api/datasets/{one['dataset_id']}/versions/{one['number']}"
            return address, VersionOut.model_validate(one)
    raise _mistake(
        "dataset_unknown", f"There is no data set “{reference}”.", "See `unisd datasets list`."
    )


def _parts(given: list[str]) -> Mapping[str, str | None]:
    parts: dict[str, str | None] = {}
    for one in given:
        part, equals, column = one.partition("=")
        if not equals or part not in DataFields.model_fields:
            raise _mistake(
                "mapping_invalid",
                f"“{one}” maps nothing.",
                f"Write PART=COLUMN with one of: {_PARTS}.",
            )
        parts[part] = column or None
    return parts


def _tell(version: VersionOut) -> None:
    say(f"{version.reference}  {version.file_name}, {version.bytes:,} bytes")
    say(f"SHA-256 {version.sha256}")
    if version.origin is not None:
        origin = version.origin
        say(f"from {origin.repo_id}, {origin.file} at {origin.revision}")
    mapping = {part: column for part, column in version.mapping.model_dump().items() if column}
    say("mapping " + " ".join(f"{part}={column}" for part, column in mapping.items()))
    say("columns " + ", ".join(column.name for column in version.report.columns))
    _tell_report(version.report)


def _tell_report(report: Report) -> None:
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


def _short(text: str) -> str:
    shown = json.dumps(text, ensure_ascii=False)[1:-1]
    return shown if len(shown) <= _SHOWN else shown[:_SHOWN] + "…"

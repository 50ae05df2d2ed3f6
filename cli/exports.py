"""`unisd exports` and `unisd runs export|bundle|import`: what runs made, taken elsewhere."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Any

import typer
from pydantic import ValidationError

from app.client import Client
from app.exports.schemas import ExportOut
from app.runs.schemas import RunEventOut
from cli.runs import Follow, Name, Run
from cli.runs import app as runs
from cli.telling import (
    NOT_WELL,
    AsJson,
    Yes,
    ago,
    confirm,
    gib,
    mistake,
    say,
    say_facts,
    say_json,
    say_table,
    studio,
    tell,
)
from core.bundle import FILE_ENDING, Bundle
from core.export_job import ExportKind, GgufType, Weights
from core.states import RunStatus

app = typer.Typer(
    name="exports",
    help="See, fetch and remove exports; `unisd runs export` makes them.",
    no_args_is_help=True,
)
Export = Annotated[str, typer.Argument(metavar="EXPORT", help="Identifier, or its beginning.")]
Out = Annotated[Path, typer.Option(help="Folder, or the new file's path.")]


@runs.command("export")
def export_run(
    run: Run,
    kind: Annotated[ExportKind, typer.Option(help="What is made.")] = ExportKind.ADAPTER,
    checkpoint: Annotated[int | None, typer.Option(help="Step; absent: the run's end.")] = None,
    weights: Annotated[Weights, typer.Option(help="Of merged, gguf and hub.")] = "student",
    gguf_type: Annotated[GgufType, typer.Option(help="Number format of a GGUF file.")] = "f16",
    repository: Annotated[
        str | None,
        typer.Option(help="For hub: OWNER/NAME; the token is read from HF_TOKEN, or asked for."),
    ] = None,
    out: Annotated[
        Path | None, typer.Option(help="Wait for it, and fetch it into this folder.")
    ] = None,
    *,
    private: Annotated[bool, typer.Option(help="A repository that is made is private.")] = True,
    following: Follow = False,
    as_json: AsJson = False,
) -> None:
    """Have a worker make files of a run's weights and check them; prints the identifier."""
    wanted: dict[str, Any] = {"kind": kind, "weights": weights, "gguf_type": gguf_type}
    if checkpoint is not None:
        wanted["checkpoint"] = checkpoint
    with studio() as client:
        if repository is not None:
            hub = {"repository": repository, "token": _hub_token(), "private": private}
            wanted["hub"] = hub
        made = client.exports.start(client.runs.find(run).id, wanted)
        tell(f"“{made.name}” is queued, about {gib(made.estimate_bytes)}.")
        if following or out is not None:
            made = _wait(client, made.id)
        if out is not None and made.downloadable:
            with _writing(out):
                out.mkdir(parents=True, exist_ok=True)
            tell(f"It lies in {_fetch(client, made.id, out, None)}.")
    if as_json:
        say_json(made)
    else:
        say(made.id)


@runs.command()
def bundle(
    run: Run,
    out: Annotated[
        Path | None, typer.Option(help="Folder, or the new file's path. Absent: print it.")
    ] = None,
) -> None:
    """Give a run's reproduction bundle: configuration, seeds, data hash, versions, results."""
    with studio() as client:
        found = client.runs.find(run)
        content = client.bundles.get(found.id).model_dump_json(indent=2)
        if out is None:
            say(content)
            return
        file = out / f"{found.id}{FILE_ENDING}" if out.is_dir() else out
        with _writing(file):
            file.write_text(f"{content}\n", encoding="utf-8")
    say(str(file))


@runs.command("import")
def import_bundle(
    file: Annotated[Path, typer.Argument(help="A bundle, as `unisd runs bundle` prints it.")],
    data: Annotated[
        str | None, typer.Option(help="Where its data is now: NAME@NUMBER, or a path.")
    ] = None,
    model: Annotated[
        str | None, typer.Option(help="Where its model is now: a folder, or its name on the hub.")
    ] = None,
    name: Name = None,
    *,
    dry_run: Annotated[bool, typer.Option(help="Check it and start nothing.")] = False,
    as_json: AsJson = False,
) -> None:
    """Start the run of a bundle again; prints the new run's identifier."""
    with studio() as client:
        wanted = {"bundle": _read_bundle(file), "data": data, "model": model, "name": name}
        if dry_run:
            verdict = client.bundles.check(wanted)
            if as_json:
                say_json(verdict)
            for problem in (*verdict.errors, *verdict.warnings):
                tell(str(problem))
            tell(f"The data is {verdict.data}: {verdict.data_from}.")
            if verdict.errors:
                raise typer.Exit(NOT_WELL)
            return
        started = client.bundles.start(wanted)
        for difference in started.differences:
            tell(f"{difference.name} was {difference.then}, and is {difference.now} here.")
        tell(f"“{started.run.name}” is queued; its data is {started.data}.")
    if as_json:
        say_json(started)
    else:
        say(started.run.id)


@app.command("list")
def list_exports(
    run: Annotated[str | None, typer.Option(help="Only those of this run.")] = None,
    kind: Annotated[ExportKind | None, typer.Option(help="Only of this kind.")] = None,
    *,
    as_json: AsJson = False,
) -> None:
    """Exports, newest first."""
    with studio() as client:
        run_id = client.runs.find(run).id if run else None
        found = list(client.exports.list(run=run_id, kind=kind))
    if as_json:
        say_json(found)
        return
    rows = [
        [
            one.id,
            one.kind.value,
            one.status.value,
            gib(one.bytes),
            ago(one.created_at),
            one.run_name,
        ]
        for one in found
    ]
    say_table(["id", "kind", "status", "size", "created", "run"], rows)


@app.command()
def show(export: Export, *, as_json: AsJson = False) -> None:
    """An export: its progress, files and what the check found."""
    with studio() as client:
        found = _find(client, export)
    if as_json:
        say_json(found)
    else:
        _say_export(found)


@app.command()
def wait(export: Export, *, as_json: AsJson = False) -> None:
    """Wait until an export is over; ends with 1 if it did not succeed."""
    with studio() as client:
        found = _wait(client, _find(client, export).id)
    if as_json:
        say_json(found)
    else:
        say(found.id)


@app.command()
def cancel(export: Export) -> None:
    """End an export that is not over. Nothing of it is kept."""
    with studio() as client:
        found = client.exports.cancel(_find(client, export).id)
    say(f"{found.id}  {found.status}  {found.name}")


@app.command()
def download(
    export: Export,
    out: Out = Path(),
    file: Annotated[str | None, typer.Option(help="One of its files. Absent: a ZIP.")] = None,
) -> None:
    """Fetch an export; what was cut off goes on where it broke. Prints where it lies."""
    with studio() as client:
        say(str(_fetch(client, _find(client, export).id, out, file)))


@app.command()
def delete(export: Export, *, yes: Yes = False) -> None:
    """Remove an export that is over or waits, with its files."""
    with studio() as client:
        found = _find(client, export)
        confirm(f"Delete the export “{found.name}” with its files?", yes=yes)
        client.exports.delete(found.id)
    tell(f"{found.id} is deleted.")


def _find(client: Client, reference: str) -> ExportOut:
    return client.exports.find(reference)


def _wait(client: Client, export_id: str) -> ExportOut:
    found = client.exports.wait(export_id, on_event=_phases())
    tell(f"{found.name} {found.status}." + (f" {found.problem}" if found.problem else ""))
    if found.status is not RunStatus.SUCCEEDED:
        raise typer.Exit(NOT_WELL)
    return found


def _fetch(client: Client, export_id: str, to: Path, file: str | None) -> Path:
    with _writing(to):
        return client.exports.download(export_id, to, file=file, on_progress=_progress())


@contextmanager
def _writing(to: Path) -> Iterator[None]:
    """Tell in words why something cannot be written."""
    try:
        yield
    except OSError as error:
        message = f"{error.filename or to} cannot be written: {error.strerror}."
        remedy = "Give a folder that is there, may be written and has room."
        raise mistake("write_failed", message, remedy) from error


def _progress() -> Callable[[int, int], None]:
    """Says how far a download is, on a terminal alone."""

    def show(done: int, total: int) -> None:
        if sys.stderr.isatty():
            typer.echo(f"\r{done / max(1, total):.0%} of {gib(total)}", nl=done == total, err=True)

    return show


def _phases() -> Callable[[RunEventOut], None]:
    """Says each phase once, and on a terminal how far it is."""
    last = ""

    def show(event: RunEventOut) -> None:
        nonlocal last
        if event.kind != "phase":
            return
        told = event.payload
        words = " ".join(filter(None, (told.get("phase"), told.get("detail"))))
        done, total = told.get("current"), told.get("total")
        share = f": {done / total:.0%}" if done is not None and total else ""
        line = words + share if sys.stderr.isatty() else words
        if line != last:
            last = line
            tell(line)

    return show


def _hub_token() -> str:
    """From the environment or a person, never from the arguments, which other users can list."""
    token = os.environ.get("HF_TOKEN", "")
    if not token and sys.stdin.isatty():
        token = typer.prompt("Access token of the hub", hide_input=True, err=True)
    if not token:
        raise mistake(
            "hub_token_missing",
            "A push to the hub needs a token.",
            "Set HF_TOKEN to one with the right to write there; it is used once and not stored.",
        )
    return token


def _read_bundle(file: Path) -> dict[str, Any]:
    remedy = "Give a file that `unisd runs bundle` or the page made."
    try:
        found: dict[str, Any] = json.loads(file.read_text())
        Bundle.model_validate(found)
    except OSError as error:
        message = f"{file} cannot be read: {error.strerror}."
        raise mistake("bundle_unreadable", message, remedy) from error
    except (ValueError, ValidationError) as error:
        raise mistake("bundle_unreadable", f"{file} is no bundle.", remedy) from error
    return found


def _say_export(found: ExportOut) -> None:
    progress = found.progress
    phase = " ".join(filter(None, (progress.phase, progress.detail)))
    say_facts(
        [
            ("export", found.id),
            ("name", found.name),
            ("status", f"{found.status}, {phase}" if phase else found.status.value),
            ("problem", found.problem),
            ("of", f"{found.run_name} ({found.run_id})"),
            ("weights", found.weights),
            ("checkpoint", found.checkpoint),
            ("size", gib(found.bytes)),
            ("waits for", "; ".join(found.waiting)),
            ("hub", found.url),
        ]
    )
    for file in found.files:
        say(f"{file.bytes:>16,}  {file.sha256[:12]}  {file.path}")

"""`unisd runs`: starts runs in a studio, shows them and ends them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Annotated, Any

import typer

from app.client import Client
from app.client.arrangements import query_of
from app.runs.schemas import RunCreated, RunDetail, RunRow
from cli.configs import parse_changes, read_config
from cli.following import follow
from cli.run_words import say_run, say_runs
from cli.telling import (
    NOT_WELL,
    AsJson,
    Project,
    Yes,
    confirm,
    mistake,
    say,
    say_json,
    studio,
    tell,
)
from core.errors import StudioError
from core.presets import merge
from core.schedule import Queue
from core.states import RunKind, RunStatus, StopMode

app = typer.Typer(
    name="runs",
    help="Start runs in a studio, watch them and end them. RUN is an identifier, the beginning of "
    "one (4 letters or more) or a name.",
    no_args_is_help=True,
)
Run = Annotated[str, typer.Argument(metavar="RUN", help="Identifier, its beginning, or name.")]
Several = Annotated[
    list[str], typer.Argument(metavar="RUN...", help="Identifiers, beginnings, or names.")
]
Follow = Annotated[bool, typer.Option("--follow", "-f", help="Go on showing it until it is over.")]
Changes = Annotated[
    list[str] | None,
    typer.Option("--set", metavar="FIELD=VALUE", help="Change a field: training.seed=1."),
]
Name = Annotated[str | None, typer.Option(help="Name of the run. Absent: one is made.")]


@app.command("list")
def list_runs(
    project: Project = None,
    status: Annotated[list[RunStatus] | None, typer.Option(help="Only in these states.")] = None,
    kind: Annotated[RunKind | None, typer.Option(help="Only those that do this.")] = None,
    text: Annotated[str | None, typer.Option("--name", help="Text in the name.")] = None,
    condition: Annotated[
        list[str] | None,
        typer.Option("--filter", help="model~qwen, seed=42, tag=paper, metric:train/loss<0.5, …"),
    ] = None,
    sort: Annotated[
        str | None,
        typer.Option(
            help="Field, metric:PATH or param:PATH; - before it: downwards. Absent: newest first."
        ),
    ] = None,
    metric: Annotated[list[str] | None, typer.Option(help="Metrics to show.")] = None,
    param: Annotated[list[str] | None, typer.Option(help="Fields to show: model.name.")] = None,
    view: Annotated[
        str | None, typer.Option(help="Saved view to start from; the other options win over it.")
    ] = None,
    limit: Annotated[int, typer.Option(min=0, help="Runs at most; 0: all.")] = 50,
    *,
    as_json: AsJson = False,
) -> None:
    """Runs, newest first unless sorted otherwise."""
    with studio() as client:
        project_id = client.projects.find(project).id if project else None
        query = _arranged(client, view, project_id)
        given = {
            "project_id": project_id,
            "status": status,
            "kind": kind,
            "text": text,
            "sort": sort,
            "params": param,
            "metrics": metric,
        }
        query |= {name: value for name, value in given.items() if value}
        query["filters"] = [*query.get("filters", ()), *(condition or ())]
        found: list[RunRow] = list(client.runs.list(**query, most=limit or None))
    if as_json:
        say_json(found)
    else:
        say_runs(found, query.get("metrics", ()), query.get("params", ()))


@app.command()
def show(run: Run, *, as_json: AsJson = False) -> None:
    """A run: its state, progress, configuration, attempts and alarms."""
    with studio() as client:
        found = client.runs.get(client.runs.find(run).id)
    if as_json:
        say_json(found)
    else:
        say_run(found)


@app.command()
def start(
    config: Annotated[
        Path | None, typer.Argument(help="Configuration, YAML or JSON; - is stdin.")
    ] = None,
    preset: Annotated[str | None, typer.Option(help="Preset that it stands on.")] = None,
    change: Changes = None,
    name: Name = None,
    project: Project = None,
    queue: Annotated[Queue | None, typer.Option(help="Queue.")] = None,
    priority: Annotated[int | None, typer.Option(help="-100 to 100; higher ones first.")] = None,
    label: Annotated[list[str] | None, typer.Option(help="Only on workers with it.")] = None,
    time_limit: Annotated[float | None, typer.Option(help="Seconds of all attempts.")] = None,
    *,
    dry_run: Annotated[bool, typer.Option(help="Check it and start nothing.")] = False,
    following: Follow = False,
    as_json: AsJson = False,
) -> None:
    """Check a configuration and queue a run of it; prints the run's identifier."""
    schedule = _given(
        queue=queue, priority=priority, labels=label or None, time_limit_seconds=time_limit
    )
    with studio() as client:
        fields = read_config(config) if config else {}
        fields = merge(fields, parse_changes(change or []))
        if preset:
            fields["preset"] = preset
        project_id = client.projects.find(project).id if project else None
        if dry_run:
            _check(client, fields, project_id, as_json=as_json)
            return
        made = client.runs.start(fields, name=name, project_id=project_id, schedule=schedule)
        _made(client, made, following=following, as_json=as_json)


@app.command()
def clone(
    run: Run,
    change: Changes = None,
    name: Name = None,
    *,
    following: Follow = False,
    as_json: AsJson = False,
) -> None:
    """Queue a run of another's configuration, with changes; prints the new run's identifier."""
    with studio() as client:
        source = client.runs.find(run)
        made = client.runs.clone(source.id, parse_changes(change or []), name=name)
        _made(client, made, following=following, as_json=as_json)


@app.command()
def stop(
    runs: Several,
    mode: Annotated[
        StopMode,
        typer.Option(help="save: finish the step and keep all; discard: end at once; force: kill."),
    ] = StopMode.SAVE,
    *,
    as_json: AsJson = False,
) -> None:
    """Ask started runs to end; they finish their step and save, unless --mode says otherwise."""
    _each(runs, lambda client, run: client.runs.stop(run, mode.value), as_json=as_json)


@app.command()
def resume(runs: Several, *, following: Follow = False, as_json: AsJson = False) -> None:
    """Take up runs that were stopped, failed or crashed, from their newest checkpoint."""
    if following and len(runs) > 1:
        with studio():
            raise mistake("input_invalid", "Only one run can be followed.", "Leave out --follow.")
    if not following:
        _each(runs, lambda client, run: client.runs.resume(run), as_json=as_json)
        return
    with studio() as client:
        seen = client.runs.get(client.runs.find(runs[0]).id)
        client.runs.resume(seen.id)
        follow(client, seen.id, seen.cursor, as_json=as_json)


@app.command()
def cancel(runs: Several, *, as_json: AsJson = False) -> None:
    """Take runs that have not started out of the queue."""
    _each(runs, lambda client, run: client.runs.cancel(run), as_json=as_json)


@app.command()
def tag(
    runs: Several,
    add: Annotated[list[str] | None, typer.Option(help="Tag to put on.")] = None,
    remove: Annotated[list[str] | None, typer.Option(help="Tag to take off.")] = None,
) -> None:
    """Put tags on runs and take others off."""
    with studio() as client:
        found = [client.runs.find(run).id for run in runs]
        outcomes = client.runs.tag(found, add=add or (), remove=remove or ())
        problems = [one.problem for one in outcomes if one.problem]
        if problems:
            raise StudioError(*problems)


@app.command()
def delete(runs: Several, *, yes: Yes = False) -> None:
    """Remove runs that are over or wait, with their files."""
    with studio() as client:
        found = [client.runs.find(run) for run in runs]
        named = ", ".join(f"“{run.name}” ({run.id})" for run in found)
        confirm(f"Delete {named} with all files?", yes=yes)
        for run in found:
            client.runs.delete(run.id)
            tell(f"{run.id} is deleted.")


@app.command()
def logs(
    run: Run,
    lines: Annotated[int, typer.Option("--lines", "-n", min=0, max=5000, help="Last lines.")] = 100,
    text: Annotated[str | None, typer.Option("--grep", help="Only lines with this text.")] = None,
    *,
    following: Follow = False,
    as_json: AsJson = False,
) -> None:
    """What a run's trainer reported and printed."""
    with studio() as client:
        run_id = client.runs.find(run).id
        page = client.runs.logs(run_id, text=text, limit=max(1, lines))
        found = page.items if lines else []
        wanted = (text or "").casefold()
        for line in found:
            say(line.model_dump_json() if as_json else line.message)
        if following:
            for line in client.runs.follow_logs(run_id, page.cursor):
                if wanted in line.message.casefold():
                    say(line.model_dump_json() if as_json else line.message)


@app.command()
def watch(
    run: Run,
    *,
    everything: Annotated[bool, typer.Option("--all", help="From its first event.")] = False,
    as_json: AsJson = False,
) -> None:
    """Show a run as it goes on, until it is over; ends with 1 if it did not end well."""
    with studio() as client:
        found = client.runs.get(client.runs.find(run).id)
        follow(client, found.id, 0 if everything else found.cursor, as_json=as_json)


def _arranged(client: Client, view: str | None, project_id: str | None) -> dict[str, Any]:
    """What a saved view asks of the list; without one nothing."""
    if view is None:
        return {}
    found = client.views.find(view, project_id=project_id)
    return {"project_id": found.project_id, **query_of(found.search)}


def _each(runs: list[str], act: Callable[[Client, str], RunDetail], *, as_json: bool) -> None:
    """Find all runs, then do something to each: a slip in a name changes nothing."""
    with studio() as client:
        found = [client.runs.find(run).id for run in runs]
        changed = [act(client, run) for run in found]
    if as_json:
        say_json(changed)
        return
    for run in changed:
        say(f"{run.id}  {run.status}  {run.name}")


def _made(client: Client, made: RunCreated, *, following: bool, as_json: bool) -> None:
    for warning in made.warnings:
        tell(str(warning))
    if as_json and not following:
        say_json(made)
        return
    tell(f"“{made.name}” is queued: {client.url}/runs/{made.id}")
    if not following:
        say(made.id)
        return
    follow(client, made.id, 0, as_json=as_json)


def _check(
    client: Client, fields: Mapping[str, Any], project_id: str | None, *, as_json: bool
) -> None:
    verdict = client.runs.check(fields, project_id=project_id)
    if as_json:
        say_json(verdict)
    for problem in (*verdict.errors, *verdict.warnings):
        tell(f"{problem.field}: {problem}" if problem.field else str(problem))
    if not verdict.valid:
        raise typer.Exit(NOT_WELL)
    if not as_json:
        tell("It can run.")


def _given(**fields: object) -> dict[str, object] | None:
    found = {name: value for name, value in fields.items() if value is not None}
    return found or None

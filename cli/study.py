"""`unisd study`: runs a plan's cells and compares them."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated

import typer
from typer.core import TyperGroup

from app.studies.markdown import markdown
from app.studies.schemas import Fate, Retry, StudyDetail
from cli.study_folder import CellState, load_plan
from cli.study_report import report_of_folder
from cli.study_runner import run_study
from cli.telling import (
    INTERRUPTED,
    NOT_WELL,
    AsJson,
    Project,
    ago,
    problems_told,
    say,
    say_json,
    say_table,
    studio,
    tell,
)
from core.states import RunStatus
from core.study import Cell, StudyPlan, cells

_Study = Annotated[str, typer.Argument(help="Identifier or name of a study in the studio.")]


class _PlanFirst(TyperGroup):
    """`unisd study PLAN` is `unisd study run PLAN`."""

    def parse_args(self, ctx: typer.Context, args: list[str]) -> list[str]:  # type: ignore[override]
        """Put the command in where only a plan is given."""
        if args and args[0] not in self.commands and args[0] != "--help":
            args = ["run", *args]
        return super().parse_args(ctx, args)


app = typer.Typer(
    name="study",
    cls=_PlanFirst,
    help="Run factors × levels × seeds and compare them: `unisd study PLAN --out DIR`.",
    no_args_is_help=True,
)


@app.command()
def run(
    plan: Annotated[Path, typer.Argument(help="Plan, YAML or JSON (docs/studies.md).")],
    out: Annotated[
        Path | None,
        typer.Option(help="Run here, into this folder; a study that was cut off goes on there."),
    ] = None,
    *,
    dry_run: Annotated[bool, typer.Option(help="Print the cells and run nothing.")] = False,
    as_json: AsJson = False,
) -> None:
    """Run every cell of a plan: queued in the studio, or here with --out without any server."""
    with problems_told():
        wanted = load_plan(plan)
        found = cells(wanted)
        if dry_run:
            _print_cells(found)
        elif out is None:
            _post(wanted, as_json=as_json)
        else:
            _run_here(wanted, found, out)


def _post(plan: StudyPlan, *, as_json: bool) -> None:
    with studio() as client:
        study = client.studies.start(plan)
        for warning in study.warnings:
            tell(str(warning))
        tell(f"{len(study.cells)} runs are queued: {client.url}/studies/{study.id}")
        tell(f"`unisd study show {study.id}` compares them.")
    if as_json:
        say_json(study)
    else:
        say(study.id)


def _run_here(plan: StudyPlan, found: list[Cell], out: Path) -> None:
    every = 5.0 if sys.stdout.isatty() else 60.0
    try:
        records = run_study(plan, found, out, _say_now, every)
    except KeyboardInterrupt:
        say("Stopped. The same command goes on from here.")
        raise typer.Exit(INTERRUPTED) from None
    done = sum(record.state is CellState.SUCCEEDED for record in records.values())
    say(f"{done} of {len(records)} cells succeeded. `unisd study report {out}` compares them.")
    if done < len(records):
        raise typer.Exit(NOT_WELL)


@app.command("list")
def list_studies(
    query: Annotated[str | None, typer.Argument(help="Part of the name.")] = None,
    *,
    project: Project = None,
    as_json: AsJson = False,
) -> None:
    """Studies in the studio, newest first."""
    with studio() as client:
        project_id = client.projects.find(project).id if project else None
        found = list(client.studies.list(project_id=project_id, q=query))
    if as_json:
        say_json(found)
        return
    rows = [[one.id, one.state, _states(one.runs), ago(one.created_at), one.name] for one in found]
    say_table(["id", "state", "runs", "created", "name"], rows)


@app.command()
def show(
    study: _Study,
    *,
    as_json: Annotated[bool, typer.Option("--json", help="As JSON instead of Markdown.")] = False,
) -> None:
    """Compare the cells of a study that the studio runs, as far as they are."""
    with studio() as client:
        shown = client.studies.get(client.studies.find(study).id).report
    say(shown.model_dump_json(indent=2) if as_json else markdown(shown))


@app.command()
def cancel(
    study: _Study,
    *,
    as_json: AsJson = False,
) -> None:
    """Take a study's waiting runs out of the queue and ask the started ones to stop."""
    with studio() as client:
        _say_study(client.studies.cancel(client.studies.find(study).id), as_json=as_json)


@app.command()
def resume(
    study: _Study,
    *,
    failed: Annotated[bool, typer.Option("--failed", help="Only what failed or crashed.")] = False,
    as_json: AsJson = False,
) -> None:
    """Take up what ended without success; cancelled and deleted runs are replaced by new ones."""
    with studio() as client:
        what: Retry = Retry.FAILED if failed else Retry.UNFINISHED
        _say_study(client.studies.resume(client.studies.find(study).id, what), as_json=as_json)


@app.command()
def delete(
    study: _Study,
    *,
    runs: Annotated[Fate, typer.Option(help="What becomes of its runs and their files.")],
) -> None:
    """Remove a study from the studio."""
    with studio() as client:
        found = client.studies.find(study)
        client.studies.delete(found.id, runs=runs)
    tell(f"{found.id}  removed  {found.name}")


@app.command()
def report(
    folder: Annotated[Path, typer.Argument(help="Folder that a study was run in.")],
    *,
    as_json: Annotated[bool, typer.Option("--json", help="As JSON instead of Markdown.")] = False,
) -> None:
    """Compare the cells of a study: table, effects, interactions and cost."""
    with problems_told():
        found = report_of_folder(folder)
    say(found.model_dump_json(indent=2) if as_json else markdown(found))


def _say_study(study: StudyDetail, *, as_json: bool) -> None:
    if as_json:
        say_json(study)
    else:
        say(f"{study.id}  {_states(study.runs)}  {study.name}")


def _print_cells(found: list[Cell]) -> None:
    for cell in found:
        say(cell.name)
    say(f"{len(found)} cells")


def _say_now(line: str) -> None:
    say(line)
    sys.stdout.flush()  # a study is often followed through a file


def _states(runs: Mapping[RunStatus, int]) -> str:
    return ", ".join(f"{count} {state}" for state, count in runs.items() if count) or "–"

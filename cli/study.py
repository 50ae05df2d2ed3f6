"""`unisd study`: runs a plan's cells."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated, NoReturn

import typer
from typer.core import TyperGroup

from cli.study_folder import CellState, load_plan
from cli.study_report import markdown, report_of_folder
from cli.study_runner import run_study
from cli.up import say
from core.errors import StudioError
from core.study import Cell, cells

_INTERRUPTED = 130


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
        Path, typer.Option(help="Folder of the study; one that was cut off goes on there.")
    ],
    *,
    dry_run: Annotated[bool, typer.Option(help="Print the cells and run nothing.")] = False,
) -> None:
    """Run every cell of a plan on this machine, one after another, without any server."""
    try:
        wanted = load_plan(plan)
        found = cells(wanted)
        if dry_run:
            _print_cells(found)
            return
        every = 5.0 if sys.stdout.isatty() else 60.0
        records = run_study(wanted, found, out, _say_now, every)
    except StudioError as error:
        _refuse(error)
    except KeyboardInterrupt:
        say("Stopped. The same command goes on from here.")
        raise typer.Exit(_INTERRUPTED) from None
    failed = [name for name, record in records.items() if record.state is not CellState.SUCCEEDED]
    say(f"{len(records) - len(failed)} of {len(records)} cells succeeded. Study: {out}")
    raise typer.Exit(1 if failed else 0)


@app.command()
def report(
    folder: Annotated[Path, typer.Argument(help="Folder that a study was run in.")],
    *,
    as_json: Annotated[bool, typer.Option("--json", help="As JSON instead of Markdown.")] = False,
) -> None:
    """Compare the cells of a study: table, effects, interactions and cost."""
    try:
        found = report_of_folder(folder)
    except StudioError as error:
        _refuse(error)
    say(found.model_dump_json(indent=2) if as_json else markdown(found))


def _print_cells(found: list[Cell]) -> None:
    for cell in found:
        say(cell.name)
    say(f"{len(found)} cells")


def _say_now(line: str) -> None:
    say(line)
    sys.stdout.flush()  # a study is often followed through a file


def _refuse(error: StudioError) -> NoReturn:
    for problem in error.problems:
        place = f"{problem.field}: " if problem.field else ""
        typer.echo(f"{place}{problem}", err=True)
    raise typer.Exit(2) from None

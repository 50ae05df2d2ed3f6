"""`unisd study`: runs a plan's cells and compares them."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated, Any, Literal, NoReturn
from urllib.parse import quote

import typer
from typer.core import TyperGroup

from app.studies.markdown import markdown
from app.studies.report import StudyReport
from cli.api_client import api_url, request
from cli.environment import read_settings
from cli.study_folder import CellState, load_plan
from cli.study_report import report_of_folder
from cli.study_runner import run_study
from cli.up import say
from core.errors import StudioError
from core.study import Cell, StudyPlan, cells

_INTERRUPTED = 130
_StudyId = Annotated[str, typer.Argument(help="Identifier of a study in the studio.")]


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
) -> None:
    """Run every cell of a plan: queued in the studio, or here with --out without any server."""
    try:
        wanted = load_plan(plan)
        found = cells(wanted)
        if dry_run:
            _print_cells(found)
        elif out is None:
            _post(wanted)
        else:
            _run_here(wanted, found, out)
    except StudioError as error:
        _refuse(error)


def _post(plan: StudyPlan) -> None:
    settings = read_settings()
    study = request(settings, "POST", "/api/studies", plan.model_dump(mode="json"))
    for warning in study["warnings"]:
        say(f"{warning['message']} {warning['remedy']}")
    say(f"{len(study['cells'])} runs are queued: {api_url(settings)}/api/studies/{study['id']}")
    say(f"`unisd study show {study['id']}` compares them.")


def _run_here(plan: StudyPlan, found: list[Cell], out: Path) -> None:
    every = 5.0 if sys.stdout.isatty() else 60.0
    try:
        records = run_study(plan, found, out, _say_now, every)
    except KeyboardInterrupt:
        say("Stopped. The same command goes on from here.")
        raise typer.Exit(_INTERRUPTED) from None
    done = sum(record.state is CellState.SUCCEEDED for record in records.values())
    say(f"{done} of {len(records)} cells succeeded. `unisd study report {out}` compares them.")
    if done < len(records):
        raise typer.Exit(1)


@app.command()
def show(
    study: _StudyId,
    *,
    as_json: Annotated[bool, typer.Option("--json", help="As JSON instead of Markdown.")] = False,
) -> None:
    """Compare the cells of a study that the studio runs, as far as they are."""
    found = _ask("GET", f"/{quote(study, safe='')}")
    shown = StudyReport.model_validate(found["report"])
    say(shown.model_dump_json(indent=2) if as_json else markdown(shown))


@app.command("list")
def list_studies(
    query: Annotated[str | None, typer.Argument(help="Part of the name.")] = None,
) -> None:
    """Studies in the studio, newest first."""
    params = {"limit": 500, **({"q": query} if query else {})}
    for study in _ask("GET", "", params=params)["items"]:
        done = study["runs"].get("succeeded", 0)
        planned = study["combinations"] * study["seeds"]
        say(f"{study['id']}  {study['state']:<10}  {done}/{planned} runs  {study['name']}")


@app.command()
def cancel(study: _StudyId) -> None:
    """Stop what is not finished: waiting runs are cancelled, started ones save and stop."""
    _say_runs(_ask("POST", f"/{quote(study, safe='')}/cancel"))


@app.command()
def resume(
    study: _StudyId,
    *,
    failed: Annotated[bool, typer.Option("--failed", help="Only what failed or crashed.")] = False,
) -> None:
    """Take up what ended without success; cancelled and deleted runs are replaced by new ones."""
    wish = {"what": "failed" if failed else "unfinished"}
    _say_runs(_ask("POST", f"/{quote(study, safe='')}/resume", wish))


@app.command()
def delete(
    study: _StudyId,
    *,
    runs: Annotated[
        Literal["keep", "delete"], typer.Option(help="What becomes of its runs and their files.")
    ],
) -> None:
    """Remove a study from the studio."""
    _ask("DELETE", f"/{quote(study, safe='')}", params={"runs": runs})


def _ask(
    method: str,
    path: str,
    body: dict[str, Any] | None = None,
    params: dict[str, Any] | None = None,
) -> dict[str, Any]:
    try:
        return request(read_settings(), method, f"/api/studies{path}", body, params=params)
    except StudioError as error:
        _refuse(error)


def _say_runs(study: dict[str, Any]) -> None:
    say(", ".join(f"{count} {state}" for state, count in study["runs"].items()))


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

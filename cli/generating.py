"""`unisd generate`: answers side by side in a terminal."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated, Any

import typer

from app.client import Client
from app.client.generations import Piece
from app.generations.schemas import GenerationOut
from cli.telling import NOT_WELL, AsJson, mistake, say, say_json, studio, tell
from core.generation_job import GenerationStatus

_TOLD = {
    "loading": "Loading the model…",
    "again": "\nThe worker was lost; another one begins anew.",
}
_WEIGHTS = {"base": "base", "adapter": "adapter", "ema": "ema_adapter"}


def generate(
    prompt: Annotated[str, typer.Argument(help="What is asked; - reads standard input.")],
    columns: Annotated[
        list[str] | None,
        typer.Option(
            "--column",
            help="base, RUN, RUN:ema, RUN:base or RUN:STEP (a checkpoint). Several: side by side. "
            "RUN: identifier, its beginning, or its name.",
        ),
    ] = None,
    system: Annotated[str | None, typer.Option(help="System prompt.")] = None,
    demonstration: Annotated[
        Path | None,
        typer.Option(help="File with a worked example: runs answer as their primary teacher."),
    ] = None,
    model: Annotated[str | None, typer.Option(help="Base model, where no run is named.")] = None,
    samples: Annotated[int, typer.Option(help="Answers per column.")] = 1,
    seed: Annotated[int, typer.Option(help="The same seed gives the same texts.")] = 42,
    temperature: Annotated[float, typer.Option(help="0 takes the likeliest token.")] = 0.7,
    top_p: Annotated[float, typer.Option(help="Draw among tokens of this probability.")] = 1.0,
    max_tokens: Annotated[int, typer.Option(help="Longest answer.")] = 256,
    name: Annotated[str | None, typer.Option(help="Save the comparison under this name.")] = None,
    *,
    as_json: AsJson = False,
) -> None:
    """Ask models a prompt; the first column's answer streams, the others follow."""
    text = sys.stdin.read() if prompt == "-" else prompt
    with studio() as client:
        wanted: dict[str, Any] = {
            "prompt": text,
            "columns": [_column(client, one, demonstration) for one in columns or ["base"]],
            "system_prompt": system,
            "model": model,
            "samples": samples,
            "seed": seed,
            "temperature": temperature,
            "top_p": top_p,
            "max_tokens": max_tokens,
            "name": name,
        }
        if demonstration is not None:
            wanted["demonstration"] = demonstration.read_text(encoding="utf-8")
        made = client.generations.start(wanted)
        try:
            found = client.generations.wait(made.id) if as_json else _stream(client, made)
        except KeyboardInterrupt:
            client.generations.cancel(made.id)
            tell("Cancelled.")
            raise typer.Exit(130) from None
        if as_json:
            say_json(found)
        if found.status is GenerationStatus.FAILED:
            raise typer.Exit(NOT_WELL)


def _column(client: Client, named: str, demonstration: Path | None) -> dict[str, Any]:
    if named == "base":
        return {}
    run, _, what = named.partition(":")
    column: dict[str, Any] = {"run_id": client.runs.find(run).id, "weights": "adapter"}
    if what.isdigit():
        column["checkpoint"] = int(what)
    elif what in _WEIGHTS:
        column["weights"] = _WEIGHTS[what]
    elif what:
        raise mistake(
            "column_unknown",
            f"“{named}” names no column.",
            "Write RUN, RUN:ema, RUN:base or RUN:STEP.",
        )
    if demonstration is not None:
        column["view"] = "primary"
    return column


def _stream(client: Client, made: GenerationOut) -> GenerationOut:
    """Write the first answer as it comes, then the others, each under its column's name."""
    alone = len(made.columns) == 1 and made.asked.samples == 1
    for reason in made.waiting:
        tell(reason)
    if not alone:
        say(_title(made, 0, 0))
    told: set[str] = set()
    written = ""
    for piece in client.generations.pieces(made.id):
        if isinstance(piece, Piece):
            written += _write(piece)
            continue
        if piece == "again":
            written = ""
        if piece in _TOLD and piece not in told:
            tell(_TOLD[piece])
            told.add(piece)
    found = client.generations.get(made.id)
    for answer in found.answers:
        if (answer.column, answer.sample) == (0, 0):
            # What was over long before it could be followed comes here.
            whole = answer.text.startswith(written)
            say(answer.text.removeprefix(written) if whole else f"\n{answer.text}")
        else:
            say(f"\n{_title(found, answer.column, answer.sample)}\n{answer.text}")
    if found.problem is not None:
        tell(str(found.problem))
    return found


def _write(piece: Piece) -> str:
    """Write it if it is of the first answer; returns what was written."""
    if (piece.column, piece.sample) != (0, 0):
        return ""
    sys.stdout.write(piece.text)
    sys.stdout.flush()
    return piece.text


def _title(found: GenerationOut, column: int, sample: int) -> str:
    number = f", answer {sample + 1}" if found.asked.samples > 1 else ""
    return f"== {found.columns[column].label}{number}"

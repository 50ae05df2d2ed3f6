"""`unisd evaluation`: shows and compares what evaluations found."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, NoReturn

import typer

from app.errors import UnavailableError
from app.evaluations.comparison import compare as compare_examples
from app.evaluations.comparison import rate_intervals
from app.evaluations.files import read_examples
from app.evaluations.schemas import Comparison
from app.statistics import Interval
from cli.retention import in_studio, list_results, retention, start
from cli.telling import say, studio
from core.errors import StudioError

app = typer.Typer(
    name="evaluation",
    help="Show and compare evaluations: by the folders that hold their `answers.jsonl`, or those "
    "of a studio's runs.",
    no_args_is_help=True,
)
app.command()(retention)
app.command("list")(list_results)
app.command()(start)
Folders = Annotated[
    str,
    typer.Argument(
        help="Folder of a set's results, or RUN:NUMBER of one in the studio; several, by commas, "
        "are seeds."
    ),
]
Folder = Annotated[Path, typer.Argument(help="Folder of a set's results.")]


@app.command()
def show(folder: Folder) -> None:
    """Figures of one set, with 95 % intervals."""
    try:
        found = json.loads((folder / "summary.json").read_bytes())
    except (OSError, ValueError) as error:
        _refuse(f"{folder}/summary.json cannot be read: {error}. Has the evaluation ended?")
    intervals = rate_intervals(found)
    for name in ("accuracy", "extracted"):
        shown = _rate(intervals[name]) if name in intervals else f"{found[name]:.1%}"
        say(f"{name:<18}{shown}")
    for name in ("partial", "chance"):
        if name in found:
            say(f"{name:<18}{found[name]:.1%}")
    if found["answers"] > found["questions"]:
        say(f"{found['answers']} answers to {found['questions']} questions: no interval of a rate")
    retention = found.get("retention", {})
    for title, direction, name in (
        ("JSD to base", "forward", "jsd"),
        ("base log p", "forward", "base_logprob"),
        ("reverse log p", "reverse", "tuned_logprob"),
        ("gold log p", "gold", "tuned_logprob"),
    ):
        mean = retention.get(direction, {}).get(name, {}).get("mean")
        if mean is not None:
            say(f"{title:<18}{mean:.4f} nats per token")


@app.command()
def compare(
    first: Folders,
    second: Folders,
    *,
    as_json: Annotated[bool, typer.Option("--json", help="As JSON.")] = False,
) -> None:
    """Two models on the same questions; differences are second − first."""
    sides = [side.split(",") for side in (first, second)]
    if all(in_studio(name) for side in sides for name in side):
        found = _compared_by_studio(*sides)
    else:
        try:
            found = compare_examples(*([read_examples(Path(x)) for x in side] for side in sides))
        except UnavailableError as error:
            _refuse(error.detail)
        except StudioError as error:
            _refuse(str(error))
    say(found.model_dump_json(indent=2) if as_json else _told(found))


def _compared_by_studio(*sides: list[str]) -> Comparison:
    with studio() as client:
        named = [
            [
                f"{client.runs.find(place[0]).id}:{place[1]}"
                for name in side
                if (place := in_studio(name))
            ]
            for side in sides
        ]
        return client.evaluations.compare(*named)


def _told(found: Comparison) -> str:
    lines = [
        f"answers in common    {found.examples}",
        f"of one alone         {found.only_first} and {found.only_second}",
        f"first right          {_rate(found.first.accuracy)}",
        f"second right         {_rate(found.second.accuracy)}",
        f"difference           {_rate(found.accuracy)}",
        *([f"McNemar              p = {found.mcnemar.p:.3g}"] if found.mcnemar else []),
        f"only first right {found.quadrants.only_first}, only second {found.quadrants.only_second}",
    ]
    for direction, kept in found.retention.items():
        lines += [
            f"{direction}: second has the lower JSD on {_rate(kept.lower_jsd)}",
            *(
                [f"{direction}: second has the higher base log p on {_rate(higher)}"]
                if (higher := kept.higher_base_logprob)
                else []
            ),
            f"{direction}: JSD differs by {_number(kept.jsd)} nats per token",
            f"{direction}: log p under the model by {_number(kept.tuned_logprob)} nats per token",
        ]
    return "\n".join(lines)


def _rate(interval: Interval) -> str:
    return _shown(interval, lambda value: f"{value:.1%}")


def _number(interval: Interval) -> str:
    return _shown(interval, lambda value: f"{value:.4f}")


def _shown(interval: Interval, form: Callable[[float], str]) -> str:
    if interval.estimate is None:
        return f"– ({interval.note})"
    if interval.low is None or interval.high is None:
        return f"{form(interval.estimate)} ({interval.note})"
    return f"{form(interval.estimate)} [{form(interval.low)}, {form(interval.high)}]"


def _refuse(reason: str) -> NoReturn:
    typer.echo(reason, err=True)
    raise typer.Exit(2)

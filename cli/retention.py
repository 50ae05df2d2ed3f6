"""`unisd evaluation retention`, `list` and `start`: what models have kept of their base."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Final

import typer

from app.client import Client
from app.evaluations.files import read_examples
from app.evaluations.schemas import EvaluationCreate
from app.retention.figures import retention_of
from app.retention.schemas import EvaluatedWeights, Retention, RetentionCurve
from app.statistics import Interval, Summary
from cli.telling import (
    AsJson,
    mistake,
    number,
    problems_told,
    say,
    say_facts,
    say_json,
    say_table,
    studio,
    tell,
)
from core.evaluation_config import EvaluationSet

Result = Annotated[
    str,
    typer.Argument(
        metavar="RESULT",
        help="Folder of a set's results, or RUN:NUMBER of a result in the studio, as `unisd "
        "evaluation list` names it.",
    ),
]
Run = Annotated[str, typer.Argument(metavar="RUN", help="Identifier, its beginning, or name.")]
_STATISTICS: Final = ("mean", "sd", "p10", "p25", "median", "p75", "p90")
_TITLES: Final = {"jsd": "JSD", "base_logprob": "base log p", "tuned_logprob": "model log p"}


def in_studio(result: str) -> tuple[str, int] | None:
    """Run and number of a result in the studio; None if it is a folder."""
    found = re.fullmatch(r"(.+):([0-9]{1,15})", result)
    return None if found is None or Path(result).exists() else (found.group(1), int(found.group(2)))


def retention(result: Result, *, as_json: AsJson = False) -> None:
    """What a model has kept of its base on one set, and what it gained: the page's figures."""
    place = in_studio(result)
    if place is None:
        with problems_told():
            found = retention_of(read_examples(Path(result)))
    else:
        with studio() as client:
            found = client.evaluations.retention(client.runs.find(place[0]).id, place[1])
    if as_json:
        say_json(found)
    else:
        _say_retention(found)


def _say_retention(found: Retention) -> None:
    quadrants = found.quadrants
    p = "–" if found.mcnemar is None else f"{found.mcnemar.p:.3g}"
    say_facts(
        [
            ("compared", f"{found.compared} of {found.answers} answers"),
            ("right", _share(found.accuracy)),
            ("base right", _share(found.base_accuracy)),
            ("gain", f"{_share(found.gain)}, McNemar p = {p}"),
            ("regressed", f"{quadrants.regressed} (base right, model wrong)"),
            ("improved", f"{quadrants.improved} (base wrong, model right)"),
            ("both right", str(quadrants.both_right)),
            ("both wrong", str(quadrants.both_wrong)),
        ]
    )
    rows = []
    for direction, figures in found.directions.items():
        for name, title in _TITLES.items():
            summary: Summary = getattr(figures, name)
            values = [_figure(getattr(summary, statistic)) for statistic in _STATISTICS]
            rows.append([direction, title, *values, figures.examples, figures.empty])
    say("")
    say_table(["of", "nats per token", *_STATISTICS, "examples", "empty"], rows)
    gold = found.directions["gold"]
    say("")
    say(
        f"perplexity of the references: {number(gold.base_perplexity)} under the base, "
        f"{number(gold.tuned_perplexity)} under the model"
    )


def list_results(run: Run, *, as_json: AsJson = False) -> None:
    """Every evaluated state of a run's weights: the gain beside the forgetting."""
    with studio() as client:
        found = client.evaluations.curve(client.runs.find(run).id)
    if as_json:
        say_json(found)
        return
    heads = ["result", "set", "weights", "right", "gain", "JSD", "base log p", "gold ppl"]
    say_table(heads, [_row(item) for item in found.items])
    for one in found.pending:
        tell(f"{one.status}: {one.run_id} on {', '.join(one.sets)}")


def _row(item: EvaluatedWeights) -> Sequence[object]:
    where = "base" if item.weights == "base" else f"step {item.step}"
    ema = " EMA" if item.weights == "ema" else ""
    right = "–" if item.accuracy.estimate is None else f"{item.accuracy.estimate:.1%}"
    gain = "–" if item.gain is None else f"{item.gain:+.1%}"
    kept = [number(item.jsd), number(item.base_logprob), number(item.gold_perplexity)]
    return [item.name, item.set, where + ema, right, gain, *kept]


def start(
    run: Run,
    like: Annotated[
        str | None,
        typer.Option(help="Name of a set that the run was asked before: the same again."),
    ] = None,
    benchmark: Annotated[str | None, typer.Option(help="Or a benchmark.")] = None,
    dataset: Annotated[str | None, typer.Option(help="Or a data set, NAME@VERSION.")] = None,
    checkpoint: Annotated[
        list[int] | None,
        typer.Option(help="After how many steps; several times. Absent: at the run's end."),
    ] = None,
    *,
    limit: Annotated[int | None, typer.Option(min=1, help="Only the first questions.")] = None,
    max_new_tokens: Annotated[int, typer.Option(min=1, help="Longest answer.")] = 256,
    ema: Annotated[bool, typer.Option("--ema", help="The EMA teacher's weights.")] = False,
) -> None:
    """Evaluate a run's weights, and compare them with the base. Prints the evaluations' names."""
    with studio() as client:
        found = client.runs.find(run)
        if like is not None:
            asked = _asked(client.evaluations.curve(found.id), like)
        else:
            source = {"benchmark": benchmark, "dataset": dataset}
            name = _short(benchmark or dataset)
            asked = EvaluationSet.model_validate(
                {"name": name, "limit": limit, "max_new_tokens": max_new_tokens, **source}
            )
        steps: list[int | None] = [*checkpoint] if checkpoint else [None]
        for step in steps:
            say(_start(client, found.id, asked, step, ema=ema))


def _start(
    client: Client, run_id: str, asked: EvaluationSet, step: int | None, *, ema: bool
) -> str:
    wanted = EvaluationCreate(
        run_id=run_id,
        weights="ema_adapter" if ema else "adapter",
        checkpoint=step,
        sets=[asked.model_copy(update={"retention": True})],
    )
    return client.evaluations.start(wanted).id


def _asked(curve: RetentionCurve, name: str) -> EvaluationSet:
    for one in curve.sets:
        if one.name == name:
            return one
    there = ", ".join(one.name for one in curve.sets) or "none yet"
    raise mistake("not_found", f"The run was not asked {name}.", f"It was asked: {there}.", "like")


def _short(source: str | None) -> str:
    if source is None:
        message = "Nothing says what to ask."
        raise mistake("input_invalid", message, "Give --like, --benchmark or --dataset.")
    short = re.sub(r"[^a-z0-9_.-]+", "_", source.partition("@")[0].lower()).lstrip("_.-")
    return short[:100] or "questions"


def _share(interval: Interval) -> str:
    if interval.estimate is None:
        return f"– ({interval.note})"
    if interval.low is None or interval.high is None:
        return f"{interval.estimate:.1%} ({interval.note})"
    return f"{interval.estimate:.1%} [{interval.low:.1%}, {interval.high:.1%}]"


def _figure(value: float | None) -> str:
    return "–" if value is None else f"{value:.4f}"

"""`unisd trajectories`: recorded rollouts of a run."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Final

import typer

from app.statistics import Interval
from app.trajectories.agreement_schemas import AgreementReport
from app.trajectories.schemas import TokenValues, TrajectoryDetail, TrajectorySummary
from cli.runs import Run
from cli.telling import AsJson, number, say, say_facts, say_json, say_table, studio, tell

app = typer.Typer(
    name="trajectories",
    help="What the student wrote while it trained, token by token.",
    no_args_is_help=True,
)
Filters = Annotated[
    list[str] | None,
    typer.Option(
        "--filter",
        help="disagreement>=0.5, grade=0, truncated=true and the like; all must hold.",
    ),
]
_COLUMNS: Final = (
    "disagreement",
    "weight",
    "divergence",
    "clipped_share",
    "contrastive_share",
    "feature_distance",
    "loss",
)
_TEXT: Final = 60


@app.command("list")
def list_trajectories(
    run: Run,
    filters: Filters = None,
    sort: Annotated[
        str, typer.Option(help="By which number; - before it: downwards (--sort=-disagreement).")
    ] = "-step",
    search: Annotated[
        str | None, typer.Option(help="Text in the prompt or the completion.")
    ] = None,
    limit: Annotated[int, typer.Option(min=1, help="At most.")] = 20,
    *,
    pinned: Annotated[
        bool | None, typer.Option(help="Only pinned examples, or only others.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Recorded rollouts with their numbers; those of mechanisms that are off are left out."""
    with studio() as client:
        run_id = client.runs.find(run).id
        found = list(
            client.trajectories.list(
                run_id, filters=filters or (), pinned=pinned, text=search, sort=sort, most=limit
            )
        )
    if as_json:
        say_json(found)
        return
    shown = [name for name in _COLUMNS if any(getattr(one, name) is not None for one in found)]
    heads = ["id", "step", "record", "grade", *shown, "tokens", "completion"]
    say_table(heads, [_row(one, shown) for one in found])
    if not found:
        tell("No recorded rollout is like that.")


def _row(one: TrajectorySummary, shown: Sequence[str]) -> list[object]:
    return [
        one.id,
        one.step,
        one.record_id,
        _grade(one.grade),
        *(number(getattr(one, name)) for name in shown),
        one.tokens,
        _short(one.completion),
    ]


def _grade(grade: float | None) -> str:
    if grade is None:
        return "–"
    return {1.0: "right", 0.0: "wrong"}.get(grade, f"{grade:g}")


def _short(text: str) -> str:
    line = " ".join(text.split())
    return line if len(line) <= _TEXT else f"{line[: _TEXT - 1]}…"


@app.command()
def show(
    run: Run,
    trajectory: Annotated[int, typer.Argument(metavar="ID", help="As `list` shows it.")],
    *,
    as_json: AsJson = False,
) -> None:
    """One rollout: its texts and every token."""
    with studio() as client:
        found = client.trajectories.get(client.runs.find(run).id, trajectory)
    if as_json:
        say_json(found)
    else:
        _say_rollout(found)


def _say_rollout(found: TrajectoryDetail) -> None:
    say_facts(
        [
            ("step", found.step),
            ("record", found.record_id),
            ("grade", _grade(found.grade)),
            ("loss share", None if found.loss is None else number(found.loss)),
            ("prompt", " ".join(found.prompt.split())),
            ("completion", " ".join(found.completion.split())),
            ("reference", " ".join(found.reference.split())),
        ]
    )
    say("")
    shown = [name for name in _TOKEN if any(_has(one, name) for one in found.token_values)]
    say_table(
        ["token", "part", *(name.replace("_", " ") for name in shown)],
        [
            [repr(one.text)[1:-1], one.part or "–", *(number(getattr(one, name)) for name in shown)]
            for one in found.token_values
        ],
    )


_TOKEN: Final = (
    "student_logprob",
    "teacher_logprob",
    "negative_logprob",
    "divergence",
    "disagreement",
    "weight",
    "contribution",
)


def _has(one: TokenValues, name: str) -> bool:
    return getattr(one, name) is not None


@app.command()
def agreement(run: Run, *, as_json: AsJson = False) -> None:
    """Where the teachers of a run disagree, and whether that points at wrong answers."""
    with studio() as client:
        found = client.trajectories.agreement(client.runs.find(run).id)
    if as_json:
        say_json(found)
    elif not found.enabled:
        tell("The run has recorded no disagreement: teacher agreement is off, or nothing is there.")
    else:
        _say_agreement(found)


def _separation(found: AgreementReport) -> str | None:
    one = found.separation
    if one is None:
        return None
    return f"{number(one.probability)} of pairs ({number(one.low)} to {number(one.high)})"


def _interval(one: Interval) -> tuple[float | None, float | None, float | None]:
    return one.estimate, one.low, one.high


def _say_agreement(found: AgreementReport) -> None:
    say_facts(
        [
            ("rollouts", f"{found.trajectories}, {found.graded} graded"),
            ("tokens", f"{found.read_tokens} of {found.read} rollouts"),
            ("wrong above right", _separation(found)),
        ]
    )
    for heads, rows in (
        (
            ["disagreement", "to", "rollouts", "right", "from", "to"],
            [
                [*map(number, (one.low, one.high)), one.grade.n, *map(number, _interval(one.grade))]
                for one in found.reliability
            ],
        ),
        (
            ["part", "tokens", "disagreement", "weight"],
            [
                [one.part or "–", one.tokens, number(one.disagreement), number(one.weight)]
                for one in found.parts
            ],
        ),
        (
            ["token", "places", "disagreement", "most"],
            [
                [
                    repr(one.text)[1:-1],
                    one.count,
                    *map(number, (one.disagreement, one.disagreement_max)),
                ]
                for one in found.tokens[:20]
            ],
        ),
        (
            ["record", "rollouts", "disagreement", "right"],
            [
                [one.record_id, one.rollouts, number(one.disagreement), number(one.grade)]
                for one in found.examples[:20]
            ],
        ),
    ):
        if rows:
            say("")
            say_table(heads, rows)

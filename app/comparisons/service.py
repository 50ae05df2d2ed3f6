"""Puts runs side by side."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final, NamedTuple

from pydantic import ValidationError
from sqlalchemy.orm import Session

from app.comparisons import curves, differences, evaluations, grouping, repository, table
from app.comparisons.curves import Course
from app.comparisons.schemas import (
    Axis,
    ComparedColumn,
    ComparedRun,
    ConfigRow,
    Curve,
    CurveSet,
    EvaluationRow,
    RunComparison,
    Spread,
    Statistic,
)
from app.metrics.points import Floats, Points
from app.models import Run
from core.config import RunConfig
from core.evaluation_job import EvaluationJob
from core.states import RunKind

_COUNTERS: Final[dict[Axis, str]] = {"tokens": "train/tokens", "epoch": "train/epoch"}
"""Metrics that count along with the steps, by the axis that they make."""
_LAST_STEP: Final = 2.0**31 - 1


class Chosen(NamedTuple):
    """The runs that are compared, in columns, the baseline's first."""

    runs: dict[str, Run]
    configs: dict[str, dict[str, Any]]
    groups: list[grouping.Group]
    baseline: str | None


class Window(NamedTuple):
    """Which part of the curves is shown, and how finely."""

    axis: Axis
    low: float | None
    high: float | None
    max_points: int


def choose(
    session: Session, wanted: Sequence[str], baseline: str | None, *, by_seed: bool
) -> Chosen:
    """Look the runs up. Who does not exist is left out; the first stands in for such a baseline."""
    ids = list(dict.fromkeys([*wanted, *([baseline] if baseline else [])]))
    runs = repository.find_runs(session, ids)
    there = [run_id for run_id in ids if run_id in runs]
    chosen = baseline if baseline in runs else next(iter(there), None)
    configs = {run_id: _whole(runs[run_id]) for run_id in there}
    members = [
        grouping.Member(run_id, runs[run_id].name, runs[run_id].kind, configs[run_id])
        for run_id in there
    ]
    groups = grouping.group(members, by_seed=by_seed)
    groups.sort(key=lambda one: chosen not in one.runs)
    return Chosen(runs, configs, groups, chosen)


def _whole(run: Run) -> dict[str, Any]:
    """A configuration with the fields that came after it was stored."""
    model = EvaluationJob if run.kind is RunKind.EVALUATION else RunConfig
    try:
        return model.model_validate(run.config).model_dump(mode="json")
    except ValidationError:
        return run.config  # of another version: what it says is shown as it is


def compare(
    session: Session,
    wanted: Sequence[str],
    baseline: str | None,
    *,
    by_seed: bool,
    statistic: Statistic,
) -> RunComparison:
    """Everything about the runs but their curves and the pairs of their answers."""
    chosen = choose(session, wanted, baseline, by_seed=by_seed)
    seeds = {
        run_id: grouping.seed_of(run.kind, chosen.configs[run_id])
        for run_id, run in chosen.runs.items()
    }
    columns = [[(run_id, seeds[run_id]) for run_id in one.runs] for one in chosen.groups]
    found = repository.newest(session, list(chosen.runs))
    return RunComparison(
        baseline=chosen.baseline,
        missing=[run_id for run_id in dict.fromkeys(wanted) if run_id not in chosen.runs],
        columns=[_column(one, chosen, seeds) for one in chosen.groups],
        config=_config(chosen),
        metrics=table.rows(columns, found, statistic),
        evaluations=_evaluations(session, chosen, seeds),
    )


def _column(group: grouping.Group, chosen: Chosen, seeds: dict[str, int]) -> ComparedColumn:
    return ComparedColumn(
        key=group.key,
        label=group.label,
        baseline=chosen.baseline in group.runs,
        runs=[_run(chosen.runs[run_id], seeds[run_id]) for run_id in group.runs],
    )


def _run(run: Run, seed: int) -> ComparedRun:
    return ComparedRun(
        id=run.id,
        project_id=run.project_id,
        name=run.name,
        kind=run.kind,
        status=run.status,
        model=run.config["model"]["name"],
        seed=seed,
        step=run.step,
        total_steps=run.total_steps,
        attempt=run.attempt_count,
        created_at=run.created_at,
    )


def _config(chosen: Chosen) -> list[ConfigRow]:
    asked = [[chosen.configs[run_id] for run_id in one.runs] for one in chosen.groups]
    given = [[_environment(chosen.runs[run_id]) for run_id in one.runs] for one in chosen.groups]
    return [*differences.rows("config", asked), *differences.rows("environment", given)]


def _environment(run: Run) -> dict[str, Any]:
    """What the run found: device, versions, code, data."""
    started, data = run.started_on or {}, run.dataset or {}
    found = {name: started[name] for name in ("device", "dtype", "versions") if name in started}
    # The seed is the configuration's; hundreds of packages would hide the few that matter.
    found |= {
        name: value
        for name, value in started.get("environment", {}).items()
        if name not in {"seed", "packages"}
    }
    return found | ({"dataset": data} if data else {})


def _evaluations(session: Session, chosen: Chosen, seeds: dict[str, int]) -> list[EvaluationRow]:
    if not chosen.runs:
        return []
    trained = [run for run in chosen.runs.values() if run.kind is RunKind.TRAINING]
    made_for = repository.evaluations_of(session, trained)
    results = repository.results(session, [*chosen.runs, *(set(made_for) - chosen.runs.keys())])
    found = evaluations.newest(results, made_for, seeds)
    return evaluations.rows([one.runs for one in chosen.groups], found)


def get_curves(
    session: Session, chosen: Chosen, name: str, window: Window, spread: Spread
) -> CurveSet:
    """A metric's curve in each column that has it."""
    ids = list(chosen.runs)
    by_step = window.axis == "step"
    low, high = (_step(place) if by_step else None for place in (window.low, window.high))
    found = repository.series(session, ids, name, low, high)
    counter = _COUNTERS.get(window.axis)
    counted = repository.series(session, ids, counter) if counter else {}
    lines = {
        run_id: _line(chosen.runs[run_id], attempts, counted.get(run_id, ()), window.axis)
        for run_id, attempts in found.items()
        if counter is None or run_id in counted
    }
    items = [
        curve
        for one in chosen.groups
        if (curve := _curve(one, [lines[run] for run in one.runs if run in lines], window, spread))
    ]
    return CurveSet(name=name, axis=window.axis, items=items)


def _step(place: float | None) -> int | None:
    return None if place is None else round(min(max(place, 0.0), _LAST_STEP))


_Line = tuple[Points, Floats]


def _line(
    run: Run,
    attempts: Sequence[tuple[int, Points]],
    counted: Sequence[tuple[int, Points]],
    axis: Axis,
) -> _Line:
    points = curves.joined(attempts)
    started = run.started_at.timestamp() if run.started_at else None
    return points, curves.placed(points, axis, curves.joined(counted), started)


def _curve(
    group: grouping.Group, lines: Sequence[_Line], window: Window, spread: Spread
) -> Curve | None:
    lines = [line for line in lines if len(line[0].steps)]
    if not lines:
        return None
    course: Course = curves.single(*lines[0]) if len(lines) == 1 else curves.averaged(lines, spread)
    course = curves.within(course, window.low, window.high)
    if not len(course.x):
        return None
    return curves.drawn(group.key, course, window.max_points, several=len(lines) > 1)

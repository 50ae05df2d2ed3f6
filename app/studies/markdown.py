"""A study's report as Markdown: what `unisd study show` prints and the page's file holds."""

from __future__ import annotations

from collections.abc import Sequence

from app.effects import Effect
from app.statistics import Interval
from app.studies.report import CellReport, StudyReport
from core.words import duration


def markdown(report: StudyReport) -> str:
    """The report as Markdown: cells × metrics, effects, interactions, and what is missing."""
    parts = [f"# {report.name}", _cells(report)]
    for found in report.effects:
        mains = [effect for effect in found.effects if effect.kind == "main"]
        pairs = [effect for effect in found.effects if effect.kind == "interaction"]
        if mains:
            parts += [f"## Effects on {found.metric}", _effects(mains)]
        if pairs:
            parts += [f"## Interactions on {found.metric}", _effects(pairs)]
    if report.gaps:
        lines = [
            f"- {gap.run}{f', {gap.metric}' if gap.metric else ''}: {gap.reason}"
            for gap in report.gaps
        ]
        parts += ["## Missing", "\n".join(lines)]
    return "\n\n".join(parts) + "\n"


def _cells(report: StudyReport) -> str:
    heads = [*report.factors, "runs", *report.metrics]
    heads += [f"gain in {metric}" for metric in report.metrics]
    return _table([*heads, "device time", "tokens"], [_row(cell, report) for cell in report.cells])


def _row(cell: CellReport, report: StudyReport) -> list[str]:
    outcomes = [cell.outcomes[metric] for metric in report.metrics]
    return [
        *(cell.levels[factor] for factor in report.factors),
        f"{len(cell.seeds)}/{sum(cell.states.values())}",
        *(_interval(outcome.final) for outcome in outcomes),
        *(_interval(outcome.gain, signed=True) for outcome in outcomes),
        "–" if cell.cost.device_seconds is None else duration(cell.cost.device_seconds),
        "–" if cell.cost.tokens is None else f"{cell.cost.tokens:,.0f}",
    ]


def _effects(effects: Sequence[Effect]) -> str:
    rows = [
        [
            " and ".join(f"{factor}={level}" for factor, level in effect.levels.items()),
            ", ".join(f"{factor}={level}" for factor, level in effect.baselines.items()),
            _interval(effect.interval, signed=True),
            _note(effect),
        ]
        for effect in effects
    ]
    return _table(["level", "against", "difference", "note"], rows)


def _note(effect: Effect) -> str:
    additive = "takes the factors to add up" if effect.assumes_additive else ""
    return "; ".join(filter(None, (effect.interval.note, additive)))


def _interval(interval: Interval, *, signed: bool = False) -> str:
    """`mean ± half-width (n)`; all intervals of a report are symmetric."""
    if interval.estimate is None:
        return "–"
    shown = f"{interval.estimate:{'+' if signed else ''}.4g}"
    if interval.high is None:
        return f"{shown} (n={interval.n})"
    return f"{shown} ± {interval.high - interval.estimate:.2g} (n={interval.n})"


def _table(heads: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    lines = [heads, ["---"] * len(heads), *rows]
    return "\n".join(
        "| " + " | ".join(cell.replace("|", "\\|") for cell in line) + " |" for line in lines
    )

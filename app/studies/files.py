"""A study's tables as files for other programs."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Iterable, Sequence
from enum import StrEnum

from app.statistics import Interval
from app.studies.markdown import markdown
from app.studies.report import Result, StudyReport

_Row = Sequence[object]


class StudyFile(StrEnum):
    """Files that a study can be taken along in."""

    REPORT = "report.md"
    CELLS = "cells.csv"
    EFFECTS = "effects.csv"
    RUNS = "runs.csv"

    @property
    def media_type(self) -> str:
        """As in HTTP's `Content-Type`."""
        return "text/markdown" if self is StudyFile.REPORT else "text/csv"


def write_file(file: StudyFile, report: StudyReport, results: Sequence[Result]) -> str:
    """The content of a file."""
    if file is StudyFile.REPORT:
        return markdown(report)
    rows: dict[StudyFile, Callable[[], Iterable[_Row]]] = {
        StudyFile.CELLS: lambda: _cells(report),
        StudyFile.EFFECTS: lambda: _effects(report),
        StudyFile.RUNS: lambda: _runs(report, results),
    }
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerows(rows[file]())
    return text.getvalue()


def _cells(report: StudyReport) -> Iterable[_Row]:
    """A line per cell and metric."""
    yield [
        *report.factors,
        *("metric", "runs", "succeeded", "n", "mean", "low", "high"),
        *("gain", "gain_low", "gain_high", "seconds", "device_seconds", "tokens"),
    ]
    for cell in report.cells:
        for metric, outcome in cell.outcomes.items():
            yield [
                *cell.levels.values(),
                *(metric, sum(cell.states.values()), len(cell.seeds), outcome.final.n),
                *_numbers(outcome.final),
                *_numbers(outcome.gain),
                *(cell.cost.seconds, cell.cost.device_seconds, cell.cost.tokens),
            ]


def _effects(report: StudyReport) -> Iterable[_Row]:
    yield ["metric", "kind", "levels", "against", "difference", "low", "high", "n", "note"]
    for found in report.effects:
        for effect in found.effects:
            additive = "takes the factors to add up" if effect.assumes_additive else ""
            yield [
                *(found.metric, effect.kind, _named(effect.levels), _named(effect.baselines)),
                *_numbers(effect.interval),
                effect.interval.n,
                "; ".join(filter(None, (effect.interval.note, additive))),
            ]


def _runs(report: StudyReport, results: Sequence[Result]) -> Iterable[_Row]:
    """A line per run, with the last value of each metric; for statistics of one's own."""
    yield [
        *("run", "id", *report.factors, "seed", "state"),
        *report.metrics,
        *("seconds", "devices", "tokens", "problem"),
    ]
    for one in results:
        courses = [one.metrics.get(metric) for metric in report.metrics]
        yield [
            *(one.name, one.run_id, *one.levels.values(), one.seed, one.state),
            *(course.last if course else None for course in courses),
            *(one.seconds, one.devices, one.tokens, one.problem and one.problem.message),
        ]


def _numbers(interval: Interval) -> list[float | None]:
    return [interval.estimate, interval.low, interval.high]


def _named(levels: dict[str, str]) -> str:
    return " ".join(f"{factor}={level}" for factor, level in levels.items())

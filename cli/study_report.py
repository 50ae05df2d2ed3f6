"""What the runs in a study's folder tell together."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from app.studies.report import Result, StudyReport, build_report
from cli.study_folder import CellState, load_study, read_record
from core.errors import Problem
from core.study import StudyPlan, cells


def report_of_folder(folder: Path) -> StudyReport:
    """Read what a study's runs have come to from their event logs.

    Raises:
        StudioError: the folder holds no study.
    """
    plan, deaths = load_study(folder)
    return build_report(plan, list(_results(folder, plan, deaths)))


def _results(folder: Path, plan: StudyPlan, deaths: dict[str, Problem]) -> Iterator[Result]:
    for cell in cells(plan):
        record = read_record(folder / cell.name)
        died = record.state is not CellState.SUCCEEDED and cell.name in deaths
        state = CellState.FAILED if died else record.state
        yield Result(
            name=cell.name,
            levels=cell.levels,
            seed=cell.seed,
            state=state.value,
            problem=record.problem or deaths.get(cell.name),
            metrics=record.metrics,
            seconds=record.seconds if record.attempts else None,
            tokens=record.tokens if record.attempts else None,
            devices=cell.config.training.devices,
        )

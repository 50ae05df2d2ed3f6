"""What lies in a study's folder: `study.json`, and for each cell its configuration and attempts.

`DIR/<cell>/run` is a cell's newest attempt; those that were cut off before it are `attempt-1`, … .
Nothing is remembered that the runs' own event logs tell.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import Any

import yaml
from pydantic import ValidationError

from app.studies.plan_text import read_plan
from app.studies.report import Course
from core.config import RunConfig
from core.config_text import yaml_text
from core.errors import Problem, StudioError
from core.study import Cell, StudyPlan, parse_plan

STUDY_FILE = "study.json"
CONFIG_FILE = "run.yaml"
RUN_FOLDER = "run"
EVENTS_FILE = "events.jsonl"
FORMAT = 1


class CellState(StrEnum):
    """What became of a cell."""

    WAITING = "waiting"
    INTERRUPTED = "interrupted"
    FAILED = "failed"
    SUCCEEDED = "succeeded"


@dataclass
class Record:
    """What a cell's event logs tell.

    Attributes:
        state: what became of it.
        problem: why it failed.
        metrics: first and last value of each metric, by step, over all attempts.
        seconds: wall-clock time of all attempts, lost steps included.
        tokens: tokens put through the network in training, lost steps included.
        step, total_steps: optimizer steps done and planned.
        attempts: starts.
    """

    state: CellState = CellState.WAITING
    problem: Problem | None = None
    metrics: dict[str, Course] = field(default_factory=dict)
    seconds: float = 0.0
    tokens: float = 0.0
    step: int = 0
    total_steps: int | None = None
    attempts: int = 0


def read_record(folder: Path) -> Record:
    """Read a cell's folder; one that does not exist is waiting."""
    record = Record()
    for attempt in attempt_folders(folder):
        record.attempts += 1
        record.state, record.problem = CellState.INTERRUPTED, None
        _read_attempt(attempt / EVENTS_FILE, record)
    return record


def attempt_folders(folder: Path) -> list[Path]:
    """A cell's attempts, oldest first."""
    earlier = sorted(
        folder.glob("attempt-*"), key=lambda path: int(path.name.removeprefix("attempt-"))
    )
    newest = folder / RUN_FOLDER
    return [*earlier, newest] if newest.is_dir() else earlier


def _read_attempt(path: Path, record: Record) -> None:
    begun = ended = None
    for event in read_events(path):
        begun = event["time"] if begun is None else begun
        ended = event["time"]
        if event["kind"] == "metrics":
            _add_metrics(event, record)
        elif event["kind"] == "finished":
            _finish(event, record)
    if begun is not None and ended is not None:
        record.seconds += max(0.0, ended - begun)


def read_events(path: Path) -> Iterator[dict[str, Any]]:
    """The complete lines of an event log; a line that is still being written is left out."""
    try:
        with path.open(encoding="utf-8", errors="replace") as lines:
            for line in lines:
                try:
                    event = json.loads(line)
                except ValueError:
                    continue  # cut off by a crash
                if isinstance(event, dict) and {"kind", "time"} <= event.keys():
                    yield event
    except FileNotFoundError:
        return


def _add_metrics(event: dict[str, Any], record: Record) -> None:
    record.step = max(record.step, event["step"])
    record.total_steps = event["total_steps"]
    for name, reported in event["values"].items():
        value = reported if isinstance(reported, int | float) else None
        first = record.metrics[name].first if name in record.metrics else value
        record.metrics[name] = Course(first, value)
        if name.startswith("tokens/"):
            record.tokens += value or 0.0


def _finish(event: dict[str, Any], record: Record) -> None:
    if event["outcome"] == "succeeded":
        record.state = CellState.SUCCEEDED
    elif event["outcome"] == "failed":
        record.state = CellState.FAILED
        record.problem = Problem.model_validate(event["problem"]) if event.get("problem") else None


def load_plan(path: Path) -> StudyPlan:
    """Read a plan from YAML or JSON.

    Raises:
        StudioError: `study_unreadable`, or what is wrong with the plan; each names its line.
    """
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else " ".join(str(error).split())
        raise _unreadable(f"The plan {path} cannot be read: {reason}.") from error
    return read_plan(text, str(path)).plan


def load_study(folder: Path) -> tuple[StudyPlan, dict[str, Problem]]:
    """The plan of a study's folder, and what killed trainers that could not tell it themselves.

    Raises:
        StudioError: `study_unreadable`.
    """
    path = folder / STUDY_FILE
    try:
        known = json.loads(path.read_text(encoding="utf-8"))
        deaths = {
            cell["name"]: Problem.model_validate(cell["problem"])
            for cell in known["cells"]
            if cell["problem"] is not None
        }
        return parse_plan(known["plan"]), deaths
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise _unreadable(f"{path} is not a study's file: {error}.") from error


def write_study(
    folder: Path, plan: StudyPlan, cells: list[Cell], records: dict[str, Record]
) -> None:
    """Write `study.json` in one move."""
    known = {
        "format": FORMAT,
        "plan": plan.model_dump(mode="json"),
        "cells": [_summary(cell, records[cell.name]) for cell in cells],
    }
    part = folder / f"{STUDY_FILE}.part"
    part.write_text(json.dumps(known, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
    part.replace(folder / STUDY_FILE)


def _summary(cell: Cell, record: Record) -> dict[str, Any]:
    return {
        "name": cell.name,
        "levels": cell.levels,
        "seed": cell.seed,
        "state": record.state.value,
        "problem": record.problem.model_dump(mode="json") if record.problem else None,
        "attempts": record.attempts,
        "step": record.step,
        "total_steps": record.total_steps,
        "seconds": round(record.seconds, 3),
        "tokens": record.tokens,
    }


def prepare_cell(folder: Path, cell: Cell) -> Path:
    """Have the cell's configuration in its folder. Returns the file.

    Raises:
        StudioError: `study_changed` if the cell has run with another one.
    """
    path = folder / CONFIG_FILE
    if path.is_file() and attempt_folders(folder):
        if _read_config(path) != cell.config:
            raise StudioError(
                Problem(
                    code="study_changed",
                    message=f"The cell “{cell.name}” has run with another configuration ({path}).",
                    remedy="Give a new folder as --out, or remove the cell's folder.",
                )
            )
        return path
    folder.mkdir(parents=True, exist_ok=True)
    text = yaml_text(cell.config.model_dump(mode="json"))
    path.write_text(text, encoding="utf-8")
    return path


def _read_config(path: Path) -> RunConfig | None:
    try:
        return RunConfig.model_validate(yaml.safe_load(path.read_text(encoding="utf-8")))
    except (OSError, ValueError, yaml.YAMLError, ValidationError):
        return None


def _unreadable(message: str) -> StudioError:
    return StudioError(
        Problem(
            code="study_unreadable",
            message=message,
            remedy="`unisd study PLAN` takes a plan in YAML or JSON; see docs/studies.md.",
        )
    )

"""What the studies' routes take and give."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Annotated

from pydantic import Field, StringConstraints

from app.schemas import Request, Schema
from app.studies.report import Cost, StudyReport
from core.errors import Problem
from core.states import RunStatus
from core.study import StudyPlan


class StudyState(StrEnum):
    """Where a study stands, by its runs."""

    WAITING = "waiting"
    """Nothing runs now, but some runs wait in a queue."""
    RUNNING = "running"
    COMPLETE = "complete"
    """Every run of the plan succeeded."""
    INCOMPLETE = "incomplete"
    """All is over, and some runs did not succeed or are gone."""


class Fate(StrEnum):
    """What becomes of a study's runs when it is deleted."""

    KEEP = "keep"
    DELETE = "delete"


class Retry(StrEnum):
    """Which runs of a study are taken up again."""

    FAILED = "failed"
    """Those that failed or crashed."""
    UNFINISHED = "unfinished"
    """All that are over without success, cancelled and deleted ones too."""


class StudyRun(Schema):
    """One cell with one seed."""

    id: str = Field(description="The run.")
    name: str
    levels: dict[str, str]
    seed: int
    status: RunStatus
    step: int = Field(description="Optimizer steps done in the current attempt.")
    total_steps: int | None
    problem: Problem | None


class StudySummary(Schema):
    """A study as lists show it."""

    id: str
    project_id: str
    name: str
    created_at: datetime
    state: StudyState
    runs: dict[RunStatus, int] = Field(description="Runs by state.")
    progress: float = Field(description="Share of the work that is over or done, 0 to 1.")
    factors: dict[str, list[str]] = Field(description="Factor to its levels.")
    baselines: dict[str, str] = Field(description="Factor to the level that is compared with.")
    combinations: int = Field(description="Combinations of levels in the plan.")
    seeds: int = Field(description="Seeds of each combination.")
    cost: Cost = Field(description="Of all runs so far.")


class StudyList(Schema):
    """Studies, newest first."""

    items: list[StudySummary]
    total: int
    limit: int
    offset: int


class StudyDetail(StudySummary):
    """A study, its runs, and what they tell so far."""

    plan: StudyPlan
    cells: list[StudyRun] = Field(description="In the order of the plan.")
    metrics: list[str] = Field(description="All that its runs reported.")
    eta_seconds: float | None = Field(
        description="Time left if as many runs as now go on at once, from those that succeeded; "
        "null while that cannot be told."
    )
    report: StudyReport


class StudyCreated(StudyDetail):
    """The new study, and what one should know about its input."""

    warnings: list[Problem]


class StudyResume(Request):
    """Which runs are to be taken up again."""

    what: Retry = Retry.UNFINISHED
    runs: list[Annotated[str, StringConstraints(max_length=12)]] | None = Field(
        default=None, max_length=2000, description="Only these of them. Absent: all."
    )


class PlanIn(Request):
    """A plan as it is written."""

    text: str = Field(max_length=1_000_000, description="YAML or JSON (docs/studies.md).")


class PlanCheck(Schema):
    """What a written plan would start."""

    plan: StudyPlan | None = Field(description="Null if it is none.")
    combinations: int = Field(description="Combinations of levels; 0 if they are not known.")
    runs: int = Field(description="Runs that would be queued; 0 if they are not known.")
    errors: list[Problem] = Field(description="Each with its line, where it stands in one.")
    warnings: list[Problem]

"""What the studies' routes give."""

from __future__ import annotations

from datetime import datetime

from pydantic import Field

from app.schemas import Schema
from app.studies.report import StudyReport
from core.errors import Problem
from core.states import RunStatus
from core.study import StudyPlan


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
    runs: dict[RunStatus, int] = Field(description="Runs by state.")


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
    report: StudyReport


class StudyCreated(StudyDetail):
    """The new study, and what one should know about its input."""

    warnings: list[Problem]


class StudyValidation(Schema):
    """Verdict on a plan, without starting anything."""

    valid: bool
    runs: int | None = Field(description="How many it asks for; null where its cells are wrong.")
    errors: list[Problem]
    warnings: list[Problem]

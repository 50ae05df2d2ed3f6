"""What the routes of comparisons take and give."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Final, Literal

from pydantic import Field, StringConstraints

from app.preflight.schemas import RenderedExample
from app.schemas import Request, Schema
from app.statistics import Interval
from core.config_part import ShortText
from core.errors import Problem
from core.generation_job import COLUMNS, SAMPLES, End, GenerationStatus, Sampled

BIGGEST: Final = 2**63 - 1
"""What a column of numbers holds."""
Text = Annotated[str, StringConstraints(min_length=1, max_length=50_000)]
Name = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=200)]
Role = Literal["student", "primary", "auxiliary", "negative"]
Weights = Literal["base", "adapter", "ema_adapter"]


class ColumnWanted(Request):
    """Whose answer a column shows, and behind which view's prompt."""

    run_id: str | None = Field(
        default=None, max_length=200, description="Run. Absent: the base model itself."
    )
    weights: Weights = Field(
        default="base",
        description="The run's adapter, its EMA teacher's, or its base. Before its end an adapter "
        "is that of its newest checkpoint.",
    )
    checkpoint: Annotated[int, Field(ge=1, le=BIGGEST)] | None = Field(
        default=None, description="After how many steps. Absent: at its end."
    )
    view: Role = Field(
        default="student",
        description="`student`: the prompt alone. Others need a run: its teacher's prompt.",
    )
    view_number: int = Field(default=1, ge=1, le=64, description="Which auxiliary teacher.")


class RecordOf(Request):
    """A training record of a run."""

    run_id: str = Field(max_length=200)
    index: int = Field(
        ge=0, le=10_000_000, description="Place among the records it trains on, from 0."
    )


class QuestionOf(Request):
    """A question of an evaluation, asked exactly as it was there."""

    run_id: str = Field(max_length=200)
    cursor: int = Field(ge=0, le=BIGGEST, description="The evaluation's number in the run.")
    index: int = Field(ge=0, le=BIGGEST, description="The question's.")


class GenerationCreate(Request, Sampled):
    """A new comparison: one of `prompt`, `record` and `question` through the columns."""

    name: Name | None = Field(default=None, description="Saves it under this name.")
    prompt: Text | None = Field(default=None, description="What a user says.")
    system_prompt: Annotated[str, StringConstraints(max_length=20_000)] | None = Field(
        default=None, description="With `prompt`: the system message before it."
    )
    demonstration: Text | None = Field(
        default=None, description="With `prompt`: the worked example that a teacher view shows."
    )
    record: RecordOf | None = None
    question: QuestionOf | None = None
    model: ShortText | None = Field(
        default=None, description="Base model, where no column names a run. Absent: the default."
    )
    columns: list[ColumnWanted] = Field(min_length=1, max_length=COLUMNS)
    blind: bool = Field(
        default=False, description="Shuffle the columns, and name them only after a vote."
    )


class GenerationName(Request):
    """A comparison's name."""

    name: Name | None = Field(description="Null: it is not saved any more.")


class VoteWanted(Request):
    """Which answer is best. A second vote by the same person on the same answers replaces it."""

    sample: int = Field(default=0, ge=0, lt=SAMPLES)
    winner: Annotated[int, Field(ge=0, lt=COLUMNS)] | None = Field(
        description="The column, from 0. Null: a tie."
    )


class ColumnOut(Schema):
    """A column. In a blind comparison only its place is known before a vote."""

    key: str | None = Field(description="What tells it from others in tallies.")
    label: str
    run_id: str | None
    run_name: str | None
    weights: Weights | None
    checkpoint: int | None
    view: Role | None
    view_number: int | None
    prompt: str | None = Field(description="As the chat template wrote it, once it is known.")
    prompt_tokens: int | None


class AnswerOut(Schema):
    """An answer, as far as it has come."""

    column: int
    sample: int
    text: str
    tokens: int
    end: End | None = Field(description="Why it ended; null: not yet, or it was cut off.")
    mean_logprob: float | None = Field(
        description="Mean log-probability of its tokens under its own model, nats."
    )


class VoteOut(Schema):
    """Somebody's vote."""

    sample: int
    winner: int | None = Field(description="Null: a tie.")
    blind: bool = Field(description="Whether the columns were unnamed then.")
    actor: str
    created_at: datetime


class GenerationLine(Schema):
    """A comparison in a list."""

    id: str
    name: str | None
    title: str = Field(description="The beginning of what is asked.")
    status: GenerationStatus
    labels: list[str] = Field(description="Of its columns; hidden where it is blind.")
    samples: int
    blind: bool = Field(description="Whether it is blind, and its columns still unnamed.")
    votes: int
    created_at: datetime
    created_by: str


class GenerationOut(Schema):
    """A comparison."""

    id: str
    name: str | None
    title: str
    status: GenerationStatus
    detail: str = Field(description="What is being loaded.")
    cancelling: bool
    waiting: list[str] = Field(description="What it waits for, each a sentence.")
    problem: Problem | None
    model: str
    asked: GenerationCreate = Field(
        description="The request. In a blind comparison its columns have no order before a vote."
    )
    columns: list[ColumnOut]
    answers: list[AnswerOut]
    votes: list[VoteOut]
    blind: bool
    revealed: bool = Field(description="Whether a blind comparison's columns are named by now.")
    cursor: int = Field(description="The answers here have all that came up to it.")
    attempt: int
    created_at: datetime
    created_by: str
    started_at: datetime | None
    finished_at: datetime | None
    first_token_seconds: float | None = Field(
        description="From the worker's start with it to the first token."
    )
    tokens_per_second: float | None = Field(description="Of all answers together.")


class GenerationList(Schema):
    """A page of comparisons, newest first."""

    items: list[GenerationLine]
    total: int
    limit: int
    offset: int


class AlternativeOut(Schema):
    """A token that could have stood at a place."""

    id: int
    piece: str
    logprob: float


class TokenOut(Schema):
    """A token of an answer, under its column's own model."""

    id: int
    piece: str
    logprob: float = Field(description="At temperature 1, nats.")
    top: list[AlternativeOut] = Field(description="The likeliest tokens at its place.")


class AnswerTokens(Schema):
    """An answer token by token; the pieces put together are its text and the token that ends it."""

    column: int
    sample: int
    items: list[TokenOut]


class Tally(Schema):
    """How two columns did against each other, over all votes."""

    first: str = Field(description="Key of the one.")
    first_label: str
    second: str
    second_label: str
    wins: int = Field(description="Votes for the first.")
    losses: int = Field(description="Votes for the second.")
    ties: int
    rate: Interval = Field(description="Share of wins among decided votes (Wilson, 95 %).")


class TallyList(Schema):
    """All pairs that somebody has compared, the most compared first."""

    items: list[Tally]
    blind_only: bool
    votes: int


class RecordPreview(Schema):
    """A training record behind all of a run's views."""

    example: RenderedExample | None
    problem: str | None = Field(description="Why it cannot be shown here.")

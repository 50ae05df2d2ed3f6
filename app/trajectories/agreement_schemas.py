"""What the report on teacher agreement gives."""

from __future__ import annotations

from pydantic import Field

from app.schemas import Schema
from app.statistics import Interval


class DisputedExample(Schema):
    """A data record whose rollouts the auxiliary teachers disagree on."""

    record_id: str
    rollouts: int
    disagreement: float = Field(description="Mean over its rollouts.")
    disagreement_max: float | None = Field(description="Of the token at which it is largest.")
    grade: float | None = Field(description="Share of its graded rollouts that are right.")
    trajectory_id: int = Field(description="Its most disagreed rollout.")
    prompt: str


class DisputedToken(Schema):
    """A token's text, wherever it stands."""

    text: str
    count: int
    disagreement: float = Field(description="Mean over all places.")
    disagreement_max: float
    trajectory_id: int | None = Field(description="The rollout that has the largest.")
    token: int = Field(description="Its place there, from 0.")


class DisputedPart(Schema):
    """A part of the answers."""

    part: str | None = Field(
        description="`reasoning`, `answer letter`, `answer`, `code`, `action`, `arguments`, `end`; "
        "null in records of older trainers."
    )
    tokens: int
    disagreement: float = Field(description="Mean per token.")
    weight: float | None = Field(description="Mean agreement weight of those that count.")
    share: float = Field(description="Of the disagreement of all tokens.")


class StepAgreement(Schema):
    """Steps that follow each other, together."""

    first_step: int
    last_step: int
    rollouts: int
    disagreement: float
    weight: float | None


class ReliabilityBin(Schema):
    """Graded rollouts of like disagreement."""

    low: float
    high: float
    grade: Interval = Field(description="Share that is right, with its Wilson interval.")


class Separation(Schema):
    """How well disagreement tells wrong answers from right ones."""

    probability: float = Field(
        description="That a wrong answer has more disagreement than a right one; 0.5: says nothing."
    )
    low: float = Field(description="Lower end of its 95 % interval (Hanley and McNeil, 1982).")
    high: float
    right: int
    wrong: int


class AgreementReport(Schema):
    """Where the auxiliary teachers of a run disagree, and whether that tells right from wrong."""

    enabled: bool = Field(description="Whether any rollout has a disagreement.")
    statistic: str = Field(description="`variance` or `range`, as configured.")
    level: str = Field(description="`token` or `sequence`, as configured.")
    views: int = Field(description="Auxiliary teachers.")
    trajectories: int = Field(description="Rollouts with a disagreement.")
    graded: int = Field(description="Of these, graded.")
    read: int = Field(description="Rollouts whose tokens are in `tokens` and `parts`.")
    read_tokens: int
    complete: bool = Field(description="False: more is being read; ask again.")
    unreadable: int = Field(description="Files that could not be read now.")
    steps: list[StepAgreement]
    examples: list[DisputedExample]
    tokens: list[DisputedToken] = Field(description="Only texts that stand at several places.")
    least_count: int = Field(description="At so many, at least.")
    parts: list[DisputedPart]
    reliability: list[ReliabilityBin]
    separation: Separation | None = Field(description="Null without right and wrong answers.")

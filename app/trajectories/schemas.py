"""What the trajectories' routes give."""

from __future__ import annotations

from pydantic import Field

from app.schemas import Schema


class TrajectorySummary(Schema):
    """A recorded rollout."""

    id: int
    attempt: int
    step: int
    record_id: str
    pinned: bool
    prompt: str
    completion: str
    reference: str
    tokens: int
    truncated: bool
    divergence: float | None = Field(description="Mean divergence per token, nats.")


class TrajectoryList(Schema):
    """Recorded rollouts, latest step first unless sorted otherwise."""

    items: list[TrajectorySummary]
    total: int
    limit: int
    offset: int


class Alternative(Schema):
    """A likely next token."""

    text: str
    logprob: float = Field(description="Nats.")


class TokenValues(Schema):
    """What student and teacher say about one sampled token; all in nats."""

    id: int
    text: str
    student_logprob: float
    teacher_logprob: float
    divergence: float
    student_entropy: float
    teacher_entropy: float
    contribution: float | None = Field(
        description="Share of the step's loss; null for pinned rollouts outside the batch."
    )
    student_top: list[Alternative]
    teacher_top: list[Alternative]


class TrajectoryDetail(TrajectorySummary):
    """A recorded rollout with every token."""

    student_prompt: str = Field(description="Rendered prompt of the student.")
    teacher_prompt: str = Field(description="Rendered prompt of the teacher.")
    token_values: list[TokenValues]

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
    """What student and teachers say about one sampled token; in nats where nothing else is said.

    What belongs to a mechanism that is off is null.
    """

    id: int
    text: str
    student_logprob: float
    teacher_logprob: float | None = Field(description="Null where the loss has no teacher.")
    negative_logprob: float | None = Field(description="Under the negative teacher.")
    auxiliary_logprobs: list[float] | None = Field(
        description="Under each auxiliary teacher, at temperature 1."
    )
    divergence: float | None
    divergence_clipped: float | None
    disagreement: float | None = Field(description="Of the auxiliary teachers.")
    weight: float | None = Field(description="Agreement weight.")
    contrastive: float | None = Field(description="Contrastive term before its weight.")
    feature_distance: float | None = Field(
        description="Mean squared distance of the final hidden states."
    )
    student_entropy: float
    teacher_entropy: float | None
    contribution: float | None = Field(
        description="Share of the step's loss; null for pinned rollouts outside the batch."
    )
    contributions: dict[str, float] = Field(
        description="The share by term (`divergence`, `contrastive`, `feature_matching`, "
        "`cross_entropy`); empty where it is not known."
    )
    student_top: list[Alternative]
    teacher_top: list[Alternative]


class TrajectoryDetail(TrajectorySummary):
    """A recorded rollout with every token."""

    source: str | None = Field(
        description="Where the completion comes from: `rollout`, `reference` or `presampled`."
    )
    student_prompt: str = Field(description="Rendered prompt of the student.")
    teacher_prompt: str | None = Field(description="Rendered prompt of the primary teacher.")
    auxiliary_prompts: list[str] = Field(description="Rendered prompts of the auxiliary teachers.")
    negative_prompt: str | None = Field(description="Rendered prompt of the negative teacher.")
    token_values: list[TokenValues]

"""What the trajectories' routes give."""

from __future__ import annotations

from pydantic import Field

from app.schemas import Schema


class Summaries(Schema):
    """A recorded rollout in numbers; null where a mechanism is off or nothing is known."""

    id: int
    attempt: int
    step: int
    record_id: str
    pinned: bool
    tokens: int
    truncated: bool
    divergence: float | None = Field(description="Mean divergence per token, nats.")
    disagreement: float | None = Field(
        description="Mean disagreement of the auxiliary teachers per token."
    )
    disagreement_max: float | None = Field(description="Of the token at which it is largest.")
    weight: float | None = Field(description="Mean agreement weight per token.")
    clipped_share: float | None = Field(description="Share of the tokens that were clipped.")
    contrastive_share: float | None = Field(
        description="Share of the tokens at which the contrastive term is not 0."
    )
    feature_distance: float | None = Field(
        description="Mean squared distance of the final hidden states."
    )
    grade: float | None = Field(description="1: right; 0: not; null: not graded.")
    loss: float | None = Field(
        description="Share in the step's loss; null outside of its batch, as pinned ones are."
    )


class TrajectorySummary(Summaries):
    """A recorded rollout."""

    prompt: str
    completion: str
    reference: str


class TrajectoryList(Schema):
    """Recorded rollouts, latest step first unless sorted otherwise."""

    items: list[TrajectorySummary]
    total: int
    limit: int
    offset: int
    newest: int | None = Field(description="Identifier of the run's latest one; null: none.")
    newer: int = Field(description="So many that came after `up_to` match, too.")


class FieldSummary(Schema):
    """What a run's recorded rollouts have of one field."""

    name: str
    count: int = Field(description="Rollouts that have it.")
    min: float | None
    max: float | None
    mean: float | None


class TrajectoryOverview(Schema):
    """A run's recorded rollouts as a whole."""

    total: int
    pinned: int
    truncated: int
    newest: int | None = Field(description="Identifier of the latest one; null: none.")
    fields: list[FieldSummary] = Field(description="Every number; `count` 0: its mechanism is off.")


class Bin(Schema):
    """Rollouts between two values; the upper one belongs to the last bin alone."""

    low: float
    high: float
    count: int


class Distribution(Schema):
    """How one number is spread over recorded rollouts."""

    field: str
    count: int
    unknown: int = Field(description="Rollouts that do not have it.")
    mean: float | None
    quantiles: dict[str, float] = Field(description="`p0`, `p10`, `p25`, `p50`, … `p100`.")
    bins: list[Bin]


class Neighbours(Schema):
    """Where a recorded rollout stands in a list, and which stand beside it."""

    position: int = Field(description="From 1. Where it would stand, if the filter leaves it out.")
    total: int
    previous: int | None = Field(description="Identifier; null at the beginning.")
    next: int | None = Field(description="Identifier; null at the end.")


class FollowedExample(Schema):
    """One record's rollouts through training, first step first."""

    record_id: str
    items: list[Summaries]
    total: int = Field(description="All there are; `items` has the first 5,000.")


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
    part: str | None = Field(
        description="`reasoning`, `answer letter`, `answer`, `code`, `action`, `arguments` or "
        "`end`; null in records of older trainers."
    )
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


class LossSettings(Schema):
    """What a rollout's loss was made with: from this and the tokens it can be computed again.

    What belongs to a mechanism that is off is null.
    """

    counted: bool = Field(description="Whether its tokens count; a truncated one may be masked.")
    objective: str = Field(description="`divergence` or `cross_entropy`.")
    alpha: float | None = Field(description="Of the divergence: 0 forward KL, 1 reverse KL.")
    temperature: float
    normalize_by: str | None = Field(
        description="`tokens` or `weights`: divisor of a sequence's weighted divergence."
    )
    batch_sequences: int | None = Field(
        description="Sequences of the global batch, which the loss is the mean of; null outside."
    )
    batch_loss: float | None = Field(description="The step's logged loss; null outside of it.")
    clip_ceiling: float | None = Field(description="Nats; null where nothing was clipped.")
    clip_quantile: float | None = Field(description="Which made the ceiling; null: it is static.")
    divergence_quantiles: list[float] | None = Field(
        description="Of the batch's token divergences, at 0, 0.01, … 1."
    )
    agreement_level: str | None = Field(description="`token` or `sequence`.")
    agreement_statistic: str | None = Field(description="`variance` or `range`.")
    agreement_gamma: float | None
    agreement_scale: float | None = Field(
        description="0.95-quantile of the batch's disagreement; null at the level `sequence`."
    )
    agreement_scale_variance: float | None = Field(description="The same, for the variance.")
    agreement_scale_range: float | None = Field(description="The same, for the range.")
    contrastive_margin: float | None
    contrastive_weight: float | None
    feature_mode: str | None = Field(description="`joint` or `representation_only`.")
    feature_weight: float | None = Field(description="1 where it replaces the divergence.")


class TrajectoryDetail(TrajectorySummary):
    """A recorded rollout with every token."""

    source: str | None = Field(
        description="Where the completion comes from: `rollout`, `reference` or `presampled`."
    )
    task: str | None = Field(
        description="`choice`, `code`, `tools`, `number` or `text`; null in older records."
    )
    extracted: str | None = Field(description="What was taken for the answer and graded.")
    settings: LossSettings | None = Field(description="Null in records of older trainers.")
    student_prompt: str = Field(description="Rendered prompt of the student.")
    teacher_prompt: str | None = Field(description="Rendered prompt of the primary teacher.")
    auxiliary_prompts: list[str] = Field(description="Rendered prompts of the auxiliary teachers.")
    negative_prompt: str | None = Field(description="Rendered prompt of the negative teacher.")
    token_values: list[TokenValues]

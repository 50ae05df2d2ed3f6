"""What is minimised and against which teacher: the mechanisms of UniSD and its baselines.

Symbols are those of UniSD (arXiv 2605.06597): `D` divergence per token, `w` agreement weight,
`s, t, n` log-probabilities of the sampled token under student, primary and negative teacher.
"""

from __future__ import annotations

from typing import Annotated, Literal, Self

from pydantic import Field, StringConstraints, model_validator

from core.config_part import Part, ShortText, Switchable, extra

DEFAULT_CEILING = 10.0

DEFAULT_TEACHER_TEMPLATE = """{prompt}

Someone who knows the answer worked through this question as follows:

{demonstration}

Study this solution until you understand why it is right. Then answer the question yourself, \
in your own words, without referring to the solution above."""


class ClippingConfig(Switchable):
    """Bounds the divergence of a token: D ← min(D, c), before any weighting."""

    ceiling: float | None = Field(
        default=None,
        gt=0,
        le=1e6,
        description="Static ceiling c. Empty: 10 nats, unless a quantile is given.",
        json_schema_extra=extra("nats"),
    )
    quantile: float | None = Field(
        default=None,
        gt=0,
        lt=1,
        description="Ceiling c = this quantile of the global batch's token divergences. "
        "Costs a second student pass where the batch is accumulated.",
        json_schema_extra=extra("share"),
    )

    @model_validator(mode="after")
    def _one_of_the_two(self) -> Self:
        if self.ceiling is not None and self.quantile is not None:
            raise ValueError("give a ceiling or a quantile, not both")
        return self

    @property
    def static_ceiling(self) -> float | None:
        """The ceiling in nats, or None where the quantile decides."""
        if self.quantile is not None:
            return None
        return DEFAULT_CEILING if self.ceiling is None else self.ceiling


class AgreementConfig(Switchable):
    """Weights tokens or sequences by how far K teacher views agree on what was sampled."""

    level: Literal["token", "sequence"] = Field(
        default="token",
        description="`token`: w = 1 / (1 + γ·min(d/q₉₅(d), 10)). `sequence`: w = exp(−γ·d).",
        json_schema_extra=extra("-"),
    )
    contexts: Literal["random", "retrieval", "induction"] = Field(
        default="random",
        description="What the auxiliary teachers see: another record's worked example at random, "
        "those of the most similar records, or instructions that the model induced.",
        json_schema_extra=extra("-"),
    )
    views: int = Field(
        default=2,
        ge=2,
        le=64,
        description="Auxiliary teachers K. With fewer than 2 there is no disagreement to measure.",
        json_schema_extra=extra("views"),
    )
    embedding_model: ShortText = Field(
        default="sentence-transformers/all-MiniLM-L6-v2",
        description="Sentence embeddings that tell which records are similar (retrieval).",
        json_schema_extra=extra("-", advanced=True),
    )
    statistic: Literal["variance", "range"] = Field(
        default="variance",
        description="Disagreement d of the views' log-probabilities (temperature 1).",
        json_schema_extra=extra("-"),
    )
    gamma: float = Field(
        default=1.0,
        ge=0,
        le=1e4,
        description="Strength γ. 0: every weight is 1.",
        json_schema_extra=extra("-"),
    )


class ContrastiveConfig(Switchable):
    """Pushes the student from a wrong demonstration: max(0, margin + |s − t| − |s − n|)."""

    weight: float = Field(
        default=0.1,
        ge=0,
        le=1e4,
        description="Weight λ of the term in the loss.",
        json_schema_extra=extra("-"),
    )
    margin: float = Field(
        default=0.5,
        ge=0,
        le=1e4,
        description="By how much closer to the teacher than to the negative teacher.",
        json_schema_extra=extra("nats"),
    )
    negatives_per_record: int = Field(
        default=4,
        ge=1,
        le=64,
        description="Wrong demonstrations that the base model writes for each record before "
        "training; one of them is used in each epoch.",
        json_schema_extra=extra("negatives", advanced=True),
    )


class FeatureMatchingConfig(Switchable):
    """Squared distance of the final hidden states of student and primary teacher."""

    mode: Literal["joint", "representation_only"] = Field(
        default="joint",
        description="`joint`: added to the divergence. `representation_only`: in its place.",
        json_schema_extra=extra("-"),
    )
    weight: float = Field(
        default=0.1,
        gt=0,
        le=1e6,
        description="Weight λ of the term when it is added; alone, it has the weight 1.",
        json_schema_extra=extra("-"),
    )


class ObjectiveConfig(Part):
    """What is minimised over the tokens of a completion."""

    loss: Literal["divergence", "cross_entropy"] = Field(
        default="divergence",
        description="`divergence`: between student and teacher, over the whole vocabulary. "
        "`cross_entropy`: −log p of the completion's tokens, without a teacher.",
        json_schema_extra=extra("-"),
    )
    completions: Literal["rollout", "reference", "mixed", "presampled"] = Field(
        default="rollout",
        description="Whose tokens: the student samples them anew (`rollout`), the data's answers "
        "(`reference`), a mixture, or the base model sampled them once before training.",
        json_schema_extra=extra("-"),
    )
    on_policy_share: float = Field(
        default=0.5,
        ge=0,
        le=1,
        description="With `mixed`: probability that a completion is sampled by the student.",
        json_schema_extra=extra("probability", advanced=True),
    )
    alpha: float = Field(
        default=0.0,
        ge=0,
        le=1,
        description="0: forward KL(teacher ‖ student). 1: reverse KL(student ‖ teacher). "
        "Between: generalized Jensen–Shannon with mixture (1−α)·student + α·teacher.",
        json_schema_extra=extra("-"),
    )
    normalize_by: Literal["tokens", "weights"] = Field(
        default="tokens",
        description="Divisor of a sequence's weighted sum. `tokens`: unreliable tokens count "
        "less. `weights`: the sum of weights, where a weight per sequence cancels.",
        json_schema_extra=extra("-", advanced=True),
    )
    mask_truncated: bool = Field(
        default=False,
        description="Leave rollouts without an end token out of the loss.",
        json_schema_extra=extra("-", advanced=True),
    )
    clipping: ClippingConfig = Field(
        default_factory=ClippingConfig,
        description="Divergence clipping.",
        json_schema_extra=extra("-"),
    )
    agreement: AgreementConfig = Field(
        default_factory=AgreementConfig,
        description="Multi-teacher agreement.",
        json_schema_extra=extra("-"),
    )
    contrastive: ContrastiveConfig = Field(
        default_factory=ContrastiveConfig,
        description="Token-level contrastive learning.",
        json_schema_extra=extra("-"),
    )
    feature_matching: FeatureMatchingConfig = Field(
        default_factory=FeatureMatchingConfig,
        description="Feature matching.",
        json_schema_extra=extra("-"),
    )

    @property
    def needs_teacher(self) -> bool:
        """Whether any term compares with a teacher."""
        return self.loss == "divergence"

    @property
    def uses_divergence(self) -> bool:
        """Whether D is part of the loss."""
        matching = self.feature_matching
        alone = matching.enabled and matching.mode == "representation_only"
        return self.loss == "divergence" and not alone


class EmaConfig(Part):
    """Exponential moving average of the student's adapter: θ_T ← β θ_T + (1−β) θ_S."""

    decay: float = Field(
        default=0.9,
        ge=0,
        lt=1,
        description="Share β of the teacher that a synchronisation keeps. 0: it becomes the "
        "student.",
        json_schema_extra=extra("share"),
    )
    every_steps: int = Field(
        default=10,
        ge=1,
        le=1_000_000,
        description="Optimizer steps between synchronisations.",
        json_schema_extra=extra("steps"),
    )


class TeacherConfig(Part):
    """The same network behind a prompt that also shows the worked example."""

    weights: Literal["base", "student", "ema"] = Field(
        default="base",
        description="`base`: the frozen model (adapter off). `student`: the live student's "
        "weights. `ema`: a moving average of the student's adapter.",
        json_schema_extra=extra("-"),
    )
    ema: EmaConfig = Field(
        default_factory=EmaConfig,
        description="The moving average; used with the weights `ema`.",
        json_schema_extra=extra("-"),
    )
    use_rationale: bool = Field(
        default=True,
        description="Show the rationale, where a record has one, and not the answer alone.",
        json_schema_extra=extra("-"),
    )
    template: Annotated[str, StringConstraints(min_length=1, max_length=20_000)] = Field(
        default=DEFAULT_TEACHER_TEMPLATE,
        description="Teacher's user message. `{prompt}` and `{demonstration}` are replaced once, "
        "as plain text; nothing in a record is ever evaluated.",
        json_schema_extra=extra("-", advanced=True),
    )

    @model_validator(mode="after")
    def _has_placeholders(self) -> Self:
        for placeholder in ("{prompt}", "{demonstration}"):
            if placeholder not in self.template:
                raise ValueError(f"the teacher's template must contain {placeholder}")
        return self


class CombinationError(ValueError):
    """Two settings that cannot stand together.

    Attributes:
        field: the setting to look at first.
        remedy: what to do instead.
    """

    def __init__(self, field: str, message: str, remedy: str) -> None:
        super().__init__(message)
        self.field = field
        self.remedy = remedy


def check_combination(objective: ObjectiveConfig, teacher: TeacherConfig) -> None:
    """Refuse combinations in which a mechanism could have no effect.

    Raises:
        CombinationError: which part, why, and what to do instead.
    """
    if objective.loss == "cross_entropy":
        _check_cross_entropy(objective, teacher)
    matching = objective.feature_matching
    if not (matching.enabled and matching.mode == "representation_only"):
        return
    for name, part in (("clipping", objective.clipping), ("agreement", objective.agreement)):
        if part.enabled:
            raise CombinationError(
                f"objective.{name}.enabled",
                f"{name} acts on the divergence, which feature matching in the mode "
                "representation_only replaces",
                f"Switch off objective.{name}, or set objective.feature_matching.mode to joint.",
            )


def _check_cross_entropy(objective: ObjectiveConfig, teacher: TeacherConfig) -> None:
    for name in ("clipping", "agreement", "contrastive", "feature_matching"):
        if getattr(objective, name).enabled:
            raise CombinationError(
                f"objective.{name}.enabled",
                f"{name} compares with a teacher, and cross_entropy has none",
                f"Switch off objective.{name}, or set objective.loss to divergence.",
            )
    if teacher.weights != "base":
        raise CombinationError(
            "teacher.weights",
            f"the teacher's weights {teacher.weights} have no effect, as cross_entropy has no "
            "teacher",
            "Set teacher.weights to base, or objective.loss to divergence.",
        )
    if objective.completions in ("rollout", "mixed"):
        raise CombinationError(
            "objective.completions",
            "cross_entropy on the student's own fresh rollouts has no signal: its expected "
            "gradient is zero",
            "Set objective.completions to reference (sft) or presampled (ssd).",
        )

"""What the routes of retention give."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from app.evaluations.quadrants import Quadrant
from app.schemas import Schema
from app.statistics import Interval, McNemar, Summary
from core.evaluation_config import EvaluationSet
from core.states import RunStatus

Direction = Literal["forward", "reverse", "gold"]
"""Whose text is scored by both: the model's answers, the base's, or the references."""


class DirectionFigures(Schema):
    """Distribution of the examples' means, each per token."""

    examples: int = Field(description="Completions that say something.")
    empty: int = Field(description="Empty completions: counted here, averaged nowhere.")
    jsd: Summary = Field(description="Divergence of model and base, nats; at most ln 2.")
    base_logprob: Summary = Field(description="Log-probability under the base, nats.")
    tuned_logprob: Summary = Field(description="Under the model itself, nats.")
    base_perplexity: float | None = Field(
        description="exp of minus the mean log-probability under the base; null where there is "
        "none, or where it exceeds the numbers."
    )
    tuned_perplexity: float | None


class BaseQuadrants(Schema):
    """Answers by who got them right."""

    regressed: int = Field(description="The base was right, the model is wrong.")
    improved: int = Field(description="The base was wrong, the model is right.")
    both_right: int
    both_wrong: int


class Points(Schema):
    """A point for each example with something to score, as columns, in the examples' order."""

    index: list[int]
    sample: list[int]
    quadrant: list[Quadrant]
    grade: list[float] = Field(description="Partial credit where the task has it, else 0 or 1.")
    gain: list[float] = Field(description="The grade less that of the base's answer.")
    jsd: list[float]
    base_logprob: list[float]
    tuned_logprob: list[float]


class Retention(Schema):
    """What a model has kept of its base on one set of questions, and what it gained."""

    answers: int
    compared: int = Field(description="Answers that were compared with the base.")
    quadrants: BaseQuadrants
    accuracy: Interval = Field(description="Of the model, on the compared answers.")
    base_accuracy: Interval
    gain: Interval = Field(
        description="Accuracy less the base's; BCa bootstrap over questions, 95 %."
    )
    mcnemar: McNemar | None = Field(
        description="First: the base; second: the model. Null where a question has several answers."
    )
    directions: dict[Direction, DirectionFigures]
    points: Points = Field(description="Of the direction that was asked for.")


class EvaluatedWeights(Schema):
    """One result of one state of a run's weights: a point of the curve."""

    name: str = Field(description="`RUN:CURSOR` of the result.")
    run_id: str = Field(description="Run that holds it: this one, or an evaluation of its own.")
    cursor: int
    set: str
    questions: int | None
    weights: Literal["base", "student", "ema"]
    step: int = Field(description="Optimizer steps after which the weights were so.")
    last: bool = Field(description="Whether it is the adapter that the run ended with.")
    time: float = Field(description="Seconds since the Unix epoch.")
    accuracy: Interval
    base_accuracy: float | None = Field(
        description="Of the base on the same questions; null where it was not asked."
    )
    gain: float | None = Field(description="Accuracy less the base's.")
    jsd: float | None = Field(description="Mean over examples, forward, nats per token.")
    base_logprob: float | None
    base_perplexity: float | None
    gold_perplexity: float | None = Field(description="Of the references under the model.")
    gold_base_perplexity: float | None = Field(description="Of the references under the base.")


class PendingEvaluation(Schema):
    """An evaluation of the run's weights that is not over."""

    run_id: str
    name: str
    status: RunStatus
    weights: Literal["student", "ema"]
    step: int
    sets: list[str]


class RetentionCurve(Schema):
    """A run's weights over time: what they gained, and how far they went from the base."""

    items: list[EvaluatedWeights] = Field(description="By set, then by step.")
    pending: list[PendingEvaluation]
    sets: list[EvaluationSet] = Field(
        description="What was asked, as it was last asked: to ask another checkpoint the same."
    )
    source_run_id: str | None = Field(
        description="Of an evaluation of its own: the run whose weights it asked."
    )
    source_run_name: str | None

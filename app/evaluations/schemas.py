"""What the evaluations' routes take and give."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import Field

from app.schemas import Request, Schema
from app.statistics import Interval, McNemar
from core.config import ModelConfig
from core.evaluation_config import EvaluationSet
from core.schedule import Schedule


class EvaluationCreate(Request):
    """A new evaluation: of a run's adapter, of any adapter, or of a base model."""

    project_id: str | None = Field(
        default=None, description="Project. Absent: the run's, else the default project."
    )
    name: Annotated[str, Field(min_length=1, max_length=200, pattern=r"\S")] | None = Field(
        default=None, description="Name. Absent: one is made."
    )
    run_id: str | None = Field(default=None, description="Run whose model is evaluated.")
    weights: Literal["adapter", "ema_adapter", "base"] = Field(
        default="adapter", description="With `run_id`: which of its adapters, or its base."
    )
    checkpoint: Annotated[int, Field(ge=1)] | None = Field(
        default=None, description="With `run_id`: after how many steps. Absent: at its end."
    )
    model: ModelConfig | None = Field(
        default=None, description="Base model. Absent: the run's, else the default."
    )
    adapter: Annotated[str, Field(min_length=1, max_length=500)] | None = Field(
        default=None, description="Without `run_id`: folder of an adapter on the worker."
    )
    sets: list[EvaluationSet] = Field(min_length=1, max_length=64, description="What is asked.")
    system_prompt: Annotated[str, Field(max_length=10_000)] | None = Field(
        default=None, description="System message. Absent: the run's."
    )
    seed: Annotated[int, Field(ge=0, le=2**32 - 1)] = Field(
        default=42, description="Seed of sampled answers."
    )
    device: Literal["auto", "cpu", "cuda", "mps"] = "auto"
    schedule: Schedule = Field(default_factory=Schedule, description="When and where it runs.")


class EvaluationOut(Schema):
    """The result of one set of questions, at one time."""

    cursor: int = Field(description="Number of its event in the run; names it.")
    attempt: int | None
    set: str
    step: int = Field(description="Optimizer steps done; 0 also for an evaluation of its own.")
    time: float = Field(description="Seconds since the Unix epoch.")
    directory: str = Field(description="Folder of the examples on the worker's host.")
    summary: dict[str, Any] = Field(description="Figures; those a task does not have are absent.")
    intervals: dict[str, Interval] = Field(
        description="Wilson intervals of `accuracy` and `extracted`, where each question has one "
        "answer."
    )


class EvaluationList(Schema):
    """A run's evaluations in the order in which they were made."""

    items: list[EvaluationOut]


class Strip(Schema):
    """Tuned model and base on the tokens of one completion."""

    tokens: int
    base_logprob: float = Field(description="Mean per token under the base, nats.")
    tuned_logprob: float = Field(description="Mean per token under the tuned model, nats.")
    jsd: float = Field(description="Mean per token, nats; at most ln 2.")
    pieces: list[str] | None = Field(default=None, description="Texts of the tokens.")
    token_jsd: list[float] | None = Field(default=None, description="Of each token, nats.")
    token_base_logprob: list[float] | None = Field(
        default=None, description="Of each token under the base, nats."
    )
    token_tuned_logprob: list[float] | None = Field(
        default=None, description="Of each token under the tuned model, nats."
    )


class ExampleRetention(Schema):
    """What the model has kept of its base on one example; null parts are empty completions."""

    base_answer: str
    base_correct: bool
    base_extracted: str | None = Field(
        default=None, description="What was taken for the base's answer."
    )
    base_partial: float | None = None
    forward: Strip | None = Field(description="On the tuned model's answer.")
    reverse: Strip | None = Field(description="On the base's answer.")
    gold: Strip | None = Field(description="On the reference.")


class Example(Schema):
    """One answer to one question."""

    index: int
    sample: int
    id: str
    line: int
    task: str
    prompt: str = Field(description="The whole prompt, as the chat template wrote it.")
    reference: str
    answer: str
    tokens: int
    truncated: bool
    extracted: str | None = Field(description="What was taken for the answer.")
    correct: bool
    partial: float | None
    detail: dict[str, Any] | None
    retention: ExampleRetention | None


class ExampleList(Schema):
    """A page of examples."""

    items: list[Example]
    total: int
    limit: int
    offset: int


class Side(Schema):
    """One of two evaluations that are compared, on the examples of both."""

    accuracy: Interval
    extracted: Interval


class Quadrants(Schema):
    """Questions by who got them right."""

    both: int
    only_first: int
    only_second: int
    neither: int


class Retained(Schema):
    """Which of two models stayed nearer to the base, on the examples where both can be told."""

    examples: int
    lower_jsd: Interval = Field(description="Share on which the second has the lower JSD.")
    higher_base_logprob: Interval | None = Field(
        description="Forward: share on which the second's answer has the higher log-probability "
        "under the base. Null where both score the same text."
    )
    jsd: Interval = Field(description="Mean of second − first, nats per token, BCa bootstrap.")
    base_logprob: Interval | None = Field(
        description="Forward: likewise of the log-probability under the base."
    )
    tuned_logprob: Interval = Field(
        description="Likewise of the log-probability under the model itself: of its own answer, "
        "the base's (reverse) or the reference (gold)."
    )


class Comparison(Schema):
    """Two models on the same examples; differences are second − first."""

    seeds: int = Field(description="Evaluations of each model.")
    examples: int = Field(description="Answers that all evaluations gave.")
    only_first: int = Field(description="Answers that the second did not give.")
    only_second: int
    first: Side
    second: Side
    accuracy: Interval = Field(
        description="Difference; BCa bootstrap over questions, or over seeds and questions."
    )
    quadrants: Quadrants
    mcnemar: McNemar | None = Field(description="Exact test; null where there are several seeds.")
    retention: dict[str, Retained] = Field(
        description="`forward`, `reverse`, `gold`; empty unless both were compared with a base."
    )

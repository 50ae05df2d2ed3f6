"""What the evaluations' routes take and give."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import Field

from app.schemas import Request, Schema
from core.config import ModelConfig
from core.evaluation_config import EvaluationSet


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


class EvaluationOut(Schema):
    """The result of one set of questions, at one time."""

    cursor: int = Field(description="Number of its event in the run; names it.")
    attempt: int | None
    set: str
    step: int = Field(description="Optimizer steps done; 0 also for an evaluation of its own.")
    time: float = Field(description="Seconds since the Unix epoch.")
    directory: str = Field(description="Folder of the examples on the worker's host.")
    summary: dict[str, Any] = Field(description="Figures; those a task does not have are absent.")


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
    token_jsd: list[float] | None = None


class ExampleRetention(Schema):
    """What the model has kept of its base on one example; null parts are empty completions."""

    base_answer: str
    base_correct: bool
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

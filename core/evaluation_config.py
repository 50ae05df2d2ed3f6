"""What is evaluated, and how: inside a run, and as a job of its own."""

from __future__ import annotations

from typing import Annotated, ClassVar, Literal, Self

from pydantic import Field, StringConstraints, model_validator

from core.config_part import Part, ShortText, extra
from core.data_config import BenchmarkName, Source
from core.objective_config import CombinationError

Isolation = Literal["rlimits", "namespaces", "bubblewrap"]
"""How far model-written code is kept from its host, from least to most."""


class AnswerSettings(Part):
    """How answers are sampled and judged."""

    place: ClassVar[str] = "evaluation"

    few_shot: int = Field(
        default=0,
        ge=0,
        le=64,
        description="Worked examples from the training split before each question.",
        json_schema_extra=extra("examples", advanced=True),
    )
    max_new_tokens: int = Field(
        default=256,
        ge=1,
        le=131_072,
        description="Longest answer.",
        json_schema_extra=extra("tokens"),
    )
    temperature: float = Field(
        default=0.0,
        ge=0,
        le=5,
        description="Sampling temperature. 0: greedy.",
        json_schema_extra=extra("-", advanced=True),
    )
    top_p: float = Field(
        default=1.0,
        gt=0,
        le=1,
        description="Nucleus: sample from the smallest set of tokens with this probability.",
        json_schema_extra=extra("probability", advanced=True),
    )
    samples: int = Field(
        default=1,
        ge=1,
        le=256,
        description="Answers to each question; more than one needs a temperature.",
        json_schema_extra=extra("answers", advanced=True),
    )
    batch_size: int = Field(
        default=16,
        ge=1,
        le=4096,
        description="Answers written side by side; they do not change each other.",
        json_schema_extra=extra("sequences", advanced=True),
    )
    minimum_isolation: Isolation = Field(
        default="namespaces",
        description="Model-written code is not run at all where less than this can be reached.",
        json_schema_extra=extra("-", advanced=True),
    )
    grader: ShortText | None = Field(
        default=None,
        description="Your own grader, `package.module:function`, on the worker; it needs "
        "UNISD_ALLOW_CUSTOM_GRADERS=1 there. Empty: the task's own.",
        json_schema_extra=extra("-", advanced=True),
    )
    retention: bool = Field(
        default=False,
        description="Compare the model with its base, token by token: what it has forgotten.",
        json_schema_extra=extra("-"),
    )

    @model_validator(mode="after")
    def _samples_differ(self) -> Self:
        if self.samples > 1 and self.temperature == 0:
            raise CombinationError(
                f"{self.place}.samples",
                "several greedy answers are the same answer",
                "Raise the temperature, or ask for one answer.",
            )
        return self


class _Schedule(Part):
    """What is evaluated inside a run, and when."""

    examples: int = Field(
        default=0,
        ge=0,
        le=100_000,
        description="Records held out from training, whose references are scored. 0: none.",
        json_schema_extra=extra("records"),
    )
    every_steps: int = Field(
        default=50,
        ge=1,
        le=10_000_000,
        description="Steps between evaluations; there is always one before the first step and "
        "one after the last.",
        json_schema_extra=extra("steps"),
    )
    benchmarks: tuple[BenchmarkName, ...] = Field(
        default=(),
        max_length=16,
        description="Benchmarks whose questions are answered and graded.",
        json_schema_extra=extra("-"),
    )
    limit: int | None = Field(
        default=None,
        ge=1,
        le=100_000_000,
        description="Only the first so many questions of each benchmark. Empty: all.",
        json_schema_extra=extra("questions"),
    )


class EvaluationConfig(AnswerSettings, _Schedule):
    """Evaluation inside a run: before its first step, every so many steps, and after its last."""


class EvaluationSet(AnswerSettings, Source):
    """Questions under a name, with the way in which they are asked."""

    place: ClassVar[str] = "sets"

    name: Annotated[str, StringConstraints(pattern=r"^[a-z0-9][a-z0-9_.-]{0,99}$")] = Field(
        description="Short name; metrics are called `eval/<name>/…`.",
        json_schema_extra=extra("-"),
    )


def training_sets(config: EvaluationConfig, data: Source) -> list[EvaluationSet]:
    """The benchmarks of a run's configuration as sets, worded as its training data are."""
    shared = config.model_dump(exclude={"examples", "every_steps", "benchmarks"})
    shared |= data.model_dump(include={"answer_first", "captions", "lecture"})
    return [EvaluationSet(name=name, benchmark=name, **shared) for name in config.benchmarks]

"""Where worked examples and questions come from: people's own files, or a benchmark."""

from __future__ import annotations

from pathlib import PurePath
from typing import Annotated, ClassVar, Final, Literal, Self

from pydantic import Field, StringConstraints, model_validator

from core.config_part import FieldName, Part, ShortText, extra
from core.objective_config import CombinationError

BenchmarkName = Literal[
    "scienceqa",
    "cos_e",
    "mbpp",
    "mbpp_sanitized",
    "toolalpaca",
    "gsm8k",
    "gpqa_main",
    "gpqa_extended",
    "gpqa_diamond",
    "humaneval",
]
EVALUATION_ONLY: Final = frozenset({"gpqa_main", "gpqa_extended", "gpqa_diamond", "humaneval"})
"""Benchmarks that measure what was not trained for; training on them would spoil that."""


class DataFields(Part):
    """Which fields of a record hold what (used by the `records` format)."""

    prompt: FieldName = Field(
        default="question",
        description="Field with the student's prompt.",
        json_schema_extra=extra("-", advanced=True),
    )
    answer: FieldName = Field(
        default="answer",
        description="Field with the reference answer.",
        json_schema_extra=extra("-", advanced=True),
    )
    rationale: FieldName | None = Field(
        default="rationale",
        description="Field with the worked reasoning; records without it are accepted.",
        json_schema_extra=extra("-", advanced=True),
    )
    choices: FieldName | None = Field(
        default="choices",
        description="Field with the options of a multiple-choice question (a list of texts, of "
        "which the answer is one); records without it are accepted.",
        json_schema_extra=extra("-", advanced=True),
    )
    messages: FieldName | None = Field(
        default=None,
        description="Field with chat messages ([{role, content}]) in place of the prompt. The last "
        "one of the user is the prompt; an answer after it is the reference, unless the record "
        "has one of its own.",
        json_schema_extra=extra("-", advanced=True),
    )
    tests: FieldName | None = Field(
        default=None,
        description="Field with the tests that an answer in Python must pass (a list of "
        "statements, or one text); records without it are accepted.",
        json_schema_extra=extra("-", advanced=True),
    )
    tool_calls: FieldName | None = Field(
        default=None,
        description="Field with the right calls of tools ([{name, arguments}]); records without "
        "it are accepted.",
        json_schema_extra=extra("-", advanced=True),
    )


class Source(Part):
    """Records: a data set of the studio, a file, or a benchmark by its name and split."""

    place: ClassVar[str] = "data"
    """Where this part stands in a configuration, for messages."""

    path: ShortText | None = Field(
        default=None,
        description="Data file on the worker. Empty: a benchmark is named instead.",
        json_schema_extra=extra("-"),
    )
    benchmark: BenchmarkName | None = Field(
        default=None,
        description="A benchmark by its name, from the worker's UNISD_BENCHMARK_DIR or the hub. "
        "Empty: the file above.",
        json_schema_extra=extra("-"),
    )
    dataset: ShortText | None = Field(
        default=None,
        description="A version of a data set that was uploaded to the studio: `name@number`, or "
        "the version's identifier.",
        json_schema_extra=extra("-"),
    )
    split: FieldName | None = Field(
        default=None,
        description="Split of the benchmark. Empty: the one for this use (training or evaluation).",
        json_schema_extra=extra("-", advanced=True),
    )
    format: Literal["records", BenchmarkName] = Field(
        default="records",
        description="`records`: one object a line with the fields named below. Otherwise a file "
        "as the named benchmark publishes it.",
        json_schema_extra=extra("-"),
    )
    answer_first: bool = Field(
        default=False,
        description="Multiple choice: ask for the letter first and the reason after it. Small "
        "models seldom end their reasoning with a letter.",
        json_schema_extra=extra("-"),
    )
    captions: bool = Field(
        default=False,
        description="ScienceQA: keep questions about an image where a caption is there to stand "
        "for it. Otherwise they are left out.",
        json_schema_extra=extra("-", advanced=True),
    )
    lecture: bool = Field(
        default=False,
        description="ScienceQA: put the lecture before the question.",
        json_schema_extra=extra("-", advanced=True),
    )
    fields: DataFields = Field(
        default_factory=DataFields,
        description="Names of the fields in a record.",
        json_schema_extra=extra("-", advanced=True),
    )
    skip_broken: bool = Field(
        default=False,
        description="Leave out rows that cannot be used, and count them, instead of refusing the "
        "file. Always so for a data set, whose report lists them.",
        json_schema_extra=extra("-", advanced=True),
    )
    limit: int | None = Field(
        default=None,
        ge=1,
        le=100_000_000,
        description="Use only the first so many records. Empty: all.",
        json_schema_extra=extra("records", advanced=True),
    )

    @model_validator(mode="after")
    def _named_once(self) -> Self:
        ways = ("path", "benchmark", "dataset")
        given = [name for name in ways if getattr(self, name) is not None]
        if len(given) != 1:
            what = "no data are named" if not given else f"{' and '.join(given)} are both given"
            raise CombinationError(
                f"{self.place}.path",
                what,
                "Give one of: the path of a file, the name of a benchmark, a data set.",
            )
        if self.benchmark is not None and self.format not in ("records", self.benchmark):
            raise CombinationError(
                f"{self.place}.format",
                f"{self.benchmark} cannot be read as {self.format}",
                f"Leave {self.place}.format out; a benchmark has its own.",
            )
        if self.dataset is not None and (self.format != "records" or self.fields != DataFields()):
            part = "fields" if self.format == "records" else "format"
            raise CombinationError(
                f"{self.place}.{part}",
                "a data set has its own mapping",
                f"Leave {self.place}.{part} out, or change the data set's mapping.",
            )
        return self

    @property
    def layout(self) -> str:
        """How a record is written: `records`, or the name of a benchmark."""
        return self.benchmark or self.format

    @property
    def short_name(self) -> str:
        """What people call the data: benchmark, data set, or the file's name without its folder."""
        if self.path is None:
            return str(self.benchmark or self.dataset)
        return PurePath(self.path).name


class DataConfig(Source):
    """Worked examples: a prompt and the privileged material that only the teacher sees."""

    system_prompt: Annotated[str, StringConstraints(max_length=10_000)] | None = Field(
        default=None,
        description="System message put before every prompt. Empty: none.",
        json_schema_extra=extra("-", advanced=True),
    )
    shuffle: bool = Field(
        default=True,
        description="Visit the records in a new random order in every epoch.",
        json_schema_extra=extra("-", advanced=True),
    )

    @model_validator(mode="after")
    def _may_be_trained_on(self) -> Self:
        if self.layout in EVALUATION_ONLY:
            raise CombinationError(
                "data.benchmark" if self.benchmark else "data.format",
                f"{self.layout} is for evaluation only: whoever trains on it can no longer measure "
                "what the model does outside its training",
                "Train on another data set and name this one under evaluation.benchmarks.",
            )
        return self

"""An export as a job of its own: which weights become which files, and what proves them."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, Any, Final, Literal, Self

from pydantic import Field, StringConstraints, model_validator

from core.config import ModelConfig, RunConfig
from core.config_part import Part, ShortText, extra
from core.objective_config import CombinationError

PIPE_ARGUMENT: Final = "--pipe"
"""Argument that names the pipe from which a worker's child reads a hub token."""
LONGEST_TOKEN: Final = 500
"""Characters of a hub token."""
UNIT_BYTES: Final = 1024
"""An export counts its progress in pieces of so many bytes."""


class ExportKind(StrEnum):
    """What an export makes."""

    ADAPTER = "adapter"
    EMA_ADAPTER = "ema_adapter"
    MERGED = "merged"
    GGUF = "gguf"
    HUB = "hub"


Content = Literal["adapter", "ema_adapter", "merged", "gguf"]
"""What the files are: a push to the hub pushes one of the others."""
Weights = Literal["student", "ema"]
GgufType = Literal["f32", "f16", "bf16", "q8_0"]
RepositoryId = Annotated[
    str,
    StringConstraints(
        strip_whitespace=True,
        max_length=96,
        pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]*/[A-Za-z0-9][A-Za-z0-9._-]*$",
    ),
]


class HubTarget(Part):
    """Where on the hub the files go. The token is not here: it is never stored."""

    repository: RepositoryId = Field(
        description="`owner/name` on the hub; made if it is not there.",
        json_schema_extra=extra("-"),
    )
    private: bool = Field(
        default=True,
        description="Whether a repository that is made is private.",
        json_schema_extra=extra("-"),
    )
    branch: ShortText = Field(
        default="main", description="Branch that gets the files.", json_schema_extra=extra("-")
    )


class CardFacts(Part):
    """What the model card tells of the training, besides its configuration."""

    run: str = Field(description="The run's name.")
    step: int | None = Field(default=None, description="Optimizer steps done.")
    data_sha256: str | None = Field(default=None, description="Hash of the data file.")
    metrics: dict[str, float] = Field(default_factory=dict, description="Newest values, by path.")
    evaluations: dict[str, dict[str, float]] = Field(
        default_factory=dict, description="Figures of the newest evaluation of each set."
    )
    versions: dict[str, str] = Field(default_factory=dict, description="Libraries trained with.")


class ExportJob(Part):
    """Everything that an export's result depends on. Stored with it; holds no secret."""

    version: Literal[1] = Field(default=1, description="Version of this schema.")
    kind: ExportKind = Field(description="What is made.")
    content: Content = Field(description="What the files are.")
    weights: Weights = Field(default="student", description="Whose weights.")
    checkpoint: int | None = Field(
        default=None, ge=0, description="Optimizer step of the checkpoint; null: the adapter."
    )
    adapter: ShortText = Field(description="Folder of the adapter or checkpoint on its worker.")
    model: ModelConfig = Field(description="The base model.")
    config: RunConfig = Field(description="The run's configuration, for the model card.")
    facts: CardFacts = Field(description="What the model card tells of the training.")
    prompt: Annotated[str, StringConstraints(min_length=1, max_length=20_000)] = Field(
        description="What is asked of the original and of the exported model."
    )
    gguf_type: GgufType = Field(default="f16", description="Number format of a GGUF file.")
    hub: HubTarget | None = Field(default=None, description="Where a push goes.")
    device: Literal["auto", "cpu", "cuda", "mps"] = Field(
        default="auto", description="`auto` takes a GPU where the worker has one."
    )

    @model_validator(mode="after")
    def _whole(self) -> Self:
        if (self.kind is ExportKind.HUB) != (self.hub is not None):
            raise CombinationError(
                "hub", "only a push to the hub needs a repository", "Give `hub` with `kind: hub`."
            )
        if self.kind is not ExportKind.HUB and self.kind.value != self.content:
            raise CombinationError(
                "content", f"an export of kind {self.kind} has that content", "Leave it out."
            )
        return self


class ExportedFile(Part):
    """One of an export's files."""

    path: str = Field(description="Relative to the export's folder.")
    bytes: int = Field(ge=0)
    sha256: Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")]
    crc32: int = Field(ge=0, lt=2**32, description="As ZIP archives need it.")


class ExportCheck(Part):
    """The exported thing was loaded and asked; how its answer compares with the original's."""

    passed: bool
    loaded_with: str = Field(description="Library that loaded the exported files.")
    dtype: str = Field(description="Number format in which both computed.")
    prompt: str
    answer: str = Field(description="The original's greedy answer.")
    exported_answer: str = Field(description="The exported model's greedy answer.")
    tokens: int = Field(ge=0, description="Tokens of the original's answer.")
    same_tokens: int = Field(ge=0, description="Tokens up to the first that differs.")
    mean_difference: float = Field(
        description="Mean difference of the log-probabilities of the original's tokens, nats."
    )
    largest_difference: float = Field(description="Largest such difference, nats.")
    tolerance: float = Field(description="Mean difference that is allowed, nats; 0 for none.")
    base_difference: float = Field(
        description="Mean difference between the original and its base on the same tokens, nats: "
        "what the training changed."
    )
    reason: str = Field(default="", description="Why it did not pass.")


def job_of(raw: dict[str, Any]) -> ExportJob:
    """A stored job."""
    return ExportJob.model_validate(raw)

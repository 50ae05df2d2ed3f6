"""Answers side by side: what a worker is asked to generate, and what its model process tells."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, Final, Literal, Self

from pydantic import Field, StringConstraints, model_validator

from core.config import ModelConfig
from core.config_part import Part, ShortText
from core.errors import Problem
from core.objective_config import CombinationError

COLUMNS: Final = 6
"""Most columns side by side."""
SAMPLES: Final = 8
"""Most answers of a column."""
TOKENS: Final = 4096
"""Longest answer."""
ALTERNATIVES: Final = 5
"""Likeliest tokens that are recorded at each place."""

Weights = Literal["base", "student", "ema"]
End = Literal["end", "length"]
"""Why an answer ended: the model ended it, or it may not be longer."""


class GenerationStatus(StrEnum):
    """State of a comparison."""

    QUEUED = "queued"
    LOADING = "loading"
    GENERATING = "generating"
    DONE = "done"
    FAILED = "failed"
    CANCELLED = "cancelled"


OPEN: Final = frozenset(
    {GenerationStatus.QUEUED, GenerationStatus.LOADING, GenerationStatus.GENERATING}
)
"""States that it leaves by itself."""
HELD: Final = frozenset({GenerationStatus.LOADING, GenerationStatus.GENERATING})
"""States in which a worker holds its lease."""


class Sampled(Part):
    """How answers are drawn; the same for all columns."""

    samples: int = Field(default=1, ge=1, le=SAMPLES, description="Answers per column.")
    seed: int = Field(
        default=42,
        ge=0,
        le=2**32 - 1,
        description="The same seed and settings give the same texts.",
    )
    temperature: float = Field(
        default=0.7, ge=0, le=5, description="0 takes the likeliest token at each place."
    )
    top_p: float = Field(
        default=1.0, gt=0, le=1, description="Draw among the likeliest tokens of this probability."
    )
    max_tokens: int = Field(
        default=256, ge=1, le=TOKENS, description="Longest answer. The context may end it sooner."
    )


class ChatMessage(Part):
    """A message of a conversation."""

    role: Literal["system", "user", "assistant"]
    content: str


class JobColumn(Part):
    """Whose answer it is, and to which prompt."""

    weights: Weights = "base"
    adapter: ShortText | None = Field(
        default=None, description="Folder of an adapter or a checkpoint; none: the base model."
    )
    messages: tuple[ChatMessage, ...] = Field(
        default=(), description="A conversation, written by the model's chat template."
    )
    text: Annotated[str, StringConstraints(min_length=1)] | None = Field(
        default=None, description="A prompt that is written already, in place of `messages`."
    )

    @model_validator(mode="after")
    def _whole(self) -> Self:
        if (self.text is None) == (not self.messages):
            raise CombinationError(
                "text", "a column has one prompt", "Give either `text` or `messages`."
            )
        if (self.weights == "base") != (self.adapter is None):
            raise CombinationError(
                "adapter", "the base model has no adapter, others do", "Give both or neither."
            )
        return self


class GenerationJob(Part):
    """Everything that the texts depend on."""

    model: ModelConfig = Field(
        description="The base model. Of `model.lora` only the layers are looked at."
    )
    columns: tuple[JobColumn, ...] = Field(min_length=1, max_length=COLUMNS)
    sampled: Sampled = Field(default_factory=Sampled)
    device: Literal["auto", "cpu", "cuda", "mps"] = "auto"


class Order(Part):
    """A line that a worker writes to its model process."""

    kind: Literal["generate", "cancel"]
    id: str
    job: GenerationJob | None = None


class Alternative(Part):
    """A token that could have stood at a place."""

    id: int
    piece: str
    logprob: float


class TokenTold(Part):
    """A token of an answer.

    Log-probabilities are those of the column's own model at temperature 1, in nats.
    """

    column: int
    sample: int
    id: int
    piece: str
    logprob: float
    top: tuple[Alternative, ...]
    end: End | None = Field(default=None, description="Of the last token: why it is the last.")


class Told(Part):
    """A line that the model process writes to its worker."""

    kind: Literal["loading", "prompts", "tokens", "done", "cancelled", "failed"]
    id: str
    detail: str = ""
    prompts: tuple[str, ...] = ()
    prompt_tokens: tuple[int, ...] = ()
    tokens: tuple[TokenTold, ...] = ()
    problem: Problem | None = None

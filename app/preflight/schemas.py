"""What the preflight tells."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from app.schemas import Schema
from core.errors import Problem


class PreflightColumn(Schema):
    """A field of the data file."""

    name: str
    types: list[str] = Field(description="JSON types of its values in the rows looked at.")
    filled: int = Field(description="Rows looked at that have a value.")
    used_as: str | None = Field(description="What it is read as; null: not used, or not known.")
    sample: str = Field(description="Its first value, shortened.")


class DataReport(Schema):
    """The data file as the run will read it."""

    layout: str = Field(description="`records`, or the benchmark whose form the file has.")
    file: str
    bytes: int
    rows_looked_at: int
    columns: list[PreflightColumn]
    records: int = Field(description="Records read for this report.")
    whole: bool = Field(description="Whether that is all of them.")
    tasks: dict[str, int] = Field(description="Records by how their answers are graded.")
    skipped: dict[str, int] = Field(description="Rows that are left out, by reason.")
    train: int = Field(description="Records left to train on.")
    held_out: int


class LongRecord(Schema):
    """A record whose prompt does not fit."""

    line: int
    tokens: int


class ViewLengths(Schema):
    """Tokens of a view's prompt over the records counted."""

    view: Literal["student", "primary"]
    median: float
    p95: float
    maximum: int


class PromptReport(Schema):
    """Whether the prompts fit."""

    counted: int
    limit: int = Field(description="`generation.max_prompt_length`.")
    context: int | None = Field(description="Positions that the model knows, if it says so.")
    too_long: int = Field(description="Records that do not fit and will be dropped.")
    longest: list[LongRecord] = Field(description="The first few of those.")
    without_views: int | None = Field(
        description="Of the records looked at: those for which too few auxiliary prompts fit; null "
        "without auxiliary teachers, or where their contexts are not made yet."
    )
    views_looked_at: int
    lengths: list[ViewLengths]


class ModelReport(Schema):
    """The model as this machine has it."""

    name: str
    folder: str | None = Field(description="Where it lies here; null: not on this machine.")
    parameters: int | None
    trained: int | None = Field(description="Parameters of the adapter.")
    vocabulary: int | None
    tokenizer: bool = Field(description="Whether its tokenizer and chat template work here.")
    special_tokens: dict[str, str]
    problem: str | None = Field(description="Why they do not.")


class RenderedView(Schema):
    """One prompt as the trainer will render it."""

    role: Literal["student", "primary", "auxiliary", "negative"]
    number: int = Field(description="Which of its kind, from 1.")
    text: str
    tokens: int
    made: bool = Field(description="False: what it shows is only made before training.")
    note: str = Field(description="Where what it shows comes from.")


class RenderedExample(Schema):
    """One training record behind all of its views, in the first epoch."""

    index: int = Field(description="Place among the records left to train on, from 0.")
    records: int = Field(description="How many there are.")
    line: int
    id: str
    views: list[RenderedView]
    reference: str = Field(description="The data's answer as a completion.")
    exact: bool = Field(description="Whether the run itself will show exactly this.")


class Making(Schema):
    """Something that is made once before training, and kept."""

    kind: Literal["negatives", "instructions", "embeddings", "completions"]
    total: int
    present: int = Field(description="Found in this machine's cache.")
    looked_at: int = Field(description="How many were looked for.")
    seconds: float | None = Field(description="Time for what is missing; null: not known yet.")
    basis: str = Field(description="Where that time comes from, or why it is not known.")


class MemoryNeed(Schema):
    """Bytes on each device at the peak."""

    base: int
    adapters: int
    optimizer: int
    sampling: int
    activations: int
    head: int
    runtime: int
    peak: int


Verdict = Literal["fits", "tight", "will_not", "unknown"]


class WorkerFit(Schema):
    """Whether a worker can take the run, and how long it would need."""

    id: str
    name: str
    status: str
    mode: str
    device: str
    verdict: Verdict
    reason: str
    need: MemoryNeed | None
    capacity: int | None = Field(description="Bytes of the smallest GPU, or of the host.")
    free: int | None = Field(description="Bytes that nothing holds now.")
    disk_free: int | None
    disk_verdict: Verdict
    seconds: float | None = Field(description="Training alone; null: not known yet.")
    seconds_per_step: float | None
    measured_runs: int = Field(description="Earlier runs behind these times.")
    time_note: str


class DiskNeed(Schema):
    """Bytes that the run will write."""

    adapters: int
    checkpoints: int
    total: int


class Preflight(Schema):
    """What can be known about a run before it starts."""

    errors: list[Problem]
    warnings: list[Problem]
    data: DataReport | None
    prompts: PromptReport | None
    model: ModelReport
    example: RenderedExample | None
    making: list[Making]
    steps: int | None = Field(description="Optimizer steps.")
    sequences: int = Field(description="Sequences per optimizer step, on all devices.")
    disk: DiskNeed | None
    workers: list[WorkerFit] = Field(description="Workers that are connected.")

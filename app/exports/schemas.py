"""What the exports' routes take and give."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal, Self

from pydantic import AfterValidator, Field, SecretStr, StringConstraints, model_validator

from app.schemas import Request, Schema
from core.errors import Problem
from core.export_job import (
    LONGEST_TOKEN,
    Content,
    ExportCheck,
    ExportKind,
    GgufType,
    RepositoryId,
    Weights,
)
from core.states import RunStatus


def _plain(token: SecretStr) -> SecretStr:
    """A token as it stands in a header; its text is in no complaint about it."""
    text = token.get_secret_value().strip()
    if not text.isascii() or not text.isprintable() or " " in text or not text:
        raise ValueError("a token has only letters, digits and signs of ASCII, and no spaces")
    return SecretStr(text)


class HubWish(Request):
    """A push to a repository of the hub."""

    repository: RepositoryId = Field(
        description="`owner/name` on the hub; made if it is not there."
    )
    token: Annotated[
        SecretStr, Field(min_length=1, max_length=LONGEST_TOKEN), AfterValidator(_plain)
    ] = Field(
        description="Access token with the right to write there. Used once and never stored whole."
    )
    content: Content = Field(default="adapter", description="What is pushed.")
    private: bool = Field(default=True, description="Whether a repository that is made is private.")
    branch: Annotated[
        str,
        StringConstraints(
            strip_whitespace=True, max_length=100, pattern=r"^[A-Za-z0-9][A-Za-z0-9._/-]*$"
        ),
    ] = Field(default="main", description="Branch that gets the files; made if not there.")


class ExportCreate(Request):
    """A new export of a run's weights."""

    kind: ExportKind = Field(description="What is made.")
    checkpoint: Annotated[int, Field(ge=0, le=2**31 - 1)] | None = Field(
        default=None,
        description="Step of the checkpoint whose weights are taken. Absent: the run's adapter, or "
        "where it has none yet its newest checkpoint.",
    )
    weights: Weights = Field(
        default="student",
        description="Of a merged model, a GGUF file or what is pushed: the student's weights, or "
        "the EMA teacher's.",
    )
    gguf_type: GgufType = Field(default="f16", description="Number format of a GGUF file.")
    prompt: (
        Annotated[str, StringConstraints(min_length=1, max_length=20_000, pattern=r"\S")] | None
    ) = Field(
        default=None,
        description="Asked of original and export to compare them. Absent: a prompt of the run.",
    )
    hub: HubWish | None = Field(default=None, description="Where a push goes; for `hub` alone.")

    @model_validator(mode="after")
    def _hub_with_hub(self) -> Self:
        if (self.kind is ExportKind.HUB) != (self.hub is not None):
            raise ValueError("`hub` is given with kind `hub`, and only then")
        return self

    @property
    def content(self) -> Content:
        """What the files are."""
        if self.hub is not None:
            return self.hub.content
        content: Content = self.kind.value  # type: ignore[assignment]  # the same words
        return content


class ExportProgress(Schema):
    """How far the current phase is. Unknown figures are null, never 0."""

    phase: str | None
    detail: str
    bytes: int | None = Field(description="Written or sent.")
    total_bytes: int | None = Field(description="In all, as far as it can be told before.")
    eta_seconds: float | None = Field(description="Estimated seconds left of the phase.")


class ExportFile(Schema):
    """One of an export's files."""

    path: str
    bytes: int
    sha256: str


class ExportOut(Schema):
    """An export. It is executed as the run of the same identifier."""

    id: str
    run_id: str
    run_name: str
    project_id: str
    name: str
    kind: ExportKind
    content: Content = Field(description="What the files are: of a push, what was pushed.")
    weights: Weights
    checkpoint: int | None = Field(description="Step of the checkpoint; null: the run's adapter.")
    gguf_type: GgufType | None = Field(description="Only of GGUF files.")
    repository: str | None = Field(description="Only of a push.")
    status: RunStatus
    progress: ExportProgress
    waiting: list[str] = Field(description="What a queued export waits for; empty: nothing.")
    worker: str | None
    estimate_bytes: int | None = Field(description="Size as told before; null: unknown.")
    bytes: int | None = Field(description="Of the files that are kept; null before they are made.")
    files: list[ExportFile]
    check: ExportCheck | None = Field(description="How the exported thing answers; null before.")
    licence: str | None = Field(description="The base's, where it is known.")
    url: str | None = Field(description="Where the hub shows a push.")
    downloadable: bool = Field(description="Whether its files can be fetched now.")
    problem: Problem | None = Field(description="Why it failed.")
    created_at: datetime
    started_at: datetime | None
    finished_at: datetime | None


class ExportList(Schema):
    """Exports, newest first unless sorted otherwise."""

    items: list[ExportOut]
    total: int
    total_bytes: int = Field(description="Bytes of the files of all of them, not of this page.")
    limit: int
    offset: int


class CheckpointOption(Schema):
    """A checkpoint that can be exported."""

    step: int


class KindOption(Schema):
    """One kind of export."""

    kind: Literal["adapter", "ema_adapter", "merged", "gguf", "hub"]
    available: bool
    reason: str = Field(description="Why not, if not.")
    remedy: str = Field(description="What to do about it.")
    estimate_bytes: int | None = Field(description="Size of the files; null: unknown.")


class ExportOptions(Schema):
    """What can be exported of a run, and how large it will be."""

    has_adapter: bool = Field(description="Whether the run has written its adapter.")
    has_ema: bool = Field(description="Whether the run keeps a moving average of its weights.")
    checkpoints: list[CheckpointOption] = Field(description="Those that are kept, newest first.")
    kinds: list[KindOption]
    prompt: str = Field(description="What is asked to compare, unless another prompt is given.")
    disk_free: int | None = Field(
        description="Bytes free on the connected worker that has most; null: no worker."
    )

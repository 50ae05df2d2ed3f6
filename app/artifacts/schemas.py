"""What the artifacts' routes give."""

from __future__ import annotations

from datetime import datetime
from typing import Literal

from pydantic import Field

from app.exports.schemas import ExportOut
from app.schemas import Schema


class StoredFile(Schema):
    """A file that can be downloaded."""

    path: str = Field(description="Below the run's folder, as the download's address has it.")
    bytes: int


class FileSet(Schema):
    """An adapter or a checkpoint that a run wrote."""

    kind: Literal["adapter", "ema_adapter", "checkpoint"]
    attempt: int
    step: int | None = Field(description="Of a checkpoint: optimizer steps done.")
    bytes: int
    files: list[StoredFile]


class RunFiles(Schema):
    """A run's weights, and the room that all of its files take."""

    items: list[FileSet] = Field(description="The latest attempt's first, newest first.")
    run_bytes: int = Field(description="All files of the run that are in the store.")
    export_bytes: int = Field(description="All files of its exports.")


class ArtifactRow(Schema):
    """An adapter that a run wrote, or an export of one."""

    source: Literal["run", "export"] = Field(description="Who made it.")
    id: str = Field(description="Of the export; of a run's adapter a name that is stable.")
    kind: str
    run_id: str
    run_name: str
    project_id: str
    attempt: int | None = Field(description="Attempt that wrote a run's adapter.")
    bytes: int | None
    sha256: str | None = Field(description="Hash of the weights of a run's adapter.")
    created_at: datetime
    export: ExportOut | None = Field(description="The export itself, if it is one.")


class ArtifactList(Schema):
    """Adapters and exports of all runs, newest first unless sorted otherwise."""

    items: list[ArtifactRow]
    total: int
    total_bytes: int = Field(description="Bytes of all of them, not of this page alone.")
    limit: int
    offset: int

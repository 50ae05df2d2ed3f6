"""What the bundles' routes take and give."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, StringConstraints

from app.runs.schemas import RunCreated
from app.schemas import Request, Schema
from core.bundle import Bundle
from core.config import RunConfig
from core.errors import Problem
from core.schedule import Schedule


class BundleImport(Request):
    """A bundle to start the same run from."""

    bundle: Bundle = Field(description="The file's content.")
    project_id: str | None = Field(default=None, description="Project. Absent: the default one.")
    name: Annotated[str, Field(min_length=1, max_length=200, pattern=r"\S")] | None = Field(
        default=None, description="Name. Absent: the bundle's."
    )
    data: (
        Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=1000)]
        | None
    ) = Field(
        default=None,
        description="Where the data is now: a data set as `name@number`, or a file's path. Absent: "
        "an uploaded data set of the same bytes, else where the bundle says.",
    )
    model: (
        Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=1000)]
        | None
    ) = Field(
        default=None,
        description="Where the model is now: a folder on the worker, or its name on the hub. "
        "Absent: where the bundle says.",
    )
    schedule: Schedule = Field(default_factory=Schedule, description="When and where it runs.")


class VersionDifference(Schema):
    """Something that is another version now."""

    name: str
    then: str
    now: str = Field(description="On the connected workers; several where they differ.")


class BundleVerdict(Schema):
    """Whether a bundle can be started here, and what is different."""

    name: str
    config: RunConfig = Field(description="The configuration that would be run.")
    data: Literal["verified", "unverified"] = Field(
        description="`unverified`: the hash is not known, or only a worker can tell it."
    )
    data_from: str = Field(description="Data set, benchmark or path that the data is read from.")
    differences: list[VersionDifference]
    errors: list[Problem] = Field(description="Why it cannot be started; empty: it can.")
    warnings: list[Problem]


class BundleStarted(Schema):
    """The new run."""

    run: RunCreated
    data: Literal["verified", "unverified"]
    differences: list[VersionDifference]

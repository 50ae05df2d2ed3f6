"""A reproduction bundle: what a run was made of, and what came out, as one JSON file."""

from __future__ import annotations

from typing import Annotated, Any, Final, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from core.config import RunConfig
from core.data_config import DataFields

FORMAT: Final = "unisd-bundle"
FILE_ENDING: Final = ".unisd.json"
Sha256 = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")]


class _Told(BaseModel):
    # Later versions may tell more than this one reads.
    model_config = ConfigDict(frozen=True, extra="ignore")


class BundleData(_Told):
    """Which data the run read."""

    name: str = Field(description="Data set, benchmark, or the file's name without its folder.")
    sha256: Sha256 | None = Field(
        default=None, description="Hash of the file's bytes; null: the run had not read it yet."
    )
    records: int | None = Field(default=None, description="Records read.")
    train: int | None = Field(default=None, description="Records used for training.")
    held_out: int | None = Field(default=None, description="Records held out for evaluation.")
    fields: DataFields | None = Field(
        default=None, description="Mapping of an uploaded data set's columns."
    )


class BundleEnvironment(_Told):
    """What the run was made with."""

    studio: str | None = Field(default=None, description="Version of the studio.")
    device: str | None = Field(default=None, description="Device in words.")
    dtype: str | None = Field(default=None, description="Number format of the frozen weights.")
    versions: dict[str, str] = Field(
        default_factory=dict, description="Versions of Python and of the libraries that count."
    )
    details: dict[str, Any] = Field(
        default_factory=dict, description="All packages, commit of the code, drivers, variables."
    )


class BundleMetric(_Told):
    """A metric's newest value and its range; null where there is no finite one."""

    last: float | None
    min: float | None
    max: float | None


class BundleEvaluation(_Told):
    """Figures of one evaluation."""

    set: str
    step: int
    summary: dict[str, Any]


class BundleFiles(_Told):
    """An adapter that the run wrote."""

    kind: str
    bytes: int
    sha256: str = Field(description="Hash of the weights file.")


class BundleResults(_Told):
    """What came out."""

    status: str = Field(default="", description="State of the run when the bundle was made.")
    steps: int | None = Field(default=None, description="Optimizer steps done.")
    losses: dict[int, float] = Field(
        default_factory=dict,
        description="`train/loss` by step; of a long run only every n-th step.",
    )
    metrics: dict[str, BundleMetric] = Field(default_factory=dict, description="By path.")
    evaluations: list[BundleEvaluation] = Field(default_factory=list)
    files: list[BundleFiles] = Field(default_factory=list)


class Bundle(_Told):
    """All of it."""

    format: Literal["unisd-bundle"] = Field(description="Tells such a file from others.")
    version: Literal[1] = Field(description="Version of the format.")
    made_at: str = Field(default="", description="When, as ISO 8601.")
    run_id: str = Field(default="", max_length=32, description="Identifier that the run had.")
    name: Annotated[str, StringConstraints(min_length=1, max_length=200, pattern=r"\S")]
    config: RunConfig = Field(description="The run's configuration with every field.")
    seeds: dict[str, int] = Field(default_factory=dict, description="Also in the configuration.")
    data: BundleData
    environment: BundleEnvironment = Field(default_factory=BundleEnvironment)
    results: BundleResults = Field(default_factory=BundleResults)

"""What the data sets' routes take and give."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Literal

from pydantic import Field, StringConstraints

from app.schemas import Request, Schema
from core.data_config import DataFields
from core.errors import Problem
from core.record import Record

Name = Annotated[
    str,
    StringConstraints(min_length=1, max_length=100, pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]*$"),
]
"""Without `@` and white space, so that `name@number` can be written anywhere."""
FileName = Annotated[
    str, StringConstraints(min_length=1, max_length=255, pattern=r"^[^/\\\x00-\x1f]+$")
]


class Origin(Schema):
    """Where on the hub a file came from."""

    repo_id: str
    revision: str
    file: str


class HubSource(Request):
    """A file of a data set on the Hugging Face hub."""

    name: Name = Field(description="Name of the data set here; a known one gets a new version.")
    project_id: str | None = Field(default=None, description="Project. Absent: the default one.")
    repo_id: Annotated[
        str, StringConstraints(max_length=200, pattern=r"^[A-Za-z0-9._-]+(/[A-Za-z0-9._-]+)?$")
    ] = Field(description="Repository of type data set, `owner/name`.")
    revision: Annotated[str, StringConstraints(min_length=1, max_length=100)] = Field(
        default="main", description="Branch, tag or commit; the commit found is recorded."
    )
    file: Annotated[
        str, StringConstraints(min_length=1, max_length=500, pattern=r"^[^\\\x00-\x1f]+$")
    ] = Field(description="Path of the file in the repository.")


class MappingChange(Request):
    """Another mapping of the same file."""

    mapping: DataFields


class Repeat(Schema):
    """A line whose prompt was seen before."""

    line: int
    first: int = Field(description="The line where the prompt stands first.")


class Column(Schema):
    """A column and the types found in the first rows."""

    name: str
    types: list[str]


class Report(Schema):
    """What was found in a file under a mapping."""

    rows: int
    good: int = Field(description="Rows that became examples.")
    broken: int
    problems: list[Problem] = Field(
        description="The first 100, each with its line; `field` is the part of the mapping at "
        "fault, null where the line as a whole is."
    )
    tasks: dict[str, int] = Field(description="Examples by how they are graded.")
    columns: list[Column]
    duplicates: int = Field(
        description="Examples whose prompt stands in an earlier line; white space and case do "
        "not count."
    )
    duplicate_lines: list[Repeat] = Field(description="The first 100.")


class VersionOut(Schema):
    """An immutable version of a data set."""

    id: str
    dataset_id: str
    name: str
    number: int
    reference: str = Field(description="`name@number`, for `data.dataset` of a configuration.")
    sha256: str = Field(description="Hash of the file's bytes.")
    file_name: str
    format: Literal["jsonl", "json", "csv", "parquet"]
    bytes: int
    rows: int
    mapping: DataFields
    origin: Origin | None
    created_at: datetime
    report: Report


class DatasetOut(Schema):
    """A data set with its newest version's figures."""

    id: str
    project_id: str
    name: str
    created_at: datetime
    versions: int
    latest: int | None = Field(description="Number of the newest version.")
    bytes: int | None
    rows: int | None
    broken: int | None


class DatasetDetail(DatasetOut):
    """A data set with all versions, newest first."""

    items: list[VersionOut]


class DatasetList(Schema):
    """A page of data sets, by name."""

    items: list[DatasetOut]
    total: int
    limit: int
    offset: int


class RawRow(Schema):
    """A row as it is in the file, and as the mapping makes it."""

    line: int
    raw: dict[str, Any] = Field(description="Long texts are cut. Empty: it could not be read.")
    record: Record | None
    problem: Problem | None


class Preview(Schema):
    """Some rows."""

    items: list[RawRow]
    total: int
    limit: int
    offset: int


class Leaks(Schema):
    """Examples that are both trained on and evaluated, by their prompt."""

    train: int = Field(description="Examples in the first version.")
    evaluation: int = Field(description="Examples in the second.")
    leaked: int = Field(description="Examples of the second whose prompt is in the first.")
    lines: list[Repeat] = Field(description="The first 100; `first` is the line in the first.")


class Histogram(Schema):
    """Lengths in tokens."""

    edges: list[int] = Field(description="Bin i counts lengths from edge i up to edge i + 1.")
    counts: list[int]
    minimum: int
    median: float
    p95: float
    maximum: int


class Lengths(Schema):
    """How long prompts and reference answers are for a model's tokenizer."""

    model: str
    examples: int = Field(description="Examples counted, from the start of the file.")
    prompt: Histogram
    answer: Histogram


class SplitOut(Schema):
    """A part of a benchmark."""

    name: str
    here: bool = Field(description="Whether its file is in the API's `UNISD_BENCHMARK_DIR`.")
    on_hub: bool = Field(description="Whether a worker can obtain it from the hub.")


class BenchmarkOut(Schema):
    """A benchmark that is built in."""

    name: str = Field(description="For `data.benchmark` of a configuration.")
    title: str
    licence: str = Field(description="Licence of its data.")
    repository: str = Field(description="Data set on the hub; empty where there is none.")
    train: str | None = Field(description="Split to train on; null: for evaluation only.")
    evaluate: str = Field(description="Split to evaluate on.")
    splits: list[SplitOut]


class BenchmarkList(Schema):
    """All benchmarks."""

    items: list[BenchmarkOut]

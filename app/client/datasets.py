"""Data sets: upload them, and see what is in them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from app.client.errors import not_found
from app.client.finding import only, path
from app.client.paging import each, plain
from app.client.transport import Transport
from app.datasets.schemas import (
    DatasetDetail,
    DatasetOut,
    HubSource,
    Leaks,
    Lengths,
    Preview,
    VersionOut,
)
from core.data_config import DataFields
from core.errors import Problem, StudioError


class Datasets:
    """What can be done with data sets; a version is named by `name@number`, or by `VersionOut`."""

    def __init__(self, transport: Transport) -> None:
        self._transport = transport

    def list(
        self, *, project_id: str | None = None, name: str | None = None, most: int | None = None
    ) -> Iterator[DatasetOut]:
        """Data sets by name, with their newest version's figures."""
        query = {"project_id": project_id, "name": name}
        return each(self._transport, "/api/datasets", query, DatasetOut, most)

    def get(self, dataset_id: str) -> DatasetDetail:
        """A data set with its versions, newest first, and their reports."""
        return DatasetDetail.model_validate(self._transport.get(path("datasets", dataset_id)))

    def find(self, reference: str, *, project_id: str | None = None) -> VersionOut:
        """A version by `name@number`, or a data set's newest one by `name`.

        Raises:
            NotFoundError: there is none.
            ConflictError: several projects have one; say which is meant.
        """
        name, _, number = reference.partition("@")
        remedy = "See `unisd datasets list`."
        found = list(self.list(project_id=project_id, name=name))
        dataset = only(found, name, "data set", remedy) if found else None
        versions = self.get(dataset.id).items if dataset else []
        for version in versions:
            if not number or str(version.number) == number:
                return version
        raise not_found(f"There is no data set “{reference}”.", remedy)

    def upload(
        self, file: Path | str, *, name: str | None = None, project_id: str | None = None
    ) -> VersionOut:
        """Send a file (JSONL, JSON, CSV, TSV, Parquet; also gzipped) as a new version.

        Args:
            file: sent in pieces; it is not loaded whole.
            name: of the data set; absent: the file's, up to its first dot.
            project_id: absent: the default one.

        Raises:
            StudioError: `data_not_found`; the file cannot be read.
        """
        file = Path(file)
        params = {
            "name": name or file.name.split(".")[0],
            "file_name": file.name,
            "project_id": project_id,
        }
        try:
            with file.open("rb") as content:
                answer = self._transport.upload("/api/datasets/upload", content, params)
        except OSError as error:
            problem = Problem(
                code="data_not_found",
                message=f"{file} cannot be read: {error.strerror}.",
                remedy="Check its path and permissions.",
            )
            raise StudioError(problem) from error
        return VersionOut.model_validate(answer)

    def from_hub(self, source: HubSource | Mapping[str, Any]) -> VersionOut:
        """Take a file of a data set on the hub."""
        return VersionOut.model_validate(self._transport.post("/api/datasets/hub", plain(source)))

    def change_mapping(
        self, version: VersionOut, mapping: DataFields | Mapping[str, Any]
    ) -> VersionOut:
        """Map the columns otherwise: a new version of the same bytes."""
        body = {"mapping": plain(mapping)}
        answer = self._transport.post(f"{_path(version)}/mapping", body)
        return VersionOut.model_validate(answer)

    def preview(self, version: VersionOut, *, limit: int = 20, offset: int = 0) -> Preview:
        """Rows as they are in the file, and as the mapping makes them."""
        params = {"limit": limit, "offset": offset}
        return Preview.model_validate(self._transport.get(f"{_path(version)}/preview", params))

    def lengths(self, version: VersionOut, model: str) -> Lengths:
        """Token lengths of the first 2,000 examples for a model's tokenizer."""
        answer = self._transport.get(f"{_path(version)}/lengths", {"model": model})
        return Lengths.model_validate(answer)

    def leaks(self, train: VersionOut, evaluation: VersionOut) -> Leaks:
        """Examples of the second version whose prompt is in the first."""
        params = {"train": train.id, "evaluation": evaluation.id}
        return Leaks.model_validate(self._transport.get("/api/datasets/leaks", params))

    def delete(self, dataset_id: str) -> None:
        """Delete a data set with all versions."""
        self._transport.delete(path("datasets", dataset_id))

    def delete_version(self, version: VersionOut) -> None:
        """Delete one version; its number is not used again."""
        self._transport.delete(_path(version))


def _path(version: VersionOut) -> str:
    return path("datasets", version.dataset_id, "versions", version.number)

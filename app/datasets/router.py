"""Routes of data sets."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Annotated, NamedTuple

from fastapi import APIRouter, Depends, Path, Query, Request, status

from app.datasets import benchmarks, hub, service
from app.datasets.files import Incoming, Store, too_large
from app.datasets.lengths import token_lengths
from app.datasets.report import leaks, preview
from app.datasets.schemas import (
    BenchmarkList,
    DatasetDetail,
    DatasetList,
    FileName,
    HubSource,
    Leaks,
    Lengths,
    MappingChange,
    Name,
    Preview,
    VersionOut,
)
from app.deps import (
    WRITE_PATIENCE_SECONDS,
    DatabaseDep,
    Limit,
    Offset,
    ReadSession,
    SettingsDep,
)
from app.errors import documented
from core.data_config import DataFields

router = APIRouter(prefix="/datasets", tags=["datasets"])
Number = Annotated[int, Path(ge=1, le=2**31 - 1, description="Number of the version.")]
_BODY = {
    "requestBody": {
        "required": True,
        "content": {"application/octet-stream": {"schema": {"type": "string", "format": "binary"}}},
    }
}


def _store(settings: SettingsDep) -> Store:
    return Store.of(settings)


StoreDep = Annotated[Store, Depends(_store)]


class _Upload(NamedTuple):
    place: service.Place
    incoming: Incoming


async def _receive(
    request: Request,
    settings: SettingsDep,
    store: StoreDep,
    name: Annotated[Name, Query(description="Data set; a known one gets a new version.")],
    file_name: Annotated[FileName, Query(description="Its ending says the format.")],
    project_id: Annotated[str | None, Query(description="Absent: the default project.")] = None,
) -> AsyncIterator[_Upload]:
    """The body, streamed to the disk."""
    declared = request.headers.get("content-length", "")
    if declared.isdigit() and int(declared) > settings.max_upload_bytes:
        raise too_large(settings.max_upload_bytes)
    with store.incoming(file_name, settings.max_upload_bytes) as incoming:
        await store.receive(incoming, request.stream())
        yield _Upload(service.Place(project_id, name), incoming)


@router.get("", responses=documented(422))
def list_datasets(
    session: ReadSession,
    project_id: Annotated[str | None, Query(description="Only those of this project.")] = None,
    name: Annotated[str | None, Query(description="Only those of this name.")] = None,
    limit: Limit = 50,
    offset: Offset = 0,
) -> DatasetList:
    """Data sets by name."""
    return service.list_datasets(
        session, project_id=project_id, name=name, limit=limit, offset=offset
    )


@router.post(
    "/upload",
    status_code=status.HTTP_201_CREATED,
    responses=documented(404, 413, 422),
    openapi_extra=_BODY,
)
def upload_dataset(
    database: DatabaseDep, store: StoreDep, upload: Annotated[_Upload, Depends(_receive)]
) -> VersionOut:
    """Send a file as the request's body; the answer says what was found in it.

    JSON lines, JSON, CSV or Parquet. The columns' mapping is guessed, or that of the newest
    version. Rows that cannot be used are listed in the report; they do not hinder the upload.
    """
    return service.add_file(database, store, upload.place, upload.incoming)


@router.post("/hub", status_code=status.HTTP_201_CREATED, responses=documented(404, 413, 422))
def create_from_hub(
    database: DatabaseDep, settings: SettingsDep, store: StoreDep, wanted: HubSource
) -> VersionOut:
    """Take a file of a data set on the hub; the commit is recorded."""
    file_name = wanted.file.rpartition("/")[2]
    with store.incoming(file_name, settings.max_upload_bytes) as incoming:
        found = hub.download(wanted, settings.max_upload_bytes)
        with found.path.open("rb") as source:
            store.copy(incoming, source)
        place = service.Place(wanted.project_id, wanted.name)
        return service.add_file(database, store, place, incoming, found.origin)


@router.get("/benchmarks")
def list_benchmarks() -> BenchmarkList:
    """Benchmarks that need no upload: a configuration names them."""
    return benchmarks.list_benchmarks()


@router.get("/leaks", responses=documented(404, 422))
def find_leaks(
    session: ReadSession,
    store: StoreDep,
    train: Annotated[str, Query(description="Identifier of the version that is trained on.")],
    evaluation: Annotated[str, Query(description="Identifier of the one that is asked.")],
) -> Leaks:
    """Examples of the second version whose prompt is in the first."""
    files = []
    for version_id in (train, evaluation):
        version = service.get_version_by_id(session, version_id)
        fields = DataFields.model_validate(version.mapping)
        files.append((store.present(version.file), fields))
    return leaks(*files)


@router.get("/{dataset_id}", responses=documented(404))
def get_dataset(session: ReadSession, dataset_id: str) -> DatasetDetail:
    """A data set with its versions and their reports."""
    return service.show_dataset(session, dataset_id)


@router.delete(
    "/{dataset_id}", status_code=status.HTTP_204_NO_CONTENT, responses=documented(404, 409)
)
def delete_dataset(database: DatabaseDep, store: StoreDep, dataset_id: str) -> None:
    """Delete a data set with all versions, unless a run that is not over needs one."""
    _delete(database, store, dataset_id, None)


@router.delete(
    "/{dataset_id}/versions/{number}",
    status_code=status.HTTP_204_NO_CONTENT,
    responses=documented(404, 409, 422),
)
def delete_version(database: DatabaseDep, store: StoreDep, dataset_id: str, number: Number) -> None:
    """Delete a version, unless a run that is not over needs it. Its number is not used again."""
    _delete(database, store, dataset_id, number)


def _delete(database: DatabaseDep, store: Store, dataset_id: str, number: int | None) -> None:
    with database.write(WRITE_PATIENCE_SECONDS) as session:
        files = service.delete(session, dataset_id, number)
    with database.write(WRITE_PATIENCE_SECONDS) as session:
        service.sweep(session, store, files)


@router.get("/{dataset_id}/versions/{number}/preview", responses=documented(404, 422))
def preview_version(
    session: ReadSession,
    store: StoreDep,
    dataset_id: str,
    number: Number,
    limit: Limit = 20,
    offset: Offset = 0,
) -> Preview:
    """Rows as they are in the file, and as the mapping makes them."""
    _, version = service.get_version(session, dataset_id, number)
    fields = DataFields.model_validate(version.mapping)
    path = store.present(version.file)
    items = preview(path, fields, limit=limit, offset=offset)
    return Preview(items=items, total=version.rows, limit=limit, offset=offset)


@router.post(
    "/{dataset_id}/versions/{number}/mapping",
    status_code=status.HTTP_201_CREATED,
    responses=documented(404, 422),
)
def change_mapping(
    database: DatabaseDep,
    store: StoreDep,
    dataset_id: str,
    number: Number,
    wanted: MappingChange,
) -> VersionOut:
    """Map the columns of a version's file otherwise: a new version of the same bytes."""
    return service.change_mapping(database, store, dataset_id, number, wanted.mapping)


@router.get("/{dataset_id}/versions/{number}/lengths", responses=documented(404, 422))
def get_lengths(
    session: ReadSession,
    settings: SettingsDep,
    store: StoreDep,
    dataset_id: str,
    number: Number,
    model: Annotated[str, Query(min_length=1, max_length=500, description="Model or folder.")],
) -> Lengths:
    """Token lengths of the first 2,000 examples for a model's tokenizer."""
    _, version = service.get_version(session, dataset_id, number)
    path = store.present(version.file)
    return token_lengths(path, DataFields.model_validate(version.mapping), model, settings.home)

"""What can be done with data sets: add versions, find them, delete them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from app.datasets import repository
from app.datasets.files import Incoming, Store, known_format
from app.datasets.report import examine, guess
from app.datasets.schemas import (
    DatasetDetail,
    DatasetList,
    DatasetOut,
    Origin,
    Report,
    VersionOut,
)
from app.db import Database
from app.errors import ConflictError, NotFoundError
from app.models import Dataset, DatasetVersion
from app.projects.service import default_project, find_default_project, get_project
from core.data_config import DataFields
from core.errors import Problem, StudioError


@dataclass(frozen=True)
class Place:
    """Where a new version goes."""

    project_id: str | None
    name: str


def add_file(
    database: Database, store: Store, place: Place, incoming: Incoming, origin: Origin | None = None
) -> VersionOut:
    """Make a version of a file that came in. Slow for large files: no transaction is held.

    The mapping is that of the newest version where it still finds examples, else a guessed one. The
    same bytes under the same mapping are the version that they were.

    Raises:
        StudioError: `data_empty` if there is no row at all.
        NotFoundError: there is no such project.
    """
    earlier = _newest_mapping(database, place)
    report = examine(incoming.path, earlier, incoming.file_name) if earlier else None
    mapping = earlier
    if report is None or mapping is None or not report.good:
        mapping = guess(incoming.path)
        report = examine(incoming.path, mapping, incoming.file_name)
    if not report.rows:
        raise StudioError(
            Problem(
                code="data_empty",
                message=f"The file {incoming.file_name} holds no row.",
                remedy="Send a file with at least one record.",
                field="file_name",
            )
        )
    store.publish(incoming)
    with database.write() as session:
        repository.lock_files(session)
        if place.project_id is None:
            project = default_project(session)
        else:
            project = get_project(session, place.project_id)
        dataset = repository.find_dataset(session, project.id, place.name)
        if dataset is None:
            dataset = Dataset(project_id=project.id, name=place.name, last_number=0)
            session.add(dataset)
            session.flush()
        store.keep(incoming)
        version = DatasetVersion(
            dataset_id=dataset.id,
            sha256=incoming.sha256,
            file=incoming.key,
            file_name=incoming.file_name,
            format=known_format(incoming.file_name),
            bytes=incoming.size,
            origin=origin.model_dump() if origin else None,
        )
        return show_version(dataset, _add(session, dataset, version, mapping, report))


def _newest_mapping(database: Database, place: Place) -> DataFields | None:
    with database.read() as session:
        if place.project_id is not None:
            project_id: str | None = get_project(session, place.project_id).id
        else:
            project_id = find_default_project(session)
        dataset = repository.find_dataset(session, project_id, place.name)
        versions = repository.versions_of(session, [dataset.id]) if dataset else ()
        return DataFields.model_validate(versions[0].mapping) if versions else None


def change_mapping(
    database: Database, store: Store, dataset_id: str, number: int, mapping: DataFields
) -> VersionOut:
    """Make a version of the same file under another mapping."""
    with database.read() as session:
        _, version = get_version(session, dataset_id, number)
        key, file_name = version.file, version.file_name
    report = examine(store.present(key), mapping, file_name)
    with database.write() as session:
        repository.lock_files(session)
        dataset, old = get_version(session, dataset_id, number)
        new = DatasetVersion(
            dataset_id=dataset.id,
            sha256=old.sha256,
            file=old.file,
            file_name=old.file_name,
            format=old.format,
            bytes=old.bytes,
            origin=old.origin,
        )
        return show_version(dataset, _add(session, dataset, new, mapping, report))


def _add(
    session: Session,
    dataset: Dataset,
    version: DatasetVersion,
    mapping: DataFields,
    report: Report,
) -> DatasetVersion:
    """Number and store a version, or find the one that is the same."""
    for known in repository.versions_of(session, [dataset.id]):
        if known.file == version.file and DataFields.model_validate(known.mapping) == mapping:
            return known
    dataset.last_number += 1
    version.number = dataset.last_number
    version.mapping = mapping.model_dump(mode="json")
    version.rows = report.rows
    version.report = report.model_dump(mode="json")
    session.add(version)
    session.flush()
    return version


def get_dataset(session: Session, dataset_id: str) -> Dataset:
    """A data set, or `NotFoundError`."""
    dataset = session.get(Dataset, dataset_id)
    if dataset is None:
        raise NotFoundError(
            f"There is no data set “{dataset_id}”.",
            "It may have been deleted; see the list of data sets.",
        )
    return dataset


def get_version(session: Session, dataset_id: str, number: int) -> tuple[Dataset, DatasetVersion]:
    """A version with its data set, or `NotFoundError`."""
    dataset = get_dataset(session, dataset_id)
    version = repository.find_version(session, dataset_id, number)
    if version is None:
        raise NotFoundError(
            f"The data set {dataset.name} has no version {number}.",
            "Choose one of its versions; it may have been deleted.",
        )
    return dataset, version


def get_version_by_id(session: Session, version_id: str) -> DatasetVersion:
    """A version by its identifier, or `NotFoundError`."""
    version = session.get(DatasetVersion, version_id)
    if version is None:
        raise NotFoundError(
            f"There is no version “{version_id}” of a data set.",
            "Give the identifier of a version, not of a data set; it may have been deleted.",
        )
    return version


def list_datasets(
    session: Session, *, project_id: str | None, name: str | None, limit: int, offset: int
) -> DatasetList:
    """A page of data sets."""
    page, total = repository.list_datasets(
        session, project_id=project_id, name=name, limit=limit, offset=offset
    )
    versions = repository.versions_of(session, [dataset.id for dataset in page])
    items = [
        _summary(dataset, [one for one in versions if one.dataset_id == dataset.id])
        for dataset in page
    ]
    return DatasetList(items=items, total=total, limit=limit, offset=offset)


def show_dataset(session: Session, dataset_id: str) -> DatasetDetail:
    """A data set with its versions."""
    dataset = get_dataset(session, dataset_id)
    versions = repository.versions_of(session, [dataset.id])
    items = [show_version(dataset, version) for version in versions]
    return DatasetDetail(**dict(_summary(dataset, versions)), items=items)


def _summary(dataset: Dataset, versions: Sequence[DatasetVersion]) -> DatasetOut:
    newest = versions[0] if versions else None
    return DatasetOut(
        id=dataset.id,
        project_id=dataset.project_id,
        name=dataset.name,
        created_at=dataset.created_at,
        versions=len(versions),
        latest=newest.number if newest else None,
        bytes=newest.bytes if newest else None,
        rows=newest.rows if newest else None,
        broken=newest.report["broken"] if newest else None,
    )


def show_version(dataset: Dataset, version: DatasetVersion) -> VersionOut:
    """A version as the API shows it."""
    return VersionOut.model_validate(
        {
            **{name: getattr(version, name, None) for name in VersionOut.model_fields},
            "name": dataset.name,
            "reference": f"{dataset.name}@{version.number}",
        }
    )


def delete(session: Session, dataset_id: str, number: int | None) -> list[str]:
    """Delete a data set, or one version of it; returns the files to be swept.

    Raises:
        NotFoundError: there is no such thing.
        ConflictError: a run that is not over reads it.
    """
    repository.lock_files(session)
    if number is None:
        dataset = get_dataset(session, dataset_id)
        versions = repository.versions_of(session, [dataset_id])
    else:
        dataset, version = get_version(session, dataset_id, number)
        versions = [version]
    ids, files = [one.id for one in versions], sorted({one.file for one in versions})
    refuse_if_needed(session, ids)
    try:
        repository.delete_versions(session, ids)
        if number is None:
            session.delete(dataset)
        session.flush()
    except IntegrityError as error:
        raise ConflictError(
            "A run has just come to need it.", "Wait until that run is over."
        ) from error
    return files


def refuse_if_needed(session: Session, version_ids: Sequence[str]) -> None:
    """Raise `ConflictError` while a run that is not over reads one of the versions."""
    runs = repository.open_runs(session, version_ids)
    if runs:
        named = ", ".join(f"{run.name} ({run.id})" for run in runs[:10])
        more = f" and {len(runs) - 10} more" if len(runs) > 10 else ""
        raise ConflictError(
            f"It is needed by runs that are not over: {named}{more}.",
            "Wait until they are over, or stop or cancel them.",
        )


def sweep(session: Session, store: Store, keys: Sequence[str]) -> None:
    """Remove files that no version needs; in a transaction after the one that deleted."""
    repository.lock_files(session)
    for key in set(keys) - repository.needed_files(session, keys):
        store.remove(key)

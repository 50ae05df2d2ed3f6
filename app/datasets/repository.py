"""The SQL of data sets."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import delete, func, select
from sqlalchemy.orm import Session

from app.models import Dataset, DatasetVersion, Run, RunDataset
from core.states import TERMINAL

_FILES_LOCK = 0x756E697364  # "unisd"; one number for all who add or remove data files


def lock_files(session: Session) -> None:
    """Nobody else adds or removes versions before this transaction ends.

    Without it a file could be removed while another upload of the same bytes relies on it. SQLite
    lets only one transaction write anyway.
    """
    if session.get_bind().dialect.name == "postgresql":
        session.execute(select(func.pg_advisory_xact_lock(_FILES_LOCK)))


def find_dataset(session: Session, project_id: str | None, name: str) -> Dataset | None:
    """A project's data set by its name."""
    statement = select(Dataset).where(Dataset.project_id == project_id, Dataset.name == name)
    return session.scalars(statement).one_or_none()


def list_datasets(
    session: Session, *, project_id: str | None, name: str | None, limit: int, offset: int
) -> tuple[Sequence[Dataset], int]:
    """A page of data sets by name, and how many there are."""
    statement, count = select(Dataset), select(func.count(Dataset.id))
    for column, value in ((Dataset.project_id, project_id), (Dataset.name, name)):
        if value is not None:
            statement, count = statement.where(column == value), count.where(column == value)
    page = statement.order_by(Dataset.name, Dataset.id).limit(limit).offset(offset)
    return session.scalars(page).all(), session.execute(count).scalar_one()


def versions_of(session: Session, dataset_ids: Sequence[str]) -> Sequence[DatasetVersion]:
    """Versions of some data sets, newest first."""
    statement = (
        select(DatasetVersion)
        .where(DatasetVersion.dataset_id.in_(dataset_ids))
        .order_by(DatasetVersion.number.desc())
    )
    return session.scalars(statement).all()


def find_version(session: Session, dataset_id: str, number: int) -> DatasetVersion | None:
    """A version by its number."""
    statement = select(DatasetVersion).where(
        DatasetVersion.dataset_id == dataset_id, DatasetVersion.number == number
    )
    return session.scalars(statement).one_or_none()


def open_runs(session: Session, version_ids: Sequence[str]) -> Sequence[Run]:
    """Runs that read one of the versions and are not over."""
    readers = select(RunDataset.run_id).where(RunDataset.version_id.in_(version_ids))
    statement = select(Run).where(Run.id.in_(readers), Run.status.not_in(TERMINAL)).order_by(Run.id)
    return session.scalars(statement).all()


def delete_versions(session: Session, version_ids: Sequence[str]) -> None:
    """Delete versions and the finished runs' notes of them.

    Raises:
        IntegrityError: a run came to rely on one of them meanwhile.
    """
    over = select(Run.id).where(Run.status.in_(TERMINAL))
    session.execute(
        delete(RunDataset).where(
            RunDataset.version_id.in_(version_ids), RunDataset.run_id.in_(over)
        )
    )
    session.execute(delete(DatasetVersion).where(DatasetVersion.id.in_(version_ids)))


def needed_files(session: Session, keys: Sequence[str]) -> set[str]:
    """Those of the files that a version still needs."""
    statement = select(DatasetVersion.file).where(DatasetVersion.file.in_(keys)).distinct()
    return set(session.scalars(statement))

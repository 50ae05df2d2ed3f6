"""Per-token values of recorded rollouts, from the attempts' Parquet files."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from app.errors import AppError, NotFoundError, UnavailableError
from app.models import Attempt, Trajectory
from app.settings import Settings
from app.storage.keys import attempt_key, joined
from app.storage.reading import ArtifactNotThereYetError, readable
from app.storage.store import artifact_store
from app.trajectories.schemas import LossSettings

if TYPE_CHECKING:
    from pyarrow.parquet import ParquetFile


def find_record(settings: Settings, attempt: Attempt, trajectory: Trajectory) -> dict[str, Any]:
    """The row of a recorded rollout.

    Raises:
        ArtifactNotThereYetError: its worker has not copied it into the store yet.
        NotFoundError: the file ends before it.
        UnavailableError: the file cannot be read, or the store does not answer.
    """
    path = record_file(settings, attempt, trajectory.file, final=True)
    record = read_row(path, trajectory.row)
    if record is None:  # a copy from when the file was shorter
        path = record_file(settings, attempt, trajectory.file, final=False)
        record = read_row(path, trajectory.row)
    if record is None:
        raise _missing_row(settings, attempt, trajectory, path)
    return record


def record_file(settings: Settings, attempt: Attempt, file: str, *, final: bool) -> Path:
    """Path on this host of an attempt's file, which gets longer while the attempt goes on.

    Args:
        settings: say which store there is.
        attempt: whose file it is.
        file: its name in the attempt's folder.
        final: whether an earlier copy will do.

    Raises:
        ArtifactNotThereYetError: its worker has not copied it into the store yet.
        UnavailableError: the store does not answer, or this host cannot hold a copy.
    """
    key = joined(attempt_key(attempt.run_id, attempt.number), file)
    return readable(settings, key, Path(attempt.directory) / file, final=final)


def read_row(path: Path, row: int) -> dict[str, Any] | None:
    """A row of a file, from its row group alone; None where the file ends before it.

    Raises:
        UnavailableError: the file cannot be read.
    """
    with opened(path) as file:
        begin = 0
        for group in range(file.num_row_groups):
            rows = file.metadata.row_group(group).num_rows
            if row < begin + rows:
                table = file.read_row_group(group).slice(row - begin, 1)
                found: list[dict[str, Any]] = table.to_pylist()
                return found[0]
            begin += rows
    return None


@contextmanager
def opened(path: Path) -> Iterator[ParquetFile]:
    """A file of token records, to be read within.

    Raises:
        UnavailableError: it cannot be read: it is missing, or damaged.
    """
    from pyarrow import parquet  # noqa: PLC0415 - large, and seldom needed
    from pyarrow.lib import ArrowException  # noqa: PLC0415

    try:
        with parquet.ParquetFile(path) as file:
            yield file
    except FileNotFoundError as error:
        raise UnavailableError(
            f"The token records {path} cannot be read: {error}.",
            "They lie on the worker's host; give API and workers a common UNISD_HOME or "
            "a common UNISD_ARTIFACTS_URL.",
        ) from error
    except (OSError, ArrowException, UnicodeDecodeError) as error:
        raise UnavailableError(
            f"The token records {path} cannot be read: {error}.",
            "The file is damaged, or the API may not read it: see its permissions, or look at a "
            "rollout of another step.",
        ) from error


def _missing_row(
    settings: Settings, attempt: Attempt, trajectory: Trajectory, path: Path
) -> AppError:
    """The error for a row that a file does not have: not yet, or not any more."""
    if not artifact_store(settings).is_home:
        key = joined(attempt_key(attempt.run_id, attempt.number), trajectory.file)
        return ArtifactNotThereYetError(key)
    return NotFoundError(
        f"The token records {path} have no row {trajectory.row}.",
        "The file was changed or cut short since; look at another rollout.",
    )


# Field of a token to the column of its values; older files lack some.
_COLUMNS: Final = {
    "student_logprob": "student_logprob",
    "teacher_logprob": "teacher_logprob",
    "negative_logprob": "negative_logprob",
    "divergence": "divergence",
    "divergence_clipped": "divergence_clipped",
    "disagreement": "disagreement",
    "weight": "weight",
    "contrastive": "contrastive",
    "feature_distance": "feature_distance",
    "student_entropy": "entropy_student",
    "teacher_entropy": "entropy_teacher",
    "contribution": "contribution",
}
_TERMS: Final = {
    "divergence": "contribution_divergence",
    "contrastive": "contribution_contrastive",
    "feature_matching": "contribution_feature",
    "cross_entropy": "contribution_cross_entropy",
}


def token_values(record: dict[str, Any]) -> list[dict[str, Any]]:
    """Every token of a row, as the fields of `TokenValues`: there may be thousands."""
    count = len(record["token_ids"])
    nothing: list[Any] = [None] * count
    columns = {field: record.get(column) or nothing for field, column in _COLUMNS.items()}
    columns |= {
        "id": record["token_ids"],
        "text": record["tokens"],
        "part": record.get("parts") or nothing,
        "auxiliary_logprobs": [*zip(*(record.get("auxiliary_logprobs") or []), strict=True)]
        or nothing,
        "contributions": _contributions(record, count),
        "student_top": _alternatives(record, "student", count),
        "teacher_top": _alternatives(record, "teacher", count),
    }
    return [
        dict(zip(columns, values, strict=True)) for values in zip(*columns.values(), strict=True)
    ]


def _contributions(record: dict[str, Any], count: int) -> list[dict[str, float]]:
    known = {term: values for term, column in _TERMS.items() if (values := record.get(column))}
    if not known:
        return [{}] * count
    return [dict(zip(known, values, strict=True)) for values in zip(*known.values(), strict=True)]


def _alternatives(record: dict[str, Any], view: str, count: int) -> list[list[dict[str, Any]]]:
    texts = record.get(f"topk_{view}_texts") or [[]] * count
    logprobs = record.get(f"topk_{view}_logprobs") or [[]] * count
    return [
        [{"text": text, "logprob": logprob} for text, logprob in zip(of_token, values, strict=True)]
        for of_token, values in zip(texts, logprobs, strict=True)
    ]


def loss_settings(record: dict[str, Any]) -> LossSettings | None:
    """What a row's loss was made with; None in files of older trainers."""
    return LossSettings.model_validate(record) if record.get("objective") else None

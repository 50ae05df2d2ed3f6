"""Recorded rollouts: lists from SQL, per-token values from the attempt's Parquet files."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from sqlalchemy import ColumnElement, func, or_, select
from sqlalchemy.orm import Session

from app.errors import NotFoundError, UnavailableError
from app.models import Attempt, Trajectory
from app.settings import Settings
from app.storage.keys import attempt_key, joined
from app.storage.reading import readable
from app.trajectories.schemas import (
    Alternative,
    TokenValues,
    TrajectoryDetail,
    TrajectorySummary,
)

SORTS: dict[str, ColumnElement[Any]] = {
    "step": Trajectory.step.asc(),
    "-step": Trajectory.step.desc(),
    "divergence": Trajectory.divergence.asc().nulls_last(),
    "-divergence": Trajectory.divergence.desc().nulls_last(),
    "tokens": Trajectory.tokens.asc(),
    "-tokens": Trajectory.tokens.desc(),
}


@dataclass(frozen=True)
class TrajectoryFilter:
    """Which recorded rollouts a list shows."""

    attempt: int | None = None
    pinned: bool | None = None
    text: str | None = None


def list_trajectories(
    session: Session, run_id: str, wanted: TrajectoryFilter, *, sort: str, limit: int, offset: int
) -> tuple[list[TrajectorySummary], int]:
    """A page of a run's recorded rollouts and how many there are."""
    conditions = _conditions(run_id, wanted)
    total = session.execute(
        select(func.count(Trajectory.id))
        .join(Attempt, Attempt.id == Trajectory.attempt_id)
        .where(*conditions)
    ).scalar_one()
    rows = session.execute(
        select(Trajectory, Attempt.number)
        .join(Attempt, Attempt.id == Trajectory.attempt_id)
        .where(*conditions)
        .order_by(SORTS[sort], Trajectory.id)
        .limit(limit)
        .offset(offset)
    )
    return [_summary(trajectory, number) for trajectory, number in rows], total


def _conditions(run_id: str, wanted: TrajectoryFilter) -> list[ColumnElement[bool]]:
    conditions: list[ColumnElement[bool]] = [Trajectory.run_id == run_id]
    if wanted.attempt is not None:
        conditions.append(Attempt.number == wanted.attempt)
    if wanted.pinned is not None:
        conditions.append(Trajectory.pinned.is_(wanted.pinned))
    if wanted.text:
        conditions.append(
            or_(
                Trajectory.prompt.icontains(wanted.text, autoescape=True),
                Trajectory.completion.icontains(wanted.text, autoescape=True),
                Trajectory.record_id == wanted.text,
            )
        )
    return conditions


def get_trajectory(
    session: Session, settings: Settings, run_id: str, trajectory_id: int
) -> TrajectoryDetail:
    """One recorded rollout with every token.

    Raises:
        NotFoundError: there is no such rollout.
        ArtifactNotThereYetError: its worker has not copied the file into the store yet.
        UnavailableError: the file is not on this host, or the store does not answer.
    """
    row = session.execute(
        select(Trajectory, Attempt)
        .join(Attempt, Attempt.id == Trajectory.attempt_id)
        .where(Trajectory.id == trajectory_id, Trajectory.run_id == run_id)
    ).one_or_none()
    if row is None:
        raise NotFoundError(
            f"The run has no rollout {trajectory_id}.", "Choose one of the run's recorded rollouts."
        )
    trajectory, attempt = row
    key = joined(attempt_key(run_id, attempt.number), trajectory.file)
    path = readable(settings, key, Path(attempt.directory) / trajectory.file)
    record = _read_row(path, trajectory.row)
    return TrajectoryDetail(
        **_summary(trajectory, attempt.number).model_dump(),
        source=record.get("source"),
        student_prompt=record["student_prompt_text"],
        teacher_prompt=record["teacher_prompt_text"],
        auxiliary_prompts=record.get("auxiliary_prompt_texts") or [],
        negative_prompt=record.get("negative_prompt_text"),
        token_values=_tokens(record),
    )


def _read_row(path: Path, row: int) -> dict[str, Any]:
    from pyarrow import parquet  # noqa: PLC0415 - large, and seldom needed

    try:
        table: list[dict[str, Any]] = parquet.read_table(path).slice(row, 1).to_pylist()
    except OSError as error:
        raise UnavailableError(
            f"The token records {path} cannot be read: {error}.",
            "They lie on the worker's host; give API and workers a common UNISD_HOME or "
            "a common UNISD_ARTIFACTS_URL.",
        ) from error
    if not table:
        raise NotFoundError(
            f"The token records {path} have no row {row}.",
            "The file was changed or cut short since; look at another rollout.",
        )
    return table[0]


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


def _tokens(record: dict[str, Any]) -> list[TokenValues]:
    auxiliary = record.get("auxiliary_logprobs")
    return [
        TokenValues(
            id=record["token_ids"][index],
            text=record["tokens"][index],
            auxiliary_logprobs=[view[index] for view in auxiliary] if auxiliary else None,
            contributions={
                term: value
                for term, column in _TERMS.items()
                if (value := _value(record, column, index)) is not None
            },
            student_top=_alternatives(record, "student", index),
            teacher_top=_alternatives(record, "teacher", index),
            **{field: _value(record, column, index) for field, column in _COLUMNS.items()},
        )
        for index in range(len(record["token_ids"]))
    ]


def _value(record: dict[str, Any], column: str, index: int) -> Any:  # noqa: ANN401 - a cell
    """A token's value; None where the file has no such column or the column nothing here."""
    values = record.get(column)
    return None if values is None else values[index]


def _alternatives(record: dict[str, Any], view: str, index: int) -> list[Alternative]:
    texts = _value(record, f"topk_{view}_texts", index) or []
    logprobs = _value(record, f"topk_{view}_logprobs", index) or []
    return [
        Alternative(text=text, logprob=logprob)
        for text, logprob in zip(texts, logprobs, strict=True)
    ]


def _summary(trajectory: Trajectory, attempt_number: int) -> TrajectorySummary:
    return TrajectorySummary(
        id=trajectory.id,
        attempt=attempt_number,
        step=trajectory.step,
        record_id=trajectory.record_id,
        pinned=trajectory.pinned,
        prompt=trajectory.prompt,
        completion=trajectory.completion,
        reference=trajectory.reference,
        tokens=trajectory.tokens,
        truncated=trajectory.truncated,
        divergence=trajectory.divergence,
    )

"""Teacher agreement of a whole run: examples, tokens, parts, steps, and what it says of grades."""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping, Sequence
from functools import partial
from typing import Any, Final, NamedTuple
from zlib import crc32

import numpy as np
from sqlalchemy import ColumnElement, func, select, union_all
from sqlalchemy.orm import Session

from app.errors import AppError
from app.models import Attempt, Run, Trajectory
from app.settings import Settings
from app.statistics import wilson
from app.storage.keys import attempt_key, joined
from app.trajectories.agreement_schemas import (
    AgreementReport,
    DisputedExample,
    DisputedPart,
    DisputedToken,
    ReliabilityBin,
    Separation,
    StepAgreement,
)
from app.trajectories.fields import TrajectoryFilter
from app.trajectories.reading import record_file
from app.trajectories.token_sums import Clock, FileSums, is_kept, sums_of
from core.objective_config import AgreementConfig

SHOWN: Final = 50
STEPS: Final = 100
BINS: Final = 8
FEWEST_IN_A_BIN: Final = 5
MOST_FILES: Final = 512
SECONDS: Final = 4.0
_OFTEN: Final = 5
_FEW_TOKENS: Final = 1000


class _File(NamedTuple):
    run_id: str
    attempt: int
    attempt_id: int
    name: str
    rows: int

    @property
    def key(self) -> str:
        """Its name for ever: identifiers of attempts are given again when a run is deleted."""
        return joined(attempt_key(self.run_id, self.attempt), self.name)


def report(session: Session, settings: Settings, run: Run, attempt: int | None) -> AgreementReport:
    """Where the auxiliary teachers disagree, from all rollouts that have been recorded.

    Sums over tokens need the Parquet files: those of a long run are read in part, evenly over
    training, and over several requests.
    """
    conditions = [
        *TrajectoryFilter(attempt=attempt).conditions(run.id),
        Trajectory.disagreement.is_not(None),
    ]
    pairs = session.execute(
        select(Trajectory.disagreement, Trajectory.grade).where(*conditions)
    ).all()
    graded = [(one, grade >= 1) for one, grade in pairs if one is not None and grade is not None]
    how = AgreementConfig.model_validate(
        (run.config.get("objective") or {}).get("agreement") or {"enabled": False}
    )
    texts = _of_tokens(session, settings, conditions)
    return AgreementReport(
        enabled=bool(pairs),
        statistic=how.statistic,
        level=how.level,
        views=how.views,
        trajectories=len(pairs),
        graded=len(graded),
        steps=_steps(session, conditions),
        examples=_examples(session, conditions),
        reliability=reliability(graded),
        separation=separation(graded),
        **texts,
    )


def _steps(session: Session, conditions: Sequence[ColumnElement[bool]]) -> list[StepAgreement]:
    """By step; by several together where there are many."""
    rows = session.execute(
        select(
            Trajectory.step,
            func.count(),
            func.sum(Trajectory.disagreement),
            func.count(Trajectory.weight),
            func.sum(Trajectory.weight),
        )
        .where(*conditions)
        .group_by(Trajectory.step)
        .order_by(Trajectory.step)
    ).all()
    together = max(1, math.ceil(len(rows) / STEPS))
    found = []
    for start in range(0, len(rows), together):
        some = rows[start : start + together]
        rollouts, total, weighted, weight = (
            sum(row[place] or 0 for row in some) for place in range(1, 5)
        )
        found.append(
            StepAgreement(
                first_step=some[0].step,
                last_step=some[-1].step,
                rollouts=rollouts,
                disagreement=total / rollouts,
                weight=weight / weighted if weighted else None,
            )
        )
    return found


def _examples(session: Session, conditions: Sequence[ColumnElement[bool]]) -> list[DisputedExample]:
    mean = func.avg(Trajectory.disagreement)
    rows = session.execute(
        select(
            Trajectory.record_id,
            func.count().label("rollouts"),
            mean.label("disagreement"),
            func.max(Trajectory.disagreement_max).label("disagreement_max"),
            func.avg(Trajectory.grade).label("grade"),
        )
        .where(*conditions)
        .group_by(Trajectory.record_id)
        .order_by(mean.desc(), Trajectory.record_id)
        .limit(SHOWN)
    ).all()
    worst = _worst(session, conditions, [row.record_id for row in rows])
    found = session.execute(
        select(Trajectory.id, Trajectory.prompt).where(Trajectory.id.in_(worst.values()))
    )
    prompts = {row.id: row.prompt for row in found}
    return [
        DisputedExample(
            **row._asdict(),
            trajectory_id=worst[row.record_id],
            prompt=prompts[worst[row.record_id]],
        )
        for row in rows
    ]


def _worst(
    session: Session, conditions: Sequence[ColumnElement[bool]], records: Sequence[str]
) -> dict[str, int]:
    """The most disagreed rollout of each record."""
    rows = session.execute(
        select(Trajectory.record_id, Trajectory.id)
        .where(*conditions, Trajectory.record_id.in_(records))
        .order_by(Trajectory.disagreement, Trajectory.id.desc())
    )
    return {row.record_id: row.id for row in rows}  # of each record the last one stays


def _of_tokens(
    session: Session, settings: Settings, conditions: Sequence[ColumnElement[bool]]
) -> dict[str, Any]:
    rows = session.execute(
        select(Trajectory.attempt_id, Trajectory.file, func.max(Trajectory.row))
        .where(*conditions)
        .group_by(Trajectory.attempt_id, Trajectory.file)
        .order_by(Trajectory.attempt_id, Trajectory.file)
    ).all()
    attempts = {
        one.id: one
        for one in session.scalars(
            select(Attempt).where(Attempt.id.in_({row.attempt_id for row in rows}))
        )
    }
    every = [
        _File(attempts[attempt].run_id, attempts[attempt].number, attempt, file, row + 1)
        for attempt, file, row in rows
    ]
    # A power of two, so that what was read stays of use while the run goes on.
    stride = 1
    while len(every) / stride > MOST_FILES:
        stride *= 2
    found, left, unreadable = _sums(settings, attempts, every[::stride])
    least = _OFTEN if sum(one.tokens for one in found.values()) >= _FEW_TOKENS else 2
    return {
        "read": sum(one.rollouts for one in found.values()),
        "read_tokens": sum(one.tokens for one in found.values()),
        "complete": not left,
        "unreadable": unreadable,
        "tokens": _texts(session, found, least),
        "least_count": least,
        "parts": _parts(found),
    }


def _sums(
    settings: Settings, attempts: Mapping[int, Attempt], files: Sequence[_File]
) -> tuple[dict[_File, FileSums], int, int]:
    """Sums by file; how many files are left for the next request, and how many cannot be read."""
    clock, found, left, unreadable = Clock(SECONDS), dict[_File, FileSums](), 0, 0
    # Not in their order, so that a part of them is evenly spread, too.
    for file in sorted(files, key=lambda one: crc32(one.key.encode())):
        if clock.over and not is_kept(file.key, file.rows):
            left += 1
            continue
        path = partial(record_file, settings, attempts[file.attempt_id], file.name, final=False)
        try:
            found[file] = sums_of(file.key, file.rows, path)
        except AppError:  # not in the store yet, or on another host: the report says how many
            unreadable += 1
        else:
            unreadable += found[file].rows < file.rows  # a copy of earlier, or cut short
    return found, left, unreadable


def _texts(session: Session, found: dict[_File, FileSums], least: int) -> list[DisputedToken]:
    totals: dict[str, tuple[int, float, float, _File, int, int]] = {}
    for file, sums in found.items():
        for one in sums.texts:
            count, total, most, where, row, token = totals.get(one.text, (0, 0.0, -1.0, file, 0, 0))
            if one.most > most:
                most, where, row, token = one.most, file, one.row, one.token
            totals[one.text] = (count + one.count, total + one.total, most, where, row, token)
    often = [(text, *values) for text, values in totals.items() if values[0] >= least]
    often.sort(key=lambda one: (-one[2] / one[1], one[0]))
    shown = often[:SHOWN]
    ids = _ids(session, {(file.attempt_id, file.name, row) for *_, file, row, _ in shown})
    return [
        DisputedToken(
            text=text,
            count=count,
            disagreement=total / count,
            disagreement_max=most,
            trajectory_id=ids.get((file.attempt_id, file.name, row)),
            token=token,
        )
        for text, count, total, most, file, row, token in shown
    ]


def _ids(
    session: Session, places: Collection[tuple[int, str, int]]
) -> dict[tuple[int, str, int], int]:
    """Rollouts by attempt, file and row; those that the database does not have yet are not there.

    SQLite looks up neither a list of tuples nor alternatives in the index, but goes through all
    of the attempt; of a union it looks up each.
    """
    if not places:
        return {}
    each = (
        select(Trajectory.attempt_id, Trajectory.file, Trajectory.row, Trajectory.id).where(
            Trajectory.attempt_id == attempt, Trajectory.file == file, Trajectory.row == row
        )
        for attempt, file, row in places
    )
    rows = session.execute(union_all(*each))
    return {(attempt, file, row): found for attempt, file, row, found in rows}


def _parts(found: dict[_File, FileSums]) -> list[DisputedPart]:
    sums: dict[str, list[float]] = {}
    for one in (part for file in found.values() for part in file.parts):
        known = sums.setdefault(one.part, [0, 0.0, 0, 0.0])
        for place, value in enumerate((one.count, one.total, one.weighted, one.weight)):
            known[place] += value
    whole = sum(total for _, total, _, _ in sums.values())
    found_parts = [
        DisputedPart(
            part=part or None,
            tokens=int(count),
            disagreement=total / count,
            weight=weight / weighted if weighted else None,
            share=total / whole if whole else 0.0,
        )
        for part, (count, total, weighted, weight) in sums.items()
    ]
    return sorted(found_parts, key=lambda one: -one.disagreement)


def reliability(graded: Sequence[tuple[float, bool]]) -> list[ReliabilityBin]:
    """Share of right answers by disagreement, in bins of about as many rollouts each.

    Rollouts of the same disagreement are never in different bins.
    """
    ordered = sorted(graded)
    bins = min(BINS, len(ordered) // FEWEST_IN_A_BIN) or min(1, len(ordered))
    found: list[ReliabilityBin] = []
    begin = 0
    for number in range(1, bins + 1):
        end = round(len(ordered) * number / bins)
        while begin < end < len(ordered) and ordered[end][0] == ordered[end - 1][0]:
            end += 1
        some = ordered[begin:end]
        if not some:
            continue
        right = sum(correct for _, correct in some)
        found.append(
            ReliabilityBin(low=some[0][0], high=some[-1][0], grade=wilson(right, len(some)))
        )
        begin = end
    return found


def separation(graded: Sequence[tuple[float, bool]]) -> Separation | None:
    """Area under the curve that disagreement has as a test for wrong answers, ties counted half."""
    values = np.array([value for value, _ in graded], dtype=float)
    is_right = np.array([correct for _, correct in graded], dtype=bool)
    right, wrong = int(is_right.sum()), int((~is_right).sum())
    if not right or not wrong:
        return None
    below = np.sort(values[is_right])
    of_wrong = values[~is_right]
    smaller = np.searchsorted(below, of_wrong, "left")
    equal = np.searchsorted(below, of_wrong, "right") - smaller
    area = float((smaller + equal / 2).sum() / (right * wrong))
    first, second = area / (2 - area), 2 * area * area / (1 + area)
    variance = (
        area * (1 - area)
        + (wrong - 1) * (first - area * area)
        + (right - 1) * (second - area * area)
    ) / (right * wrong)
    half = 1.96 * math.sqrt(max(0.0, variance))
    return Separation(
        probability=area,
        low=max(0.0, area - half),
        high=min(1.0, area + half),
        right=right,
        wrong=wrong,
    )

"""What people do to studies that exist: cancel, take up again, delete."""

from __future__ import annotations

from typing import Final

from sqlalchemy import delete, update
from sqlalchemy.orm import Session

from app.db import Database
from app.errors import ConflictError, NotFoundError
from app.models import Run, Study
from app.runs import lifecycle
from app.runs import steering as runs
from app.settings import Settings
from app.studies import repository, service
from app.studies.schemas import Fate, Retry, StudyDetail, StudyResume
from core.states import LEASED, RESUMABLE, TERMINAL, Cause, RunStatus, StopMode
from core.study import Cell, cells

_FAILED: Final = frozenset({RunStatus.FAILED, RunStatus.CRASHED})


def cancel_study(session: Session, study_id: str, *, actor: str) -> StudyDetail:
    """Take waiting runs out of the queue and ask started ones to stop. What is over stays.

    Raises:
        NotFoundError: there is no such study.
        ConflictError: all of its runs are over.
    """
    study = _locked(session, study_id)
    open_runs = [run for run in repository.runs_of(session, study_id) if run.status not in TERMINAL]
    if not open_runs:
        raise ConflictError(
            "All runs of the study are over.", "There is nothing left to stop; see what it found."
        )
    for run_id in sorted(run.id for run in open_runs):  # one order for all who lock several
        run = lifecycle.lock(session, run_id)
        if run.status is RunStatus.QUEUED and not run.attempt_count:
            lifecycle.change_status(session, run, RunStatus.CANCELLED, Cause.CANCELLED, actor=actor)
        elif run.status not in TERMINAL and run.status is not RunStatus.STOPPING:
            lifecycle.request_stop(session, run, StopMode.SAVE, actor=actor)
    return service.detail(session, study)


Missing = dict[int, Cell]
"""Cells that need a new run, by place: theirs was cancelled before it started, or deleted."""


def find_missing(
    database: Database, settings: Settings, study_id: str, wish: StudyResume
) -> Missing:
    """Cells that need a new run, checked as for a new study. Slow: hold no transaction.

    Raises:
        NotFoundError: there is no such study.
        StudioError: a cell cannot run any more.
    """
    with database.read() as session:
        plan = service.stored_plan(service.get_study(session, study_id))
        existing = repository.runs_of(session, study_id)
        chosen = _missing_places(existing, len(service.places(plan)), wish)
    if not chosen:
        return {}
    found = cells(plan)
    wanted = {place: found[place] for place in chosen}
    service.check_cells(list(wanted.values()), plan, settings, database)
    return wanted


def _missing_places(existing: list[Run], count: int, wish: StudyResume) -> list[int]:
    if wish.what is Retry.FAILED:
        return []
    by_place = {run.study_place: run for run in existing}
    found = []
    for place in range(count):
        run = by_place.get(place)
        if run is None:
            if wish.runs is None:
                found.append(place)
        elif run.status is RunStatus.CANCELLED and _is_wished(run, wish):
            found.append(place)
    return found


def _is_wished(run: Run, wish: StudyResume) -> bool:
    return wish.runs is None or run.id in wish.runs


def resume_study(
    session: Session,
    study_id: str,
    wish: StudyResume,
    missing: Missing,
    settings: Settings,
    *,
    actor: str,
) -> StudyDetail:
    """Queue runs again that ended without success; where there is none to take up, a new one.

    A run goes on from its newest whole checkpoint, or starts anew where there is none. One that was
    cancelled before it started leaves the study, and a new one takes its place.

    Raises:
        NotFoundError: there is no such study.
        ConflictError: there is nothing to take up.
    """
    study = _locked(session, study_id)
    states = _FAILED if wish.what is Retry.FAILED else RESUMABLE
    existing = repository.runs_of(session, study_id)
    taken = sum(
        _take_up(session, run.id, states, actor=actor)
        for run in sorted(existing, key=lambda run: run.id)
        if run.status in states and _is_wished(run, wish)
    )
    plan = service.stored_plan(study)
    count = len(service.places(plan))
    for place in _missing_places(existing, count, wish):
        if (cell := missing.get(place)) is None:
            continue  # cancelled a moment ago, after the check
        for run in existing:
            if run.study_place == place:
                _release(session, run, actor=actor)
        service.submit_cell(session, study, place, cell, plan, settings, actor=actor)
        taken += 1
    if not taken:
        raise ConflictError(
            "No run of the study can be taken up.",
            "Those that succeeded or are under way stay as they are.",
        )
    return service.detail(session, study)


def _take_up(session: Session, run_id: str, states: frozenset[RunStatus], *, actor: str) -> bool:
    run = lifecycle.lock(session, run_id)
    if run.status not in states or run.deleting:
        return False
    lifecycle.take_up(session, run, actor=actor)
    return True


def _release(session: Session, run: Run, *, actor: str) -> None:
    """Take a run out of its study; it stays as a run of its own."""
    before = run.study_id
    run.study_id = run.study_place = run.study_levels = None
    session.flush()
    lifecycle.record_steering(session, run, actor, {"study": [before, None]})


def delete_study(session: Session, study_id: str, fate: Fate, *, actor: str) -> None:
    """Remove a study; its runs stay as runs of their own, or go with all their files.

    Raises:
        NotFoundError: there is no such study.
        ConflictError: a run that is to go is under way or needed by another.
    """
    _locked(session, study_id)
    existing = sorted(repository.runs_of(session, study_id), key=lambda run: run.id)
    if fate is Fate.DELETE:
        busy = sum(run.status in LEASED for run in existing)
        if busy:
            words = "One run of it is" if busy == 1 else f"{busy} runs of it are"
            raise ConflictError(f"{words} under way.", "Cancel the study first, or keep its runs.")
        for run in existing:
            runs.delete_run(session, run.id, version=None, actor=actor)
    # What is being deleted already has the study's number too.
    session.execute(
        update(Run)
        .where(Run.study_id == study_id)
        .values(study_id=None, study_place=None, study_levels=None)
        .execution_options(synchronize_session=False)
    )
    session.execute(delete(Study).where(Study.id == study_id))


def _locked(session: Session, study_id: str) -> Study:
    study = repository.lock(session, study_id)
    if study is None:
        raise NotFoundError(f"There is no study “{study_id}”.", "`GET /api/studies` lists them.")
    return study

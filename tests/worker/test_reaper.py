from __future__ import annotations

import json
import socket
import subprocess
import sys
from pathlib import Path

import pytest
from sqlalchemy import select, update

from app import notify
from app.db import Database
from app.models import Attempt, Project, Run, RunEvent, Worker
from app.models.base import database_epoch
from app.runs import lifecycle
from app.settings import Settings
from app.workers.processes import host_key
from core.states import RunStatus
from tests.app.workers import register
from worker.reaper import Reaper

WORKER = {"pid": 1, "last_seen": 0.0, "hardware": {}, "usage": {}, "versions": {}}


def _lost_run(database: Database, directory: Path, hostname: str, *lines: dict[str, object]) -> str:
    """A run whose worker fell silent after its trainer wrote these events."""
    with database.write() as session:
        project, worker = (
            Project(name=str(directory)),
            Worker(name="w", hostname=hostname, **WORKER),
        )
        session.add_all([project, worker])
        session.flush()
        run = Run(project_id=project.id, name="r", config={}, max_attempts=3)
        session.add(run)
        session.flush()
        claim = lifecycle.claim(
            session,
            run.id,
            worker_id=worker.id,
            hostname=hostname,
            directory=str(directory / "attempt-{number}"),
            lease=-1.0,
        )
        assert claim is not None
    folder = directory / "attempt-1"
    folder.mkdir(parents=True)
    written = [json.dumps({"seq": n, "time": 1.0, **line}) for n, line in enumerate(lines)]
    (folder / "events.jsonl").write_text("".join(line + "\n" for line in written) + '{"torn')
    return run.id


TRAINING = {"kind": "phase", "phase": "training"}
SUCCEEDED = {"kind": "finished", "outcome": "succeeded"}
LOG = {"kind": "log", "message": "x"}


def _run(database: Database, run_id: str) -> Run:
    with database.read() as session:
        return session.get_one(Run, run_id)


def test_a_lost_run_is_queued_again_with_all_that_was_written(
    database: Database, settings: Settings, tmp_path: Path
) -> None:
    run_id = _lost_run(database, tmp_path, socket.gethostname(), TRAINING, LOG, LOG)
    Reaper(database, settings).round()
    assert _run(database, run_id).status is RunStatus.QUEUED
    assert notify.queue_length("gpu") == 1
    with database.read() as session:
        attempt = session.scalars(select(Attempt)).one()
        assert (attempt.outcome, attempt.drained) == ("crashed", True)
        seqs = session.scalars(select(RunEvent.seq).where(RunEvent.attempt_id == attempt.id))
        assert sorted(seqs) == [0, 1, 2]


def test_a_run_that_had_finished_before_its_worker_died_is_not_started_again(
    database: Database, settings: Settings, tmp_path: Path
) -> None:
    run_id = _lost_run(database, tmp_path, socket.gethostname(), TRAINING, SUCCEEDED)
    Reaper(database, settings).round()
    assert _run(database, run_id).status is RunStatus.SUCCEEDED
    assert notify.queue_length("gpu") == 0


def test_files_of_another_host_are_left_to_it(
    database: Database, settings: Settings, tmp_path: Path
) -> None:
    run_id = _lost_run(database, tmp_path, "elsewhere", TRAINING, SUCCEEDED)
    Reaper(database, settings).round()
    assert _run(database, run_id).status is RunStatus.QUEUED
    with database.read() as session:
        assert session.scalars(select(Attempt.drained)).one() is False


def test_workers_are_called_again_where_runs_wait_and_nobody_was_called(
    database: Database, settings: Settings, tmp_path: Path
) -> None:
    run_id = _lost_run(database, tmp_path, socket.gethostname(), TRAINING)
    reaper = Reaper(database, settings)
    reaper.round()
    notify._client().delete("gpu")  # Redis came back empty
    reaper.round()
    assert notify.queue_length("gpu") == 0  # the pause before the next attempt is not over
    with database.write() as session:
        session.execute(update(Run).values(not_before=None))
    reaper.round()
    assert notify.queue_length("gpu") == 0  # nobody would hear it
    with database.write() as session:
        register(session)
    for _ in range(3):
        reaper.round()
        assert notify.queue_length("gpu") == 1
    assert _run(database, run_id).status is RunStatus.QUEUED


def test_the_run_of_a_dead_worker_of_this_host_does_not_wait_for_its_lease(
    database: Database, settings: Settings, tmp_path: Path
) -> None:
    run_id = _lost_run(database, tmp_path, socket.gethostname(), TRAINING)
    child = subprocess.Popen(["true"])
    child.wait()
    with database.write() as session:
        session.execute(update(Run).values(lease_expires_at=database_epoch() + 1000))
    Reaper(database, settings).round()
    assert _run(database, run_id).status is RunStatus.STARTING  # it may live on another host
    with database.write() as session:
        session.execute(update(Worker).values(host_key=host_key(), pid=child.pid))
    Reaper(database, settings).round()
    run = _run(database, run_id)
    assert run.status is RunStatus.QUEUED
    assert run.problem is not None
    assert "died" in run.problem["message"]


def test_after_the_database_was_away_workers_may_come_back_first(
    database: Database, settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = [1000.0]
    monkeypatch.setattr("worker.reaper.time.monotonic", lambda: now[0])
    reaper = Reaper(database, settings)
    reaper.round()
    run_id = _lost_run(database, tmp_path, socket.gethostname(), TRAINING)
    now[0] += 600  # no round came through for ten minutes
    reaper.round()
    assert _run(database, run_id).status is RunStatus.STARTING
    while _run(database, run_id).status is RunStatus.STARTING:
        now[0] += reaper.pause
        reaper.round()
    assert 1600 + settings.lease_seconds <= now[0] <= 1610 + settings.lease_seconds


def test_what_a_trainer_wrote_after_it_was_given_up_is_copied_when_it_is_gone(
    database: Database, settings: Settings, tmp_path: Path
) -> None:
    _lost_run(database, tmp_path, socket.gethostname(), TRAINING)
    trainer = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
    with database.write() as session:
        session.execute(update(Attempt).values(pid=trainer.pid))
    reaper = Reaper(database, settings)
    reaper.round()
    file = tmp_path / "attempt-1" / "events.jsonl"
    file.write_text(file.read_text().replace('{"torn', json.dumps({"seq": 1, "time": 1.0, **LOG})))
    with file.open("a") as end:
        end.write("\n")
    reaper.round()
    with database.read() as session:
        assert not session.scalars(select(Attempt.drained)).one()
    trainer.communicate(b"")
    reaper.round()
    with database.read() as session:
        assert session.scalars(select(Attempt.drained)).one()
        seqs = session.scalars(select(RunEvent.seq).where(RunEvent.seq.is_not(None)))
        assert sorted(seqs) == [0, 1]


def test_deleted_runs_go_with_their_files_even_when_that_is_cut_off(
    database: Database, settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run_id = _lost_run(database, tmp_path, socket.gethostname(), TRAINING, LOG)
    other = _lost_run(database, tmp_path / "other", socket.gethostname(), TRAINING)
    reaper = Reaper(database, settings)
    reaper.round()
    folder = settings.runs_directory / run_id / "attempt-1"
    folder.mkdir(parents=True)
    (folder / "adapter").write_text("weights")
    with database.write() as session:
        session.get_one(Run, run_id).deleting = True

    def fail(*_: object) -> None:
        raise PermissionError("no")

    with monkeypatch.context() as patch:
        patch.setattr("app.storage.deletion.remove_folder", fail)
        with pytest.raises(PermissionError):
            reaper.round()
    assert _run(database, run_id).deleting
    reaper.round()
    assert not folder.parent.exists()
    with database.read() as session:
        assert list(session.scalars(select(Run.id))) == [other]
        assert set(session.scalars(select(RunEvent.run_id))) == {other}
        assert set(session.scalars(select(Attempt.run_id))) == {other}

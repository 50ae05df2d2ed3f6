from __future__ import annotations

import json
import socket
from pathlib import Path

from sqlalchemy import select, update

from app import notify, queue
from app.db import Database
from app.models import Attempt, Project, Run, RunEvent, Worker
from app.models.base import database_epoch
from app.runs import lifecycle
from app.settings import Settings
from core.states import RunStatus
from worker.reaper import reap

WORKER = {"pid": 1, "last_seen": 0.0, "hardware": {}, "usage": {}, "versions": {}}


def _lost_run(database: Database, directory: Path, hostname: str, *lines: dict[str, object]) -> str:
    """A run whose worker fell silent after its trainer wrote these events."""
    with database.write() as session:
        project, worker = Project(name="P"), Worker(name="w", hostname=hostname, **WORKER)
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
    folder.mkdir()
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
    reap(database, settings)
    assert _run(database, run_id).status is RunStatus.QUEUED
    assert notify.queue_length() == 1
    with database.read() as session:
        attempt = session.scalars(select(Attempt)).one()
        assert (attempt.outcome, attempt.drained) == ("crashed", True)
        seqs = session.scalars(select(RunEvent.seq).where(RunEvent.attempt_id == attempt.id))
        assert sorted(seqs) == [0, 1, 2]


def test_a_run_that_had_finished_before_its_worker_died_is_not_started_again(
    database: Database, settings: Settings, tmp_path: Path
) -> None:
    run_id = _lost_run(database, tmp_path, socket.gethostname(), TRAINING, SUCCEEDED)
    reap(database, settings)
    assert _run(database, run_id).status is RunStatus.SUCCEEDED
    assert notify.queue_length() == 0


def test_files_of_another_host_are_left_to_it(
    database: Database, settings: Settings, tmp_path: Path
) -> None:
    run_id = _lost_run(database, tmp_path, "elsewhere", TRAINING, SUCCEEDED)
    reap(database, settings)
    assert _run(database, run_id).status is RunStatus.QUEUED
    with database.read() as session:
        assert session.scalars(select(Attempt.drained)).one() is False


def test_a_lost_task_is_sent_again_but_not_twice(
    database: Database, settings: Settings, tmp_path: Path
) -> None:
    run_id = _lost_run(database, tmp_path, socket.gethostname(), TRAINING)
    reap(database, settings)
    notify._client().delete(queue.GPU_QUEUE)  # Redis came back empty
    reap(database, settings)
    assert notify.queue_length() == 0  # its task may still be on its way
    with database.write() as session:
        session.execute(update(Run).values(enqueued_at=database_epoch() - 60))
    for _ in range(3):
        reap(database, settings)
        assert notify.queue_length() == 1
    assert _run(database, run_id).status is RunStatus.QUEUED

"""What a worker does where a comparison never reaches the model; answers are in `tests/e2e`."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from app.db import Database
from app.models import Generation
from app.settings import Settings
from core.generation_job import GenerationStatus
from worker import inputs
from worker.answering import Answerer
from worker.presence import Presence

_JOB = {"model": {"name": "/nowhere"}, "columns": [{"text": "Why?"}]}


@pytest.fixture
def presence(database: Database, settings: Settings) -> Iterator[Presence]:
    presence = Presence(database, settings)
    presence.start()
    yield presence
    presence.stop()


def _answered(
    database: Database, settings: Settings, presence: Presence, job: dict[str, Any]
) -> Generation:
    with database.write() as session:
        row = Generation(
            title="", asked={}, columns=[], job=job, blind=False, revealed=False, created_by="Ada"
        )
        session.add(row)
        session.flush()
        name = row.id
    assert Answerer(database, settings, presence).answer_next()
    with database.read() as session:
        return session.get_one(Generation, name)


def _code(row: Generation) -> str:
    assert row.status is GenerationStatus.FAILED
    assert row.problem is not None
    return str(row.problem["code"])


def test_what_breaks_on_the_worker_ends_the_comparison(
    database: Database, settings: Settings, presence: Presence
) -> None:
    settings.home.mkdir(parents=True, exist_ok=True)
    (settings.home / "logs").write_bytes(b"")  # no process can be started: it has no log
    assert _code(_answered(database, settings, presence, _JOB)) == "storage_unwritable"
    assert _code(_answered(database, settings, presence, {"columns": 1})) == "internal_error"


def test_weights_that_are_nowhere_hold_no_worker(
    database: Database,
    settings: Settings,
    presence: Presence,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(inputs, "_MISSING_SECONDS", 0.0)
    far = settings.model_copy(update={"artifacts_url": f"file://{tmp_path}/far"})
    deleted = str(far.runs_directory / "abc" / "attempt-1" / "adapter")
    job = _JOB | {"columns": [{"text": "Why?", "weights": "student", "adapter": deleted}]}
    failed = _answered(database, far, presence, job)
    assert _code(failed) == "artifact_store_unavailable"
    assert "deleted" in str(failed.problem)
    monkeypatch.undo()
    presence.leaving.set()
    given_back = _answered(database, far, presence, job)
    assert (given_back.status, given_back.worker_id) == (GenerationStatus.QUEUED, None)

"""What a worker does before its trainer starts; whole runs are in `tests/e2e`."""

from __future__ import annotations

from typing import Any

import pytest
import yaml

from app.db import Database
from app.models import Dataset, DatasetVersion, Project, Run
from app.settings import Settings
from core.data_config import DataFields
from core.states import RunStatus
from worker import supervisor
from worker.presence import Presence
from worker.supervisor import Supervisor


def _run(database: Database, reference: str) -> str:
    with database.write() as session:
        project = Project(name="P")
        session.add(project)
        session.flush()
        dataset = Dataset(project_id=project.id, name="sums", last_number=1)
        session.add(dataset)
        session.flush()
        version = DatasetVersion(
            dataset_id=dataset.id,
            number=1,
            sha256="ab",
            file="ab/ab.csv",
            file_name="sums.csv",
            format="csv",
            bytes=1,
            rows=1,
            mapping=DataFields(prompt="q").model_dump(),
            report={"good": 1, "broken": 0},
        )
        config = {"data": {"dataset": reference}}
        run = Run(project_id=project.id, name="r", config=config, status=RunStatus.QUEUED)
        session.add_all([version, run])
        session.flush()
        return run.id


def _execute(database: Database, settings: Settings, run_id: str) -> Run:
    presence = Presence(database, settings)
    presence.start()
    try:
        Supervisor(database, settings, presence).work()
    finally:
        presence.stop()
    with database.read() as session:
        return session.get_one(Run, run_id)


def test_the_trainers_file_names_path_and_mapping_instead_of_the_data_set(
    database: Database, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    def start(*_: Any) -> None:
        raise OSError(28, "No space left on device")  # the folder is written, no trainer starts

    monkeypatch.setattr(supervisor, "Trainer", start)
    run_id = _run(database, "sums@1")
    _execute(database, settings, run_id)
    (file,) = settings.runs_directory.glob(f"{run_id}/*/{supervisor.CONFIG_FILE}")
    data = yaml.safe_load(file.read_text())["data"]
    assert data["path"] == str(settings.datasets_directory / "ab" / "ab.csv")
    assert (data["dataset"], data["fields"]["prompt"]) == (None, "q")


def test_a_data_set_that_is_gone_fails_the_run_with_its_field(
    database: Database, settings: Settings
) -> None:
    run = _execute(database, settings, _run(database, "sums@2"))
    assert run.status is RunStatus.FAILED
    assert run.problem is not None
    assert (run.problem["code"], run.problem["field"]) == ("dataset_unknown", "data.dataset")

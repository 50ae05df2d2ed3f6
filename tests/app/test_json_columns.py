from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy import select

from app.db import Database, JsonText
from app.models import Experiment, Project


@pytest.mark.parametrize(
    "value",
    [
        {"a": [1, 2.5, -1e300, None, True], "ü": {"": "x\ny"}},
        {"alone": "\ud800"},
        {"large": 2**70, "small": 5e-324, "third": 1 / 3},
    ],
)
def test_json_comes_back_as_it_was(database: Database, value: dict[str, Any]) -> None:
    with database.write() as session:
        project = Project(name="P")
        session.add(project)
        session.flush()
        session.add(Experiment(project_id=project.id, name="e", description="", config=value))
    with database.read() as session:
        assert session.scalars(select(Experiment.config)).one() == value


def test_json_that_is_written_already_is_stored_as_it_is(database: Database) -> None:
    text: Any = JsonText('{"b": 1,  "a": "\\u00fc"}')
    with database.write() as session:
        project = Project(name="P")
        session.add(project)
        session.flush()
        session.add(Experiment(project_id=project.id, name="e", description="", config=text))
    with database.read() as session:
        assert session.scalars(select(Experiment.config)).one() == {"b": 1, "a": "ü"}

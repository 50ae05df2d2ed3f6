"""Whatever is sent, the API answers as its document says, and never with an internal error."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import schemathesis
from fastapi.testclient import TestClient
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.stateful import run_state_machine_as_test
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi import checks
from sqlalchemy import update

from app.db import Database
from app.models import Worker
from app.settings import Settings
from tests.app import generated
from tests.app.test_exports_api import finish, make, trained
from tests.app.workers import USAGE, register
from tests.live import serving
from tests.reporting import ReportingRun
from tests.servers import migrated_database

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=12), inner),
    max_leaves=8,
)
CHECKS = [
    not_a_server_error,
    checks.status_code_conformance,
    checks.content_type_conformance,
    checks.response_headers_conformance,
    checks.response_schema_conformance,
    checks.unsupported_method,
]
FEW = settings(
    max_examples=6, deadline=None, suppress_health_check=list(HealthCheck), derandomize=True
)
MANY = settings(
    max_examples=150, deadline=None, suppress_health_check=list(HealthCheck), print_blob=True
)
OPERATIONS = 100
"""So many the document has at least; fewer would mean that it is not read whole."""


@pytest.fixture(params=[pytest.param("sqlite", marks=pytest.mark.full), "postgresql"])
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """A migrated database; ordinarily the stricter of the two."""
    with migrated_database(
        request.param, tmp_path / "home", lambda: str(request.getfixturevalue("postgresql"))
    ) as url:
        yield url


__all__ = ["trained"]  # the fixture of the exports' tests: a run that has weights


@pytest.fixture
def furnished(
    settings: Settings,
    database: Database,
    client: TestClient,
    config: dict[str, Any],
    trained: str,
) -> dict[str, list[Any]]:
    """A studio in which there is something of everything; its identifiers by path parameter."""
    with database.write() as session:
        worker = register(session, "idle")
    running, over = ReportingRun(database, "running"), ReportingRun(database, "over")
    running.report(3)
    over.report(40)
    over.report(2, padding=20)
    over.finish()

    def made(path: str, **body: Any) -> str:
        answer = client.post(path, json=body)
        assert answer.status_code == 201, answer.text
        return str(answer.json()["id"])

    project = made("/api/projects", name="A project")
    experiment = made("/api/experiments", name="E", project_id=project, config=config)
    queued = made("/api/runs", config=config, name="queued")
    study = made("/api/studies", name="S", base=config, factors={"seed": {"a": {}}})
    view = made("/api/views", name="Mine", search={"q": "A"})
    waiting = client.post(f"/api/runs/{trained}/exports", json={"kind": "merged"})
    assert waiting.status_code == 202, waiting.text
    export = make(client, database, settings, trained)
    finish(database, export)
    with database.write() as session:  # those runs' workers have told nothing of themselves
        session.execute(update(Worker).values(usage=USAGE.model_dump()))
    generated.ask(client)
    with database.write() as session:
        answering = register(session, "answers")
    answered = generated.answer(database, answering)
    asked = generated.ask(client)["id"]
    files = client.get(f"/api/runs/{trained}/files").json()["items"]
    upload = {"name": "sums", "file_name": "sums.jsonl"}
    rows = b'{"question": "1+1?", "answer": "2"}\n{"question": 3}\n'
    answer = client.post("/api/datasets/upload", params=upload, content=rows)
    assert answer.status_code == 201, answer.text
    plan = {"name": "T", "base": config, "factors": {"seed": {"a": {}}}}
    bundle = {"bundle": client.get(f"/api/runs/{trained}/bundle").json()}
    sets = [{"name": "sums", "dataset": "sums@1", "limit": 2}]
    return {
        "run_id": [over.id, queued, running.id, trained],
        "run": [over.id, running.id, trained],
        "baseline": [over.id],
        "export_id": [export, waiting.json()["id"]],
        "path": [file["path"] for entry in files for file in entry["files"]],
        "view_id": [view],
        "project_id": [project],
        "experiment_id": [experiment],
        "study_id": [study],
        "worker_id": [worker],
        "dataset_id": [answer.json()["dataset_id"]],
        "number": [1],
        "cursor": [1, 2],
        "trajectory_id": [1],
        "generation_id": [answered, asked],
        "column": [0, 1],
        "sample": [0],
        # The stream of a run that goes on has no end.
        "/api/runs/{run_id}/events": [over.id, trained],
        "/api/generations/{generation_id}/events": [answered],
        # Bodies that are right, by operation.
        "POST /api/bundles": [bundle],
        "POST /api/bundles/check": [bundle],
        "POST /api/evaluations": [{"run_id": trained, "sets": sets}],
        "POST /api/generations": [
            {"prompt": "Why?", "columns": [{}, {"run_id": trained, "weights": "adapter"}]}
        ],
        "POST /api/generations/{generation_id}/votes": [{"winner": 1}, {"winner": None}],
        "POST /api/runs": [{"config": config}],
        "POST /api/runs/bulk": [{"action": "tag", "runs": [{"id": over.id}], "add": ["a"]}],
        "POST /api/runs/preflight": [{"config": config}],
        "POST /api/runs/validate": [{"config": config}],
        "POST /api/runs/{run_id}/exports": [{"kind": "adapter"}, {"kind": "merged"}],
        "POST /api/studies": [plan],
        "POST /api/studies/check": [{"text": json.dumps(plan)}],
        "POST /api/views": [{"name": "Other", "search": {"sort": "name"}, "project_id": project}],
    }


@pytest.fixture
def document(settings: Settings, furnished: dict[str, list[Any]]) -> Iterator[Any]:
    """The API's document, from a real server."""
    del furnished
    with serving(settings) as port:
        yield schemathesis.openapi.from_url(f"http://127.0.0.1:{port}/api/openapi.json")


def test_every_operation_keeps_its_contract(document: Any, furnished: dict[str, list[Any]]) -> None:
    _check_all(document, furnished, FEW)


@pytest.mark.full
@pytest.mark.timeout(3600)
def test_every_operation_keeps_its_contract_over_many_requests(
    document: Any, furnished: dict[str, list[Any]]
) -> None:
    _check_all(document, furnished, MANY)


@pytest.mark.full
@pytest.mark.timeout(3600)
def test_what_one_answer_names_another_request_may_use(document: Any) -> None:
    """Identifiers that answers give are put into the paths and bodies of others."""
    machine = document.as_state_machine()

    class Checked(machine):  # type: ignore[misc, valid-type]
        def validate_response(self, response: Any, case: Any, **more: Any) -> None:
            super().validate_response(response, case, additional_checks=(), **more)

    run_state_machine_as_test(
        Checked,
        settings=settings(
            MANY, max_examples=150, stateful_step_count=10, suppress_health_check=list(HealthCheck)
        ),
    )


def _check_all(document: Any, known: dict[str, list[Any]], how: settings) -> None:
    """Check each operation, and tell of all that fail, not of the first alone."""
    seen = 0
    broken: list[BaseException] = []
    operations = [result.ok() for result in document.get_all_operations()]
    # What is removed is not there for the others any more.
    operations.sort(key=lambda one: one.method.upper() == "DELETE")
    for operation in operations:
        seen += 1
        try:
            _check(operation, known, how)
        except (Exception, BaseExceptionGroup) as error:  # noqa: BLE001 - told below
            error.add_note(f"of {operation.method.upper()} {operation.path}")
            broken.append(error)
    assert seen >= OPERATIONS
    if broken:
        raise BaseExceptionGroup("operations break their contract", broken)


def _check(operation: Any, known: dict[str, list[Any]], how: settings) -> None:
    # `/readyz` answers 503 once the worker has not been heard of for a while; that is its purpose.
    answers_503 = operation.path == "/readyz"
    wanted = [one for one in CHECKS if not (answers_503 and one is not_a_server_error)]
    if operation.path in known:
        name = "generation_id" if "generation_id" in operation.path else "run_id"
        known = known | {name: known[operation.path]}

    @given(case=operation.as_strategy(), data=st.data())
    @how
    def contract(case: Any, data: st.DataObject) -> None:
        # What is made up is hardly ever there; most of what can go wrong needs something that is.
        for name in case.path_parameters or {}:
            if name in known and data.draw(st.integers(0, 3), label="made up if 0"):
                case.path_parameters[name] = data.draw(st.sampled_from(known[name]), label=name)
        for name in set(case.query or {}) & set(known):
            if data.draw(st.integers(0, 3), label="made up if 0"):
                case.query[name] = _there(data, known[name], case.query[name])
        right = known.get(f"{operation.method.upper()} {operation.path}")
        if right and data.draw(st.integers(0, 3), label="made up if 0"):
            case.body = _mixed(data, data.draw(st.sampled_from(right)), case.body)
        answer = case.call(timeout=30)
        case.validate_response(answer, checks=wanted)
        if answer.status_code >= 400 and not answers_503:
            body = answer.json()
            assert body["status"] == answer.status_code
            assert body["code"]
            assert body["detail"].strip()
            assert body["remedy"].strip(), body

    contract()


def _there(data: st.DataObject, known: list[Any], made_up: Any) -> Any:
    """What is there in place of what is made up: one, or where many are asked for up to three."""
    if isinstance(made_up, list):
        return data.draw(st.lists(st.sampled_from(known), min_size=1, max_size=3))
    return data.draw(st.sampled_from(known))


def _mixed(data: st.DataObject, right: Any, made_up: Any) -> Any:
    """A body that is right but for at most one place, where it is as it was made up."""
    if not isinstance(right, dict) or not isinstance(made_up, dict):
        return made_up
    name = data.draw(st.sampled_from([None, *sorted(made_up)]), label="made up")
    if name is None:
        return right
    deeper = name in right and data.draw(st.booleans(), label="deeper")
    part = _mixed(data, right[name], made_up[name]) if deeper else made_up[name]
    return {**right, name: part}


@FEW
@given(config=JSON)
def test_any_configuration_is_taken_or_refused_with_reasons(
    client: TestClient, config: Any
) -> None:
    content = json.dumps({"config": config}).encode()
    headers = {"Content-Type": "application/json"}
    answer = client.post("/api/runs/validate", content=content, headers=headers)
    assert answer.status_code in {200, 422}
    problem = answer.json()
    assert problem["errors"] or problem.get("valid")

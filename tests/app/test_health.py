from __future__ import annotations

from fastapi.testclient import TestClient

from app.db import Database
from app.models import Base
from app.workers import service
from tests.app.workers import register


def test_it_is_ready_only_with_a_worker(client: TestClient, database: Database) -> None:
    assert client.get("/healthz").json() == {"status": "ok"}
    answer = client.get("/readyz")
    assert answer.status_code == 503
    checks = answer.json()["checks"]
    assert (checks["database"]["ok"], checks["redis"]["ok"]) == (True, True)
    assert "unisd worker" in checks["workers"]["detail"]
    with database.write() as session:
        worker_id = register(session)
    answer = client.get("/readyz")
    assert (answer.status_code, answer.json()["status"]) == (200, "ready")
    with database.write() as session:
        service.say_goodbye(session, worker_id)
    assert client.get("/readyz").status_code == 503


def test_a_database_without_schema_is_not_ready(client: TestClient, database: Database) -> None:
    Base.metadata.drop_all(database.engine)
    answer = client.get("/readyz")
    assert answer.status_code == 503
    assert not answer.json()["checks"]["database"]["ok"]
    assert client.get("/api/runs").status_code == 503
    assert client.get("/healthz").status_code == 200

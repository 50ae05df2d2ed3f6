from __future__ import annotations

from fastapi.testclient import TestClient

from app.db import Database
from app.models import Base, Worker
from app.settings import Settings
from app.workers import service
from app.workers.schemas import Hardware, Usage

USAGE = Usage(cpu=0.5, memory_used=1, disk_free=2, gpus=[])
WORKER = {
    "name": "w",
    "hostname": "h",
    "pid": 1,
    "hardware": Hardware(cpu="c", cores=2, memory_total=3).model_dump(),
    "usage": USAGE.model_dump(),
    "versions": {"python": "3.11"},
}


def test_it_is_ready_only_with_a_worker(client: TestClient, database: Database) -> None:
    assert client.get("/healthz").json() == {"status": "ok"}
    answer = client.get("/readyz")
    assert answer.status_code == 503
    checks = answer.json()["checks"]
    assert (checks["database"]["ok"], checks["redis"]["ok"]) == (True, True)
    assert "unisd worker" in checks["workers"]["detail"]
    with database.write() as session:
        worker_id = service.register(session, WORKER)
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


def test_workers_are_listed_with_their_state(
    client: TestClient, database: Database, settings: Settings
) -> None:
    with database.write() as session:
        alive = service.register(session, WORKER)
        lost = service.register(session, WORKER | {"name": "lost"})
        gone = service.register(session, WORKER | {"name": "gone"})
        service.say_goodbye(session, gone)
        service.heartbeat(session, alive, usage=USAGE, run_id=None)
    with database.write() as session:
        session.get_one(Worker, lost).last_seen -= settings.lease_seconds + 1
    items = client.get("/api/workers").json()["items"]
    assert [(item["name"], item["status"]) for item in items] == [
        ("w", "idle"),
        ("lost", "lost"),
        ("gone", "gone"),
    ]
    assert items[0]["heartbeat_age"] < 5
    assert items[0]["usage"]["cpu"] == 0.5

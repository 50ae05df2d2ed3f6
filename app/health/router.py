"""Health of the process and of the installation."""

from __future__ import annotations

from typing import Literal

from fastapi import APIRouter, Response, status
from pydantic import Field
from sqlalchemy.exc import SQLAlchemyError

from app import db, notify
from app.deps import DatabaseDep, SettingsDep
from app.schemas import Schema
from app.workers.service import count_alive

router = APIRouter(tags=["health"])


class Health(Schema):
    """The process answers."""

    status: Literal["ok"] = "ok"


class Check(Schema):
    """One thing that the installation needs."""

    ok: bool
    detail: str = Field(description="What was found, in words.")


class Checks(Schema):
    """All things that the installation needs."""

    database: Check
    redis: Check
    workers: Check


class Readiness(Schema):
    """Whether runs can be executed."""

    status: Literal["ready", "unready"]
    checks: Checks


@router.get("/healthz")
def healthz() -> Health:
    """The process lives."""
    return Health()


@router.get("/readyz", responses={503: {"model": Readiness, "description": "Not ready"}})
def readyz(database: DatabaseDep, settings: SettingsDep, response: Response) -> Readiness:
    """Database, Redis and at least one worker are there."""
    database_fault = db.is_reachable(database)
    redis_fault = notify.is_reachable()
    checks = Checks(
        database=Check(ok=database_fault is None, detail=database_fault or "answers"),
        redis=Check(ok=redis_fault is None, detail=redis_fault or "answers"),
        workers=_workers(database, settings.lease_seconds),
    )
    ready = checks.database.ok and checks.redis.ok and checks.workers.ok
    if not ready:
        response.status_code = status.HTTP_503_SERVICE_UNAVAILABLE
    return Readiness(status="ready" if ready else "unready", checks=checks)


def _workers(database: db.Database, lease: float) -> Check:
    try:
        with database.read() as session:
            alive = count_alive(session, lease)
    except SQLAlchemyError:
        return Check(ok=False, detail="unknown, since the database does not answer")
    if alive == 0:
        return Check(ok=False, detail="none is connected; start one with `unisd worker`")
    return Check(ok=True, detail=f"{alive} connected")

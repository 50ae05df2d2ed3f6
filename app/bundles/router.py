"""Routes of reproduction bundles."""

from __future__ import annotations

from urllib.parse import quote

from fastapi import APIRouter, Response, status

from app.bundles import making, service
from app.bundles.schemas import BundleImport, BundleStarted, BundleVerdict
from app.deps import Actor, ReadSession, SettingsDep, WriteSession
from app.errors import documented
from app.exports.service import get_source
from app.once import OnceDep
from app.runs import present
from app.runs.schemas import RunCreated
from core.bundle import FILE_ENDING, Bundle

router = APIRouter(tags=["bundles"])


@router.get("/runs/{run_id}/bundle", responses=documented(404, 409))
def get_bundle(
    session: ReadSession, settings: SettingsDep, response: Response, run_id: str
) -> Bundle:
    """Configuration, seeds, data hash, versions and results of a run, as one file."""
    run = get_source(session, run_id)
    name = quote(f"{run.name}{FILE_ENDING}", safe="")
    response.headers["Content-Disposition"] = (
        f"attachment; filename=\"{run.id}{FILE_ENDING}\"; filename*=UTF-8''{name}"
    )
    return making.make_bundle(session, run, settings)


@router.post("/bundles/check", responses=documented(404, 422))
def check_bundle(
    session: ReadSession, settings: SettingsDep, wanted: BundleImport
) -> BundleVerdict:
    """Whether the same run can be started here, on which data, and which versions differ."""
    return service.check_bundle(session, wanted, settings)


@router.post("/bundles", status_code=status.HTTP_201_CREATED, responses=documented(404, 409, 422))
def import_bundle(
    session: WriteSession,
    settings: SettingsDep,
    actor: Actor,
    once: OnceDep,
    wanted: BundleImport,
) -> BundleStarted:
    """Start the same run again. Its data must be here, and have the hash that it had."""
    if earlier := once.earlier(session, "bundle", wanted):
        verdict = service.check_bundle(session, wanted, settings)
        shown = present.detail(session, get_source(session, earlier), settings)
        return BundleStarted(
            run=RunCreated(**dict(shown), warnings=verdict.warnings),
            data=verdict.data,
            differences=verdict.differences,
        )
    run, found = service.import_bundle(session, wanted, settings, actor=actor)
    once.remember(session, run.id)
    shown = present.detail(session, run, settings)
    return BundleStarted(
        run=RunCreated(**dict(shown), warnings=found.findings.warnings),
        data=found.data,
        differences=found.differences,
    )

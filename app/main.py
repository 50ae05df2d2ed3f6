"""Puts the web application together."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from importlib.metadata import version
from pathlib import Path

from fastapi import APIRouter, Depends, FastAPI
from fastapi.responses import FileResponse
from fastapi.staticfiles import StaticFiles
from starlette.exceptions import HTTPException

from app import configuration
from app.artifacts.router import router as artifacts_router
from app.auth.guard import Guard
from app.auth.router import router as session_router
from app.bundles.router import router as bundles_router
from app.comparisons.router import router as comparisons_router
from app.datasets.router import router as datasets_router
from app.db import get_database
from app.errors import documented, install_error_handlers
from app.evaluations.router import router as evaluations_router
from app.experiments.router import router as experiments_router
from app.exports.router import router as exports_router
from app.generations.router import router as generations_router
from app.generations.stream import GENERATIONS
from app.health.router import router as health_router
from app.preflight.router import router as preflight_router
from app.presets.router import router as presets_router
from app.projects.router import router as projects_router
from app.queues.router import router as queues_router
from app.retention.router import router as retention_router
from app.runs.feed import Feed
from app.runs.list_router import router as run_lists_router
from app.runs.router import router as runs_router
from app.runs.schemas import RunEventOut
from app.schemas import ProblemDetails
from app.search.router import router as search_router
from app.settings import Settings, get_settings
from app.studies.router import router as studies_router
from app.text import refuse_nul
from app.trajectories.router import router as trajectories_router
from app.views.router import router as views_router
from app.workers.router import router as workers_router

STATIC = Path(__file__).parent / "static"

_DESCRIPTION = """\
Adapt language models by self-distillation, and see token by token why a run helped or hurt.

A **run** executes a frozen configuration (`RunConfig`). Create one with `POST /api/runs`, follow it
with `GET /api/runs/{run_id}/events` (Server-Sent Events with replay), read its curves from
`…/metrics` and its recorded rollouts from `…/trajectories`.

Every error is `application/problem+json` (RFC 9457) with a machine-readable `code`, a `remedy` and,
for invalid input, `errors` that name each field. Lists answer with `items`, `total`, `limit` and
`offset`. Unknown numbers are null, never 0.

Where the installation has a token, send it as `Authorization: Bearer <token>`.
"""


def create_app(settings: Settings | None = None) -> FastAPI:
    """The application; `settings` default to the environment's."""
    settings = settings or get_settings()
    app = FastAPI(
        title="UniSD Studio",
        version=version("unisd-studio"),
        description=_DESCRIPTION,
        lifespan=_lifespan,
        docs_url="/api/docs",
        redoc_url=None,
        openapi_url="/api/openapi.json",
        generate_unique_id_function=lambda route: route.name,
    )
    install_error_handlers(app)
    api = APIRouter(
        prefix="/api",
        responses=documented(401, 403, 500, 503),
        dependencies=[Depends(refuse_nul)],
    )
    for router in (
        session_router,
        configuration.router,
        presets_router,
        projects_router,
        experiments_router,
        preflight_router,
        run_lists_router,  # its paths come before `/runs/{run_id}`
        runs_router,
        views_router,
        studies_router,
        trajectories_router,
        datasets_router,
        evaluations_router,
        retention_router,
        exports_router,
        generations_router,
        artifacts_router,
        bundles_router,
        comparisons_router,
        workers_router,
        queues_router,
        search_router,
    ):
        api.include_router(router)
    app.include_router(api)
    app.include_router(health_router)
    _document_problems(app)
    _serve_page(app)
    app.add_middleware(Guard, settings=settings)
    return app


@asynccontextmanager
async def _lifespan(_app: FastAPI) -> AsyncIterator[dict[str, object]]:
    database = get_database()
    answers = Feed(database, GENERATIONS)
    async with Feed(database).running() as feed, answers.running() as generation_feed:
        yield {"feed": feed, "generation_feed": generation_feed}
    database.close()


def _document_problems(app: FastAPI) -> None:
    """Name problem details and events in the document, though no route returns them as such."""
    generate = app.openapi

    def openapi() -> dict[str, object]:
        document = generate()
        schemas = document["components"]["schemas"]
        if "ProblemDetails" not in schemas:
            for model in (ProblemDetails, RunEventOut):
                schema = model.model_json_schema(ref_template="#/components/schemas/{model}")
                schemas.update(schema.pop("$defs", {}))
                schemas[model.__name__] = schema
        return document

    app.openapi = openapi  # type: ignore[method-assign]  # FastAPI's documented way


def _serve_page(app: FastAPI) -> None:
    """The built page; every path that is no file is the page's own business."""
    if (STATIC / "assets").is_dir():
        app.mount("/assets", StaticFiles(directory=STATIC / "assets"), name="assets")

    @app.get("/{path:path}", include_in_schema=False)
    def page(path: str) -> FileResponse:
        if path.startswith("api/") or path == "api":
            raise HTTPException(404)
        file = (STATIC / path).resolve()
        if path and file.is_relative_to(STATIC) and file.is_file():
            return FileResponse(file)
        index = STATIC / "index.html"
        if not index.is_file():
            raise HTTPException(404, "The page has not been built; run `make page`.")
        return FileResponse(index, headers={"Cache-Control": "no-cache"})

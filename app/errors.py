"""Errors of the business, and how every error becomes RFC 9457 problem details."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from http import HTTPStatus
from typing import Any, ClassVar

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError
from starlette.exceptions import HTTPException

from app.db import is_busy
from app.schemas import ProblemDetails
from core.errors import Problem, StudioError
from core.states import IllegalTransitionError
from core.validation import validation_problems

_log = logging.getLogger(__name__)
_RETRY_AFTER_SECONDS = 3
MEDIA_TYPE = "application/problem+json"


class AppError(Exception):
    """A request that cannot be met; says its status, its code and the remedy."""

    status: ClassVar[HTTPStatus] = HTTPStatus.BAD_REQUEST
    code: ClassVar[str] = "bad_request"
    title: ClassVar[str] = "Bad request"

    def __init__(self, detail: str, remedy: str) -> None:
        self.detail = detail
        self.remedy = remedy
        super().__init__(detail)


class NotFoundError(AppError):
    """The thing named in the path or body does not exist."""

    status = HTTPStatus.NOT_FOUND
    code = "not_found"
    title = "Not found"


class ConflictError(AppError):
    """The thing exists but is not in a state for this, or its name is taken."""

    status = HTTPStatus.CONFLICT
    code = "conflict"
    title = "Conflict"


class UnauthorizedError(AppError):
    """No valid token came with the request."""

    status = HTTPStatus.UNAUTHORIZED
    code = "unauthorized"
    title = "Not signed in"


class ForbiddenError(AppError):
    """The request comes from where requests are not taken."""

    status = HTTPStatus.FORBIDDEN
    code = "forbidden"
    title = "Refused"


class UnavailableError(AppError):
    """Something that the request needs does not answer."""

    status = HTTPStatus.SERVICE_UNAVAILABLE
    code = "unavailable"
    title = "Unavailable"


class BusyError(UnavailableError):
    """Others write, and this request could not be done meanwhile."""

    code = "database_busy"

    def __init__(self) -> None:
        super().__init__(
            "The database is busy with other writes. Nothing was changed.",
            "Try again in a few seconds.",
        )


class TooLargeError(AppError):
    """The body is larger than this installation takes."""

    status = HTTPStatus.REQUEST_ENTITY_TOO_LARGE
    code = "too_large"
    title = "Too large"


def problem_response(
    status: int,
    code: str,
    title: str,
    detail: str,
    remedy: str = "",
    errors: list[Problem] | None = None,
) -> JSONResponse:
    """Problem details as a response."""
    body = ProblemDetails(
        type=f"urn:unisd:problem:{code}",
        title=title,
        status=status,
        detail=detail,
        code=code,
        remedy=remedy,
        errors=errors or [],
    )
    headers = {}
    if status == HTTPStatus.UNAUTHORIZED:
        headers["WWW-Authenticate"] = "Bearer"
    elif status == HTTPStatus.SERVICE_UNAVAILABLE:
        headers["Retry-After"] = str(_RETRY_AFTER_SECONDS)
    return JSONResponse(
        body.model_dump(mode="json"), status, media_type=MEDIA_TYPE, headers=headers
    )


def documented(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """`responses=` for routes: the problems that they may answer with."""
    return {
        status: {
            "description": HTTPStatus(status).phrase,
            "content": {MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/ProblemDetails"}}},
        }
        for status in statuses
    }


def invalid_response(problems: list[Problem]) -> JSONResponse:
    """422 with every mistake."""
    detail = (
        problems[0].message if len(problems) == 1 else f"{len(problems)} mistakes in the input."
    )
    return problem_response(
        HTTPStatus.UNPROCESSABLE_ENTITY,
        problems[0].code if len({problem.code for problem in problems}) == 1 else "invalid",
        "Invalid input",
        detail,
        problems[0].remedy if len(problems) == 1 else "Mend each of the listed mistakes.",
        problems,
    )


def install_error_handlers(app: FastAPI) -> None:
    """Make every error leave as problem details."""

    @app.exception_handler(AppError)
    def _app_error(_: Request, error: AppError) -> JSONResponse:
        return problem_response(error.status, error.code, error.title, error.detail, error.remedy)

    @app.exception_handler(StudioError)
    def _studio_error(_: Request, error: StudioError) -> JSONResponse:
        return invalid_response(list(error.problems))

    @app.exception_handler(RequestValidationError)
    def _invalid(_: Request, error: RequestValidationError) -> JSONResponse:
        return invalid_response(request_problems(error))

    @app.exception_handler(IllegalTransitionError)
    def _illegal(_: Request, error: IllegalTransitionError) -> JSONResponse:
        return problem_response(
            HTTPStatus.CONFLICT,
            "illegal_transition",
            "Conflict",
            f"{error}".capitalize() + ".",
            "It has changed meanwhile; look at it again, then decide.",
        )

    @app.exception_handler(HTTPException)
    def _http(request: Request, error: HTTPException) -> JSONResponse:
        return http_response(request, error)

    @app.exception_handler(PoolTimeoutError)
    @app.exception_handler(DBAPIError)
    def _database(request: Request, error: DBAPIError | PoolTimeoutError) -> JSONResponse:
        if is_busy(error):
            return _app_error(request, BusyError())
        _log.error("database: %s", getattr(error, "orig", error))
        return problem_response(
            HTTPStatus.SERVICE_UNAVAILABLE,
            "database_unavailable",
            "Unavailable",
            "The database did not answer.",
            "Try again; /readyz tells what is missing.",
        )

    @app.exception_handler(Exception)
    def _bug(_: Request, error: Exception) -> JSONResponse:
        _log.error("unhandled error", exc_info=error)
        return problem_response(
            HTTPStatus.INTERNAL_SERVER_ERROR,
            "internal_error",
            "Internal error",
            "The server made a mistake; its log has the details.",
            "Try again; if it stays so, report it with what the log says.",
        )


def http_response(request: Request, error: HTTPException) -> JSONResponse:
    """What the framework refuses by itself, in words."""
    phrase = HTTPStatus(error.status_code).phrase
    detail, remedy = f"{error.detail}".rstrip(".") + ".", "See the API's document at /api/docs."
    if error.status_code == HTTPStatus.METHOD_NOT_ALLOWED:
        allowed = (error.headers or {}).get("Allow", "")
        detail = f"{request.url.path} does not take {request.method}."
        remedy = f"It takes {allowed}." if allowed else remedy
    elif error.status_code == HTTPStatus.NOT_FOUND and error.detail == phrase:
        detail = f"There is nothing at {request.url.path}."
    code = phrase.lower().replace(" ", "_").replace("-", "_")
    response = problem_response(error.status_code, code, phrase, detail, remedy)
    response.headers.update(error.headers or {})
    return response


def request_problems(error: RequestValidationError) -> list[Problem]:
    """FastAPI's complaints as problems; fields of the configuration as in `RunConfig`."""
    problems = []
    for detail in error.errors():
        if detail["type"] == "json_invalid":
            problems.append(_not_json(detail))
            continue
        if detail["type"] == "preset_unknown":
            problems.append(Problem(code=detail["type"], field="config.preset", **detail["ctx"]))
            continue
        inside_config = tuple(detail["loc"][:2]) == ("body", "config") and (
            len(detail["loc"]) > 2 or detail["type"] == "value_error"
        )
        prefix = ("body", "config") if inside_config else (str(detail["loc"][0]),)
        problems.extend(validation_problems([detail], prefix))
    return problems


def _not_json(detail: Mapping[str, Any]) -> Problem:
    place, reason = detail["loc"][-1], str(detail.get("ctx", {}).get("error", "")).rstrip(".")
    return Problem(
        code="json_invalid",
        message=f"The request's body is not JSON: {reason}, at character {place}.",
        remedy="Send one JSON object in UTF-8.",
    )

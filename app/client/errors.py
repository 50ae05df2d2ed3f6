"""What the API answers instead of what was asked for, as exceptions that carry its problems."""

from __future__ import annotations

from collections.abc import Mapping
from http import HTTPStatus
from typing import Any, Final

from core.errors import Problem, StudioError


class ApiError(StudioError):
    """The studio refused a request or could not meet it.

    Attributes:
        status: of HTTP; 0 where no answer came.
        code: machine-readable and stable, such as `config_invalid`.
        detail: what went wrong, as a sentence.
        remedy: what to do about it.
        problems: every single mistake, with its field or line where it has one; at least one.
    """

    def __init__(self, status: int, code: str, problems: list[Problem], detail: str = "") -> None:
        super().__init__(*problems)
        self.status = status
        self.code = code
        self.detail = detail or self.problem.message
        self.remedy = self.problem.remedy


class UnreachableError(ApiError):
    """No answer came: the studio does not run, or there is no way to it."""


class InvalidError(ApiError):
    """The input has mistakes; `problems` names each with its field (400, 422)."""


class UnauthorizedError(ApiError):
    """The studio needs a token, or another one (401)."""


class ForbiddenError(ApiError):
    """Requests are not taken from here (403)."""


class NotFoundError(ApiError):
    """There is no such thing (404)."""


class ConflictError(ApiError):
    """It is not in a state for this, or somebody changed it meanwhile (409)."""


class TooLargeError(ApiError):
    """The file is larger than the studio takes (413)."""


class UnavailableError(ApiError):
    """Something that the studio needs does not answer, or it is busy (429, 502, 503, 504)."""


class ServerError(ApiError):
    """The studio made a mistake (other 5xx)."""


_KINDS: Final[dict[int, type[ApiError]]] = {
    HTTPStatus.BAD_REQUEST: InvalidError,
    HTTPStatus.UNAUTHORIZED: UnauthorizedError,
    HTTPStatus.FORBIDDEN: ForbiddenError,
    HTTPStatus.NOT_FOUND: NotFoundError,
    HTTPStatus.CONFLICT: ConflictError,
    HTTPStatus.REQUEST_ENTITY_TOO_LARGE: TooLargeError,
    HTTPStatus.UNPROCESSABLE_ENTITY: InvalidError,
    HTTPStatus.TOO_MANY_REQUESTS: UnavailableError,
    HTTPStatus.BAD_GATEWAY: UnavailableError,
    HTTPStatus.SERVICE_UNAVAILABLE: UnavailableError,
    HTTPStatus.GATEWAY_TIMEOUT: UnavailableError,
}


def error_of(status: int, body: object, url: str) -> ApiError:
    """The exception for an answer; `body` is its JSON, or None where it had none."""
    kind = _KINDS.get(status, ServerError if status >= 500 else ApiError)
    if not isinstance(body, Mapping) or "code" not in body:
        return kind(status, "unexpected_answer", [_without_words(status, url)])
    listed = [_problem(one) for one in body.get("errors") or () if isinstance(one, Mapping)]
    whole = Problem(
        code=str(body["code"]),
        message=str(body.get("detail", "")),
        remedy=str(body.get("remedy", "")),
    )
    return kind(status, whole.code, listed or [whole], whole.message)


def unreachable(url: str, reason: str) -> UnreachableError:
    """That no answer came from there."""
    problem = Problem(
        code="api_unreachable",
        message=f"The studio at {url} cannot be asked: {reason}.",
        remedy="Start it with `unisd up`, or set UNISD_API_URL to where it runs.",
    )
    return UnreachableError(0, problem.code, [problem])


def _problem(given: Mapping[str, Any]) -> Problem:
    # A newer studio may tell more about a problem than this client knows.
    known = {name: value for name, value in given.items() if name in Problem.model_fields}
    return Problem.model_validate(known)


def _without_words(status: int, url: str) -> Problem:
    """An answer that is not the studio's own: of a proxy, or of something else at that address."""
    if status >= 500:
        remedy = "Try again in a moment; if it stays so, see the log of the studio or of its proxy."
    elif status == HTTPStatus.TOO_MANY_REQUESTS:
        remedy = "Ask less often, or try again in a moment."
    elif status == HTTPStatus.REQUEST_ENTITY_TOO_LARGE:
        remedy = "A proxy before the studio limits the size of files; raise its limit."
    else:
        remedy = "Check that UNISD_API_URL is the address of a studio."
    return Problem(
        code="unexpected_answer",
        message=f"{url} answered with status {status} and without a word of the studio's.",
        remedy=remedy,
    )


def not_found(message: str, remedy: str) -> NotFoundError:
    """That a search found nothing."""
    return NotFoundError(
        404, "not_found", [Problem(code="not_found", message=message, remedy=remedy)]
    )

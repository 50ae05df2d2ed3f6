"""Talks to a running installation."""

from __future__ import annotations

import os
from typing import Any, BinaryIO

import httpx2

from app.settings import Settings
from core.errors import Problem, StudioError

_ANY_ADDRESS = ("0.0.0.0", "::")  # noqa: S104 - not listened on here
_TIMEOUT = 300.0
"""Seconds; a large study is checked cell by cell before the answer."""


def api_url(settings: Settings) -> str:
    """`UNISD_API_URL`, or where an installation with these settings listens."""
    given = os.environ.get("UNISD_API_URL", "").rstrip("/")
    if given:
        return given
    host = "127.0.0.1" if settings.host in _ANY_ADDRESS else settings.host
    return f"http://{f'[{host}]' if ':' in host else host}:{settings.port}"


def request(
    settings: Settings,
    method: str,
    path: str,
    body: dict[str, Any] | None = None,
    *,
    params: dict[str, Any] | None = None,
    file: BinaryIO | None = None,
) -> dict[str, Any]:
    """Send a request and return the answer; nothing where it has no body.

    Args:
        settings: of the installation.
        method: of HTTP.
        path: below the installation's address.
        body: sent as JSON.
        params: of the query.
        file: sent as it is, in pieces, instead of `body`; the answer may then take its time.

    Raises:
        StudioError: `api_unreachable`, or the problems that the API answered with.
    """
    headers = {}
    if settings.token is not None:
        headers["Authorization"] = f"Bearer {settings.token.get_secret_value()}"
    url = api_url(settings)
    timeout = httpx2.Timeout(_TIMEOUT if file is None else None, connect=_TIMEOUT)
    try:
        answer = httpx2.request(
            method,
            f"{url}{path}",
            params=params,
            json=body,
            content=file,
            headers=headers,
            timeout=timeout,
        )
        content = answer.json() if answer.content else {}
    except httpx2.HTTPError as error:
        raise _unreachable(url, str(error) or type(error).__name__) from error
    except ValueError as error:
        raise _unreachable(url, f"it answered {answer.status_code} without JSON") from error
    if answer.is_error:
        raise StudioError(*_problems(content))
    found: dict[str, Any] = content
    return found


def _problems(content: dict[str, Any]) -> list[Problem]:
    listed = [Problem.model_validate(problem) for problem in content.get("errors", ())]
    return listed or [
        Problem(
            code=content.get("code", "error"),
            message=str(content.get("detail", content)),
            remedy=content.get("remedy", ""),
        )
    ]


def _unreachable(url: str, reason: str) -> StudioError:
    return StudioError(
        Problem(
            code="api_unreachable",
            message=f"The studio at {url} cannot be asked: {reason}.",
            remedy="Start it with `unisd up`, or set UNISD_API_URL (and UNISD_TOKEN if it needs "
            "one). With --out a study runs here without any server.",
        )
    )

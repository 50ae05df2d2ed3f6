"""Lets requests in: by token, and only from where a browser should be asking.

Three rules, each against one attack. A token, where one is set, is needed for everything under
`/api`. Without a token only connections to a loopback address under a loopback name are taken, so
that neither a wrong `--host` nor a foreign name that resolves to 127.0.0.1 opens the studio. And a
page of another origin cannot change anything, even in a browser that is signed in.
"""

from __future__ import annotations

import hashlib
import hmac
from urllib.parse import urlsplit

from starlette.datastructures import Headers
from starlette.requests import HTTPConnection
from starlette.types import ASGIApp, Receive, Scope, Send

from app.errors import AppError, ForbiddenError, UnauthorizedError, problem_response
from app.settings import Settings, is_loopback

COOKIE = "unisd_session"
_SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})
_OPEN_PATHS = frozenset({"/api/session"})


def session_value(token: str) -> str:
    """What the cookie holds: a digest, so that the token itself is not kept in browsers."""
    return hmac.new(token.encode(), b"unisd-session", hashlib.sha256).hexdigest()


def is_token(settings: Settings, candidate: str) -> bool:
    """Whether this is the configured token."""
    if settings.token is None:
        return True
    return hmac.compare_digest(candidate.encode(), settings.token.get_secret_value().encode())


def is_authenticated(settings: Settings, connection: HTTPConnection) -> bool:
    """Whether a request carries the token, as bearer or as cookie."""
    if settings.token is None:
        return True
    scheme, _, candidate = connection.headers.get("authorization", "").partition(" ")
    if scheme.lower() == "bearer":
        return is_token(settings, candidate.strip())
    cookie = connection.cookies.get(COOKIE, "")
    expected = session_value(settings.token.get_secret_value())
    return hmac.compare_digest(cookie.encode(), expected.encode())


class Guard:
    """ASGI middleware that applies the rules."""

    def __init__(self, app: ASGIApp, settings: Settings) -> None:
        self._app = app
        self._settings = settings

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Refuse a request or pass it on."""
        if scope["type"] == "http":
            try:
                self._check(HTTPConnection(scope))
            except AppError as error:
                response = problem_response(
                    error.status, error.code, error.title, error.detail, error.remedy
                )
                await response(scope, receive, send)
                return
        await self._app(scope, receive, send)

    def _check(self, connection: HTTPConnection) -> None:
        self._check_place(connection)
        self._check_origin(connection.scope["method"], connection.headers)
        path = connection.scope["path"]
        needs_token = path.startswith("/api") and path not in _OPEN_PATHS
        if needs_token and not is_authenticated(self._settings, connection):
            raise UnauthorizedError(
                "This installation needs a token.",
                "Sign in on the page, or send `Authorization: Bearer <token>`.",
            )

    def _check_place(self, connection: HTTPConnection) -> None:
        if self._settings.token is not None:
            return
        server = connection.scope.get("server")
        if server and not is_loopback(server[0]):
            raise ForbiddenError(
                "Without authentication only this machine may ask.", "Set UNISD_TOKEN."
            )
        name = urlsplit(f"//{connection.headers.get('host', '')}").hostname or ""
        if not is_loopback(name) and name not in self._settings.allowed_hosts:
            raise ForbiddenError(
                f"The host name “{name}” is not known here.",
                "Use 127.0.0.1 or localhost, or list the name in UNISD_ALLOWED_HOSTS.",
            )

    def _check_origin(self, method: str, headers: Headers) -> None:
        origin = headers.get("origin")
        if method in _SAFE_METHODS or origin is None:
            return
        if urlsplit(origin).netloc != headers.get("host"):
            raise ForbiddenError(
                f"A page of {origin} may not change anything here.",
                "Use the page that the studio itself serves, at the address in its own link.",
            )

"""Signing in with the installation's token."""

from __future__ import annotations

from fastapi import APIRouter, Request, Response, status
from pydantic import Field

from app.auth.guard import COOKIE, is_authenticated, is_token, session_value
from app.deps import SettingsDep
from app.errors import UnauthorizedError, documented
from app.schemas import Request as RequestBody
from app.schemas import Schema

router = APIRouter(prefix="/session", tags=["session"])
_COOKIE_SECONDS = 30 * 24 * 3600


class SignIn(RequestBody):
    """The token that the administrator set."""

    token: str = Field(min_length=1, max_length=1000)


class Session(Schema):
    """Whether a token is needed, and whether this browser has given it."""

    authentication_required: bool
    authenticated: bool


@router.get("")
def get_session(request: Request, settings: SettingsDep) -> Session:
    """Whether one must sign in."""
    return Session(
        authentication_required=settings.token is not None,
        authenticated=is_authenticated(settings, request),
    )


@router.post("", status_code=status.HTTP_204_NO_CONTENT, responses=documented(401, 422))
def sign_in(request: Request, response: Response, settings: SettingsDep, given: SignIn) -> None:
    """Exchange the token for a cookie."""
    if not is_token(settings, given.token):
        raise UnauthorizedError("The token is wrong.", "Ask whoever set UNISD_TOKEN.")
    if settings.token is None:
        return
    response.set_cookie(
        COOKIE,
        session_value(settings.token.get_secret_value()),
        max_age=_COOKIE_SECONDS,
        httponly=True,
        samesite="strict",
        secure=request.url.scheme == "https",
    )


@router.delete("", status_code=status.HTTP_204_NO_CONTENT)
def sign_out(response: Response) -> None:
    """Forget this browser."""
    response.delete_cookie(COOKIE)

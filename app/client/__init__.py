"""A typed client of the studio's API: `from app.client import Client`.

It needs pydantic, httpx2 and numpy, and neither torch nor a database. See `docs/client.md`.
"""

from app.client.client import Client
from app.client.errors import (
    ApiError,
    ConflictError,
    ForbiddenError,
    InvalidError,
    NotFoundError,
    ServerError,
    TooLargeError,
    UnauthorizedError,
    UnavailableError,
    UnreachableError,
)
from app.client.transport import Patience
from core.errors import Problem

__all__ = [
    "ApiError",
    "Client",
    "ConflictError",
    "ForbiddenError",
    "InvalidError",
    "NotFoundError",
    "Patience",
    "Problem",
    "ServerError",
    "TooLargeError",
    "UnauthorizedError",
    "UnavailableError",
    "UnreachableError",
]

"""Where the studio is, and who asks; from the environment unless it is given."""

from __future__ import annotations

import getpass
import os
from typing import Final

_ANY_ADDRESS: Final = ("0.0.0.0", "::")  # noqa: S104 - not listened on here


def studio_url(given: str | None = None) -> str:
    """`given`, else `UNISD_API_URL`, else where an installation of this environment listens."""
    url = given or os.environ.get("UNISD_API_URL", "")
    if url:
        return url.rstrip("/") if "://" in url else f"http://{url}".rstrip("/")
    host = os.environ.get("UNISD_HOST") or "127.0.0.1"
    host = "127.0.0.1" if host in _ANY_ADDRESS else host
    port = os.environ.get("UNISD_PORT") or "8000"
    return f"http://{f'[{host}]' if ':' in host else host}:{port}"


def actor_name(given: str | None = None) -> str:
    """`given`, else `UNISD_ACTOR`, else the user's name."""
    name = given or os.environ.get("UNISD_ACTOR") or _user()
    return name.strip()[:100]


def _user() -> str:
    try:
        return getpass.getuser()
    except (OSError, KeyError):  # a container may know no name for its user
        return "client"

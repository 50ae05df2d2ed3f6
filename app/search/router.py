"""Route of the search."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query

from app.deps import ReadSession
from app.errors import documented
from app.search import service
from app.search.schemas import Hits

router = APIRouter(prefix="/search", tags=["search"])


@router.get("", responses=documented(422))
def search(
    session: ReadSession,
    q: Annotated[
        str, Query(max_length=200, pattern=r"^[^\x00]*$", description="Text in a name, or an id.")
    ] = "",
    limit: Annotated[int, Query(ge=1, le=50, description="Of each kind at most.")] = 8,
) -> Hits:
    """Runs, data sets, studies and workers by name or identifier; the newest without a text."""
    return Hits(items=service.search(session, q.strip(), limit))

"""Finds what a person means: by identifier, by the beginning of one, or by name."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import Final, Protocol, TypeVar
from urllib.parse import quote

from app.client.errors import ConflictError, not_found
from app.client.paging import each
from app.client.transport import Transport
from app.runs.schemas import RunRow, RunSummary
from core.errors import Problem

_IDENTIFIER: Final = re.compile(r"[0-9a-z]{4,12}")
"""Four letters at least, lest a slip of the finger means some run."""
_SHOWN: Final = 5


class _Named(Protocol):
    id: str
    name: str


_Thing = TypeVar("_Thing", bound=_Named)


def find_run(transport: Transport, reference: str) -> RunSummary:
    """The run that `reference` means; see `Runs.find`."""

    def among(**filters: str) -> Sequence[RunRow]:
        return list(each(transport, "/api/runs", filters, RunRow, 500))

    if _IDENTIFIER.fullmatch(reference):
        found = among(id_prefix=reference)
        exact = [run for run in found if run.id == reference]
        if exact or len(found) == 1:
            return (exact or found)[0]
    else:
        found = []
    named = [run for run in among(q=reference) if run.name == reference] if reference else []
    return only([*found, *named], reference, "run", "`unisd runs list` shows them.")


def find_named(
    things: Callable[[], Sequence[_Thing]], reference: str, kind: str, command: str
) -> _Thing:
    """The one of some things whose identifier is, or begins with, `reference`, or whose name is.

    Raises:
        NotFoundError: there is none.
        ConflictError: several are meant.
    """
    found = list(things())
    exact = [one for one in found if reference in {one.id, one.name}]
    begun = [one for one in found if one.id.startswith(reference)]
    long_enough = _IDENTIFIER.fullmatch(reference) is not None
    remedy = f"`unisd {command} list` shows them."
    return only(exact or (begun if long_enough else []), reference, kind, remedy)


def only(found: Sequence[_Thing], reference: str, kind: str, remedy: str) -> _Thing:
    """The one that was found, or an error that says why there is no such one."""
    if len(found) == 1:
        return found[0]
    if not found:
        raise not_found(f"There is no {kind} “{reference}”.", remedy)
    named = ", ".join(f"{one.id} “{one.name}”" for one in found[:_SHOWN])
    more = f" and {len(found) - _SHOWN} more" if len(found) > _SHOWN else ""
    problem = Problem(
        code="ambiguous",
        message=f"“{reference}” may be each of: {named}{more}.",
        remedy="Give the identifier, or more of it.",
    )
    raise ConflictError(409, problem.code, [problem])


def path(*parts: str | int) -> str:
    """A path of the API; parts may hold any character."""
    return "/api/" + "/".join(quote(str(part), safe="") for part in parts)

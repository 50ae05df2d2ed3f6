"""Refuses what no database of ours can keep: U+0000 in texts."""

from __future__ import annotations

import json
from collections.abc import Iterator

from fastapi import Request

from core.errors import Problem, StudioError

_NUL = "\x00"


async def refuse_nul(request: Request) -> None:
    """Refuse U+0000 in path, query or JSON: PostgreSQL has no such character.

    Raises:
        StudioError: `text_invalid`, with the field of each.
    """
    found = [name for name, value in request.query_params.multi_items() if _NUL in value]
    found += [name for name, value in request.path_params.items() if _NUL in str(value)]
    if request.headers.get("content-type", "").startswith("application/json"):
        body = await request.body()  # read already, and kept
        if rb"\u0000" in body:
            found += _places(json.loads(body), ())
    if found:
        raise StudioError(*(_problem(field) for field in dict.fromkeys(found)))


def _places(value: object, path: tuple[str, ...]) -> Iterator[str]:
    """Dotted paths of the texts that hold one, in values and in names."""
    if isinstance(value, str) and _NUL in value:
        yield ".".join(path)
    elif isinstance(value, dict):
        for name, inner in value.items():
            if _NUL in name:
                yield ".".join((*path, name.replace(_NUL, "�")))
            yield from _places(inner, (*path, name.replace(_NUL, "�")))
    elif isinstance(value, list):
        for number, inner in enumerate(value):
            yield from _places(inner, (*path, str(number)))


def _problem(field: str) -> Problem:
    return Problem(
        code="text_invalid",
        message="The text holds the character U+0000, which cannot be stored.",
        remedy="Remove it.",
        field=field or None,
    )

"""Goes through lists page by page, when somebody asks for more."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final, TypeVar

from pydantic import BaseModel

from app.client.transport import Transport

_Item = TypeVar("_Item", bound=BaseModel)
_PAGE: Final = 200


def plain(given: BaseModel | Mapping[str, Any]) -> dict[str, Any]:
    """What is sent for a model, or for fields that are plain already."""
    return given.model_dump(mode="json") if isinstance(given, BaseModel) else dict(given)


def each(
    transport: Transport,
    path: str,
    params: Mapping[str, Any],
    model: type[_Item],
    most: int | None = None,
    *,
    key: str = "id",
) -> Iterator[_Item]:
    """Every item of a list, asked for as it is read.

    What moves to a later page meanwhile, because something new came before it, is given once.

    Args:
        transport: to the studio.
        path: of the list.
        params: filters and order.
        model: of an item.
        most: items at most; None: all.
        key: fields, with commas, that tell one item from another.
    """
    seen: set[object] = set()
    offset = given = 0
    while most is None or given < most:
        limit = _PAGE if most is None else min(_PAGE, most - given)
        page = transport.get(path, {**params, "limit": limit, "offset": offset})
        for raw in page["items"]:
            identity = tuple(raw[field] for field in key.split(","))
            if identity in seen:
                continue
            seen.add(identity)
            given += 1
            yield model.model_validate(raw)
        offset += len(page["items"])
        if not page["items"] or offset >= page["total"]:
            return

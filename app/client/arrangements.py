"""What a saved view asks of the list of runs. The page keeps it in its address as plain texts."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Final

_ITEM: Final = re.compile(r"(?:\\.|[^;\\])+", re.DOTALL)
_SIGN: Final = re.compile(r"\\(.)", re.DOTALL)
_EXTREME: Final = re.compile(r"@(?:last|min|max)$")


def query_of(search: Mapping[str, str]) -> dict[str, Any]:
    """What `Runs.list` takes, of a view's `search`; what the view leaves open is absent."""
    columns = split(search.get("columns", ""))
    metrics = [_EXTREME.sub("", one) for one in _below("metric:", columns)]
    found: dict[str, Any] = {
        "text": search.get("q"),
        "status": [one for one in search.get("status", "").split(",") if one],
        "filters": split(search.get("filter", "")),
        "sort": search.get("sort"),
        "params": _below("param:", columns),
        "metrics": list(dict.fromkeys(metrics)),
    }
    return {name: value for name, value in found.items() if value}


def split(text: str) -> list[str]:
    r"""Several texts in one: `a;b`, a semicolon inside one as `\;`."""
    return [_SIGN.sub(r"\1", item) for item in _ITEM.findall(text)]


def _below(kind: str, columns: list[str]) -> list[str]:
    return [one.removeprefix(kind) for one in columns if one.startswith(kind)]

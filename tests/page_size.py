"""How much script a browser fetches before the first page stands."""

from __future__ import annotations

import gzip
import re
from pathlib import Path
from typing import NamedTuple

_ENTRY = re.compile(r'(?:src|href)="/(assets/[^"]+\.js)"')
# `import{a}from"./x.js"` and `import"./x.js"`, but not `import("./x.js")`, which waits.
_STATIC = re.compile(r'(?:\bfrom|\bimport)\s*"\./([^"]+\.js)"')


class FirstLoad(NamedTuple):
    """Scripts of the first load and their size as they are sent, in bytes."""

    files: list[str]
    gzip_bytes: int


def first_load(static: Path) -> FirstLoad:
    """What `index.html` of a built page names, and all that these import at once."""
    waiting = [static / path for path in _ENTRY.findall((static / "index.html").read_text())]
    known: set[Path] = set()
    while waiting:
        file = waiting.pop()
        if file in known:
            continue
        known.add(file)
        waiting += [file.parent / name for name in _STATIC.findall(file.read_text())]
    sizes = {file.name: len(gzip.compress(file.read_bytes(), 9, mtime=0)) for file in known}
    return FirstLoad(sorted(sizes), sum(sizes.values()))

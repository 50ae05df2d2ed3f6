"""The first page comes quickly: what a browser must fetch before it stays small."""

from __future__ import annotations

from app.main import STATIC
from tests.page_size import first_load

LIMIT = 180_000


def test_the_first_load_is_small_and_has_no_charts() -> None:
    found = first_load(STATIC)
    assert len(found.files) > 1
    assert found.gzip_bytes < LIMIT, found
    # What only the painter of charts calls: it comes when a chart is first needed.
    with_charts = {
        file.name
        for file in (STATIC / "assets").glob("*.js")
        if ".measureText(" in file.read_text()
    }
    assert with_charts
    assert not with_charts & set(found.files)

"""The first page comes quickly: what a browser must fetch before it stays small."""

from __future__ import annotations

from app.main import STATIC
from tests.page_size import first_load

LIMIT = 180_000


def test_the_first_load_is_small_and_has_no_charts() -> None:
    found = first_load(STATIC)
    assert len(found.files) > 1
    assert found.gzip_bytes < LIMIT, found
    # Plain words of the chart's own code, which a run's page asks for when it is opened.
    scripts = "".join((STATIC / "assets" / name).read_text() for name in found.files)
    assert "Ctrl-wheel" not in scripts
    assert "getContext(" not in scripts

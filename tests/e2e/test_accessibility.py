"""axe over every page with real content, light and dark."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, BrowserContext

from tests.e2e.axe import violations
from tests.e2e.installation import Installation, installation
from tests.e2e.showcase import EMPTY, PAGES, Place, fill, visit
from tests.servers import make_file


@pytest.fixture(scope="module")
def studio(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Installation]:
    """A fresh installation."""
    folder = tmp_path_factory.mktemp("shown")
    url = make_file(folder / "home" / "unisd.sqlite")
    with installation(folder / "home", url) as running:
        running.patience = 600.0  # a busy machine is no failure
        yield running


@pytest.mark.full
@pytest.mark.timeout(1800)
def test_no_page_has_a_serious_violation(
    browser: Browser, studio: Installation, tmp_path: Path, tiny_model: Path
) -> None:
    context = browser.new_context(
        viewport={"width": 1440, "height": 900}, color_scheme="light", reduced_motion="reduce"
    )
    faults = _faults(context, studio.url, {}, EMPTY)
    known = fill(studio, tmp_path, tiny_model, methods=("unisd_star",), steps=4, wait=True)
    faults += _faults(context, studio.url, known, PAGES)
    context.close()
    assert not faults, "\n".join(faults)


def _faults(
    context: BrowserContext, url: str, known: dict[str, str], places: tuple[Place, ...]
) -> list[str]:
    found = []
    for place in places:
        page = context.new_page()
        visit(page, url, known, place)
        found += [f"{place.name}, {one}" for one in violations(page)]
        page.close()
    return found

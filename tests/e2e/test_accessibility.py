"""axe over every page with real content, light and dark."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect

from tests.e2e.axe import violations
from tests.e2e.installation import installation
from tests.e2e.showcase import PAGES, fill
from tests.servers import make_file


@pytest.fixture(scope="module")
def shown(tmp_path_factory: pytest.TempPathFactory, tiny_model: Path) -> Iterator[dict[str, str]]:
    """Addresses of all pages of a filled installation, by their names."""
    folder = tmp_path_factory.mktemp("shown")
    url = make_file(folder / "home" / "unisd.sqlite")
    with installation(folder / "home", url) as studio:
        known = fill(studio, folder, tiny_model, methods=("unisd_star",), steps=4, wait=True)
        yield {"url": studio.url, **known}


@pytest.mark.full
def test_no_page_has_a_serious_violation(browser: Browser, shown: dict[str, str]) -> None:
    found: dict[str, list[str]] = {}
    context = browser.new_context(
        viewport={"width": 1440, "height": 900}, color_scheme="light", reduced_motion="reduce"
    )
    page = context.new_page()
    for name, path, shows in PAGES:
        page.goto(shown["url"] + path.format(**shown))
        text = page.get_by_role("main").get_by_text(shows.format(**shown))
        expect(text.first).to_be_visible()
        page.wait_for_load_state("networkidle")
        found[name] = violations(page)
    for key in ("?", "Control+k"):
        page.keyboard.press(key)
        expect(page.get_by_role("dialog")).to_be_visible()
        found[key] = violations(page)
        page.keyboard.press("Escape")
    context.close()
    faults = [f"{name}, {one}" for name, all_ in found.items() for one in all_]
    assert not faults, "\n".join(faults)

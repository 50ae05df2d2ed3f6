"""axe over every page with real content, light and dark."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from app.migrate import upgrade
from tests.conftest import ROOT
from tests.e2e.installation import installation
from tests.e2e.showcase import PAGES, fill

AXE = ROOT / "frontend" / "node_modules" / "axe-core" / "axe.min.js"
# Colours are all that a scheme changes: the second time they alone are looked at.
_RULES = {
    "light": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"],
    "dark": ["color-contrast"],
}
_RUN = """async (rules) => {
    const found = await axe.run(document, { resultTypes: ["violations"], runOnly: rules });
    return found.violations
        .filter((one) => ["serious", "critical"].includes(one.impact))
        .map((one) => `${one.id}: ${one.help}\\n` + one.nodes.slice(0, 4).map((node) =>
            `    ${node.target.join(" ")}: ${node.failureSummary.split("\\n").slice(1).join(";")}`
        ).join("\\n"));
}"""


@pytest.fixture(scope="module")
def shown(tmp_path_factory: pytest.TempPathFactory, tiny_model: Path) -> Iterator[dict[str, str]]:
    """Addresses of all pages of a filled installation, by their names."""
    folder = tmp_path_factory.mktemp("shown")
    url = f"sqlite:///{folder / 'home' / 'unisd.sqlite'}"
    upgrade(url)
    with installation(folder / "home", url) as studio:
        known = fill(studio, folder, tiny_model, methods=("unisd_star",), steps=4, wait=False)
        yield {"url": studio.url, **known}


def violations(page: Page) -> dict[str, list[str]]:
    """What axe finds serious or critical on a page as it stands, in each scheme."""
    page.evaluate(AXE.read_text())
    found: dict[str, list[str]] = {}
    for scheme, rules in _RULES.items():
        page.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]
        expect(page.locator("html")).to_have_attribute("data-theme", scheme)
        found[scheme] = page.evaluate(_RUN, rules)
    return found


# One test for all: a second process would fill an installation of its own.
def test_no_page_has_a_serious_violation(browser: Browser, shown: dict[str, str]) -> None:
    found: dict[str, dict[str, list[str]]] = {}
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
    faults = {name: one for name, one in found.items() if any(one.values())}
    assert not faults, _told(faults)


def _told(faults: dict[str, dict[str, list[str]]]) -> str:
    lines = []
    for name, schemes in faults.items():
        lines += [f"{name}, {scheme}: {one}" for scheme, all_ in schemes.items() for one in all_]
    return "\n".join(lines)

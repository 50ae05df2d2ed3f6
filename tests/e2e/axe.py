"""axe on a page as it stands, light and dark."""

from __future__ import annotations

from playwright.sync_api import Page, expect

from tests.conftest import ROOT

_AXE = ROOT / "frontend" / "node_modules" / "axe-core" / "axe.min.js"
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


def violations(page: Page) -> list[str]:
    """What is serious or critical, once for each scheme; the light one stays."""
    page.evaluate(_AXE.read_text())
    found: list[str] = []
    for scheme, rules in reversed(_RULES.items()):
        page.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]
        expect(page.locator("html")).to_have_attribute("data-theme", scheme)
        page.wait_for_function(
            "document.getAnimations().every((one) => one.playState !== 'running' "
            "|| one instanceof CSSAnimation)"
        )
        found += [f"{scheme}: {one}" for one in page.evaluate(_RUN, rules)]
    return found

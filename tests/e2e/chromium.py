"""The browser that tests, pictures and measures of the page use."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from playwright.sync_api import Browser, expect, sync_playwright

PATIENCE_MS = 60_000
"""A busy machine is no failure."""
expect.set_options(timeout=PATIENCE_MS)

_SWITCHES = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
]


@contextmanager
def chromium(switches: Sequence[str] = ()) -> Iterator[Browser]:
    """A Chromium without a window, ended whatever happens."""
    path = os.environ.get("UNISD_CHROMIUM") or shutil.which("chromium")
    assert path, "no Chromium: `make test` finds or installs one and sets UNISD_CHROMIUM"
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=[*_SWITCHES, *switches])
        yield browser
        browser.close()

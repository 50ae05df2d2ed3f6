"""Whole installations on both databases, and a model small enough to train in seconds."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page

from tests.e2e.chromium import PATIENCE_MS, chromium
from tests.e2e.installation import Installation, installation
from tests.servers import make_file, migrated_database
from tests.worker.trainer.tiny import make_tiny_model


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """A real Chromium."""
    with chromium() as running:
        yield running


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    """A page of its own, on which no script fails."""
    context = browser.new_context(viewport={"width": 1440, "height": 900})
    page = context.new_page()
    page.set_default_timeout(PATIENCE_MS)
    mistakes: list[str] = []
    page.on("pageerror", lambda error: mistakes.append(str(error)))
    yield page
    context.close()
    assert not mistakes


@pytest.fixture
def plain_studio(kept_studio: Installation) -> Iterator[Installation]:
    """An installation for tests of the page; afterwards nothing runs or waits there."""
    yield kept_studio
    post = kept_studio.http.post
    post("/api/queues/gpu/pause").raise_for_status()
    active = {"status": ["queued", "starting", "running"], "limit": 100}
    for run in kept_studio.http.get("/api/runs", params=active).json()["items"]:
        if post(f"/api/runs/{run['id']}/cancel").is_error:  # it has started
            post(f"/api/runs/{run['id']}/stop", json={"mode": "discard"}).raise_for_status()
    post("/api/queues/gpu/resume").raise_for_status()


@pytest.fixture(scope="session")
def kept_studio(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Installation]:
    """One installation for many tests: starting it takes longer than most of them."""
    home = tmp_path_factory.mktemp("home")
    url = make_file(home / "unisd.sqlite")
    with installation(home, url) as running:
        yield running


@pytest.fixture(scope="session")
def tiny_model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A random model with a tokenizer and a chat template."""
    return make_tiny_model(tmp_path_factory.mktemp("model") / "tiny")


@pytest.fixture(params=[pytest.param("sqlite", marks=pytest.mark.full), "postgresql"])
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """A migrated database; ordinarily the one that can be lost, as a team has it.

    What differs between the two is tested without whole installations.
    """
    with migrated_database(
        request.param, tmp_path / "home", lambda: str(request.getfixturevalue("postgresql"))
    ) as url:
        yield url


@pytest.fixture
def studio(tmp_path: Path, database_url: str) -> Iterator[Installation]:
    """A running installation."""
    with installation(tmp_path / "home", database_url) as running:
        yield running


@pytest.fixture(
    scope="module", params=[pytest.param("sqlite", marks=pytest.mark.full), "postgresql"]
)
def shared_studio(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Installation]:
    """A running installation for tests that leave all its parts alive and no run unended."""
    home = tmp_path_factory.mktemp("shared") / "home"
    with (
        migrated_database(
            request.param, home, lambda: str(request.getfixturevalue("postgresql"))
        ) as url,
        installation(home, url) as running,
    ):
        yield running


@pytest.fixture
def config(tmp_path: Path, tiny_model: Path) -> dict[str, Any]:
    """A run of some hundred quick steps."""
    data = tmp_path / "examples.jsonl"
    rows = [{"question": f"What is {n} + 1?", "answer": str(n + 1)} for n in range(64)]
    data.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return {
        "model": {"name": str(tiny_model), "dtype": "float32", "lora": {"rank": 4}},
        "data": {"path": str(data)},
        "training": {"max_steps": 40, "batch_size": 2, "gradient_accumulation_steps": 1},
        "generation": {"max_completion_length": 8},
        "recording": {"every_steps": 5, "pinned_every_steps": 20},
    }

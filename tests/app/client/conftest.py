"""A real server process's worth of studio, and a client of it."""

from __future__ import annotations

import pytest

from app.client import Client, Patience
from tests.live import serving

QUICK = Patience(retries=4, first_seconds=0.01, longest_seconds=0.2)


@pytest.fixture
def port(settings):
    with serving(settings) as port:
        yield port


@pytest.fixture
def studio(port):
    with Client(f"http://127.0.0.1:{port}", actor="Ada", patience=QUICK) as studio:
        yield studio

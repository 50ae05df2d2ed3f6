"""The command line sees a database only through the API, which is tested on both."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.servers import migrated_database


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.full)])
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """A migrated database; ordinarily the one that is there at once."""
    with migrated_database(
        request.param, tmp_path / "home", lambda: str(request.getfixturevalue("postgresql"))
    ) as url:
        yield url

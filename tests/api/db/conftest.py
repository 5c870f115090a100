"""Fixtures for the tests of databases."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.postgres import postgres_database


@pytest.fixture(params=["sqlite", "postgresql"])
def own_url(request: pytest.FixtureRequest, tmp_path: Path, worker: str) -> Iterator[str]:
    """An empty database of this test's own."""
    if request.param == "sqlite":
        yield f"sqlite:///{tmp_path}/own.db"
        return
    server = request.getfixturevalue("postgres_url").rpartition("/")[0] + "/postgres"
    with postgres_database(server, f"{worker}backup") as url:
        yield url

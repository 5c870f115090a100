"""Fixtures for the tests of databases."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.databases import empty_database


@pytest.fixture(params=["sqlite", "postgresql"])
def own_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """An empty database of this test's own."""
    with empty_database(request.param, request, tmp_path) as url:
        yield url

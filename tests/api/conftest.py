"""Fixtures for the tests of the service."""

from collections.abc import Iterator

import pytest

from tests.support.databases import empty_database
from tests.support.lived import Lived, lived_service


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def lived(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lived]:
    """A service on a clock that the test moves, on a database of its own, once for each kind of database."""
    folder = tmp_path_factory.mktemp("lived")
    with empty_database(request.param, request, folder) as url, lived_service(folder, url) as running:
        yield running

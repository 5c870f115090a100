"""Fixtures for the tests of the admin."""

from collections.abc import Iterator

import pytest

from tests.actors.admin import Admin, administered
from tests.support.serving import Server


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def served(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A service whose admin may log in."""
    with administered(request, tmp_path_factory.mktemp("admin")) as running:
        yield running


@pytest.fixture
def admin(served: Server) -> Admin:
    """A logged-in operator."""
    made = Admin(served)
    assert made.sign_in().status_code == 200
    return made

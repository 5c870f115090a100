"""An export is a process that the service starts, and its files lie where the service runs: here it is one, too."""

from collections.abc import Iterator

import pytest

from tests.support.databases import url_of
from tests.support.serving import Server, service


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def stored(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """The service in a process of its own, once for each kind of database."""
    folder = tmp_path_factory.mktemp("exports")
    with service(folder, {"DATABASE_URL": url_of(request, folder)}) as started:
        yield started

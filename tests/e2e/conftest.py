"""Fixtures for the tests of the whole service."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser

from tests.support.browsing import chromium_browser
from tests.support.databases import empty_database
from tests.support.pair import Pair
from tests.support.serving import Server, service


@pytest.fixture(scope="module")
def browser(chromium: str, postgres_url: str) -> Iterator[Browser]:  # noqa: ARG001 - created first
    """Chromium. While it is open, Playwright's event loop runs in this thread, so nothing with a loop of its own, such
    as a database, can be created.
    """
    with chromium_browser(chromium) as started:
        yield started


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def pair(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Pair]:
    folder = tmp_path_factory.mktemp("pair")
    with empty_database(request.param, request, folder) as url:
        environment = {"DATABASE_URL": url}
        with service(folder, environment) as first, service(folder, environment) as second:
            yield Pair((first, second), url)


@pytest.fixture
def stored(stored_server: Server) -> Server:
    """The service at a socket, for browsers, shells and load."""
    return stored_server

"""A browser for a module's tests."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser

from tests.support.chromium import chromium_browser


@pytest.fixture(scope="module")
def browser(chromium: str, postgres_url: str) -> Iterator[Browser]:  # noqa: ARG001 - created first
    """Chromium. While it is open, Playwright's event loop runs in this thread, so nothing with a loop of its own, such
    as a database, can be created.
    """
    with chromium_browser(chromium) as started:
        yield started

"""A browser for a module's tests."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser

from tests.e2e.browser import chromium_browser


@pytest.fixture(scope="module")
def browser(chromium: str, postgres_url: str) -> Iterator[Browser]:  # noqa: ARG001 - made before
    """Chromium. While it is open Playwright's event loop runs in this thread, and nothing that runs one of its own can
    be made, such as a database."""
    with chromium_browser(chromium) as started:
        yield started

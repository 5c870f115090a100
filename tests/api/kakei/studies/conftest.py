"""Fixtures for the tests of studies."""

import secrets
from datetime import UTC, datetime

import pytest

from tests.support.lived import Lived


@pytest.fixture
def study(lived: Lived) -> str:
    """A study of its own, begun now on the test's clock (commands have the machine's)."""
    lived.clock.now = datetime(2027, 3, 1, 9, tzinfo=UTC)  # a Monday, after the machine's own today
    version = f"study-{secrets.token_hex(4)}"
    lived.buddy("study", "start", version)
    return version

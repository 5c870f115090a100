"""What every test can ask for. How the services are found and started is in tests/services.py."""

import os
from collections.abc import Iterator

import pytest

from tests import services


@pytest.fixture(scope="session")
def worker() -> str:
    """This process among those of pytest-xdist."""
    return os.environ.get("PYTEST_XDIST_WORKER", "main")


@pytest.fixture(scope="session")
def postgres_url(worker: str) -> Iterator[str]:
    """`postgresql://user@host:port/name` of an empty database of this session's own."""
    try:
        with services.postgres_server(os.environ) as server, services.postgres_database(server, worker) as url:
            yield url
    except services.ServiceMissing as missing:
        services.unavailable(missing, os.environ)


@pytest.fixture(scope="session")
def redis_url() -> Iterator[str]:
    """`redis://host:port/number` of an empty database of this session's own."""
    try:
        with services.redis_server(os.environ) as server, services.redis_database(server) as url:
            yield url
    except services.ServiceMissing as missing:
        services.unavailable(missing, os.environ)


@pytest.fixture(scope="session")
def chromium() -> str:
    """The path of a Chromium for playwright's `executable_path`."""
    try:
        return services.find_chromium(os.environ)
    except services.ServiceMissing as missing:
        services.unavailable(missing, os.environ)

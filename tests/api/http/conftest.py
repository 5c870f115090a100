"""Services with short and with long deadlines, for tests over bare sockets."""

import resource
from collections.abc import Iterator

import pytest

from tests.support.connections import CROWD, QUICK, ROOM
from tests.support.serving import Server, service


def allow_files(number: int) -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft < number:
        resource.setrlimit(resource.RLIMIT_NOFILE, (number, hard))


@pytest.fixture(scope="module")
def quick(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """Deadlines of some tenths of a second."""
    allow_files(2 * CROWD + 500)
    with service(tmp_path_factory.mktemp("quick"), QUICK) as running:
        yield running


@pytest.fixture(scope="module")
def patient(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """Long deadlines, which no test waits for, and a low limit on connections."""
    settings = {"HTTP_CONNECTIONS": str(ROOM), "LOG_LEVEL": "warning", "TRUSTED_PROXIES": ""}
    with service(tmp_path_factory.mktemp("patient"), settings) as running:
        yield running


@pytest.fixture(scope="module")
def proxied(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """The same behind a proxy at 127.0.0.1."""
    settings = {"HTTP_CONNECTIONS": str(ROOM), "LOG_LEVEL": "warning"}
    with service(tmp_path_factory.mktemp("proxied"), settings) as running:
        yield running

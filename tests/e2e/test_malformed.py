"""Two thousand malformed requests over bare sockets: none gets a 5xx, and the service still works afterwards.
The seed is printed, and `MALFORMED_SEED` repeats a run.

"""

import contextlib
import os
import random
import secrets
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from api.kakei.coach.schemas import EXAMPLE_CONTEXT
from tests.actors.family import Family
from tests.actors.person import Person
from tests.support.malformed import Maker
from tests.support.rawhttp import STATUS, connected, open_sockets, port_of, resident_bytes
from tests.support.serving import CLIENT, Server, service

pytestmark = pytest.mark.long

REQUESTS = 2_000
AT_ONCE = 32
GROWTH_BYTES = 96 * 2**20
"""Allowed growth of the process: threads, pages of the database, counts."""
QUIET_SECONDS = 20.0
SEED = "MALFORMED_SEED"


def statuses(port: int, sent: bytes) -> list[int]:
    """Send, and read until the service closes the connection at one of its deadlines."""
    with contextlib.closing(connected(port)) as connection:
        connection.settimeout(QUIET_SECONDS)
        content = b""
        try:
            connection.sendall(sent)
            while part := connection.recv(65536):
                content += part
        except TimeoutError:
            raise AssertionError(f"neither answered nor closed: {sent[:500]!r}") from None
        except OSError:
            pass
        return [int(status) for status in STATUS.findall(content)]


@pytest.fixture(params=["sqlite", "postgresql"])
def hurried(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Server]:
    """A service with short deadlines, on each database."""
    url = f"sqlite:///{tmp_path}/buddy.db" if request.param == "sqlite" else request.getfixturevalue("postgres_url")
    seconds = {"HTTP_HEAD_SECONDS": "0.4", "HTTP_BODY_SECONDS": "0.4", "HTTP_IDLE_SECONDS": "0.3"}
    with service(tmp_path, seconds | {"DATABASE_URL": url, "ADMIN_PASSWORD": "a long one for the admin"}) as running:
        yield running


@pytest.fixture
def seed() -> int:
    chosen = int(os.environ.get(SEED, secrets.randbelow(2**32)))
    print(f"{SEED}={chosen}")
    return chosen


def test_two_thousand_malformed_requests_are_no_5xx(hurried: Server, seed: int) -> None:
    person, family = Person(hurried), Family(hurried)
    make: Callable[[], bytes] = Maker(random.Random(seed), person.uuid, family.token).request
    requests = [make() for _ in range(REQUESTS)]
    port, pid = port_of(hurried.url), hurried.process.pid
    before = resident_bytes(pid)
    wrong, answered = [], 0
    with ThreadPoolExecutor(AT_ONCE) as pool:
        for sent, told in zip(requests, pool.map(lambda sent: statuses(port, sent), requests), strict=True):
            answered += bool(told)
            wrong += [(status, sent) for status in told if status >= 500]
    assert not wrong, (seed, wrong[:3])
    assert answered > REQUESTS / 2, "most were not answered at all"
    assert "unforeseen error" not in hurried.log()
    assert resident_bytes(pid) - before < GROWTH_BYTES
    assert open_sockets(pid) < 100
    asked = CLIENT.post(f"{hurried.url}/coach/suggestions", json=EXAMPLE_CONTEXT)
    assert asked.status_code == 200
    assert person.get("/points").status_code == family.ask("GET", "/me").status_code == 200

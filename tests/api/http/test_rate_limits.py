"""Rate limits by address and by user, shared between processes through Redis, and still active without Redis."""

import asyncio
import itertools
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from limits import parse

from api.http.rate_limits import NEW_USERS_PER_ADDRESS, RateLimits
from tests.support.local_servers import free_port
from tests.support.serving import CLIENT, Service, service

ALLOWED = NEW_USERS_PER_ADDRESS.amount
MORE = 1.5


def create(running: Service, address: str) -> httpx.Response:
    return CLIENT.post(f"{running.url}/api/users", json={}, headers={"X-Forwarded-For": address})


def passed_before_a_limit(*services: Service, addresses: Iterator[str]) -> tuple[int, httpx.Response]:
    """How many users could be created in turn, and the answer that ended it. A window that slides on meanwhile may let
    a few more pass than the limit says, never fewer."""
    for number, address in zip(range(2 * ALLOWED), addresses, strict=False):
        answer = create(services[number % len(services)], address)
        if answer.status_code != 201:
            return number, answer
    raise AssertionError("no limit was met")


def test_new_users_are_limited_by_address_and_told_when_to_come_back(tmp_path: Path) -> None:
    with service(tmp_path) as running:
        passed, refused = passed_before_a_limit(running, addresses=itertools.repeat("10.0.0.1"))
        assert ALLOWED <= passed <= ALLOWED * MORE
        assert (refused.status_code, refused.json()["code"]) == (429, "too_many_requests")
        assert 1 <= int(refused.headers["retry-after"]) <= 60
        assert create(running, "10.0.0.2").status_code == 201
        assert CLIENT.post(f"{running.url}/coach/suggestions", json={}).status_code == 422  # the coach counts no one


def test_two_processes_share_one_count_through_redis(redis_url: str, tmp_path: Path) -> None:
    environment = {"REDIS_URL": redis_url}
    with service(tmp_path, environment) as one, service(tmp_path, environment) as other:
        passed, refused = passed_before_a_limit(one, other, addresses=itertools.repeat("10.1.0.1"))
        assert ALLOWED <= passed <= ALLOWED * MORE
        assert refused.status_code == 429


def test_without_redis_each_process_counts_for_itself_and_says_so(tmp_path: Path) -> None:
    with service(tmp_path, {"REDIS_URL": f"redis://127.0.0.1:{free_port()}/0"}) as running:
        passed, refused = passed_before_a_limit(running, addresses=itertools.repeat("10.2.0.1"))
        assert ALLOWED <= passed <= ALLOWED * MORE
        assert refused.status_code == 429
        assert running.log().count("Redis is away") >= 1


def test_no_one_is_believed_who_is_no_trusted_proxy(tmp_path: Path) -> None:
    with service(tmp_path, {"TRUSTED_PROXIES": ""}) as running:
        addresses = (f"10.3.{number // 250}.{1 + number % 250}" for number in itertools.count())
        _, refused = passed_before_a_limit(running, addresses=addresses)
        assert refused.status_code == 429


@pytest.mark.parametrize("amount", [1, 7])
def test_a_window_lets_exactly_so_many_pass(amount: int) -> None:
    async def passed() -> int:
        limits = RateLimits(None)
        waits = [await limits.seconds_to_wait(parse(f"{amount}/hour"), "someone") for _ in range(amount + 5)]
        assert all(wait is None or wait >= 1 for wait in waits)
        return waits.count(None)

    assert asyncio.run(passed()) == amount

"""Rate limits: by address and by user, shared between processes through Redis, and still there when Redis is not."""

import asyncio
from pathlib import Path

import httpx
import pytest
from limits import parse

from api.limits import NEW_USERS_PER_ADDRESS, RateLimits
from tests.services import free_port
from tests.serving import Service, service

ALLOWED = NEW_USERS_PER_ADDRESS.amount


def create(running: Service, address: str) -> httpx.Response:
    return httpx.post(f"{running.url}/api/users", json={}, headers={"X-Forwarded-For": address})


def created_of(count: int, *services: Service, address: str) -> list[httpx.Response]:
    return [create(services[number % len(services)], address) for number in range(count)]


def test_new_users_are_limited_by_address_and_told_when_to_come_back(tmp_path: Path) -> None:
    with service(tmp_path) as running:
        answers = created_of(ALLOWED + 3, running, address="10.0.0.1")
        assert [answer.status_code for answer in answers] == [201] * ALLOWED + [429] * 3
        assert answers[-1].json()["code"] == "too_many_requests"
        assert 1 <= int(answers[-1].headers["retry-after"]) <= 60
        assert create(running, "10.0.0.2").status_code == 201
        assert httpx.post(f"{running.url}/coach/suggestions", json={}).status_code == 422  # the coach counts nobody


def test_two_processes_share_one_count_through_redis(redis_url: str, tmp_path: Path) -> None:
    environment = {"REDIS_URL": redis_url}
    with service(tmp_path, environment) as one, service(tmp_path, environment) as other:
        answers = created_of(ALLOWED + 4, one, other, address="10.1.0.1")
        assert [answer.status_code for answer in answers] == [201] * ALLOWED + [429] * 4


def test_without_redis_each_process_counts_for_itself_and_says_so(tmp_path: Path) -> None:
    with service(tmp_path, {"REDIS_URL": f"redis://127.0.0.1:{free_port()}/0"}) as running:
        answers = created_of(ALLOWED + 1, running, address="10.2.0.1")
        assert [answer.status_code for answer in answers] == [201] * ALLOWED + [429]
        assert running.log().count("Redis is away") >= 1


def test_nobody_is_believed_who_is_no_trusted_proxy(tmp_path: Path) -> None:
    with service(tmp_path, {"TRUSTED_PROXIES": ""}) as running:
        answers = [create(running, f"10.3.0.{number}") for number in range(1, ALLOWED + 2)]
        assert answers[-1].status_code == 429


@pytest.mark.parametrize("amount", [1, 7])
def test_a_window_lets_exactly_so_many_pass(amount: int) -> None:
    async def passed() -> int:
        limits = RateLimits(None)
        waits = [await limits.seconds_to_wait(parse(f"{amount}/hour"), "someone") for _ in range(amount + 5)]
        assert all(wait is None or wait >= 1 for wait in waits)
        return waits.count(None)

    assert asyncio.run(passed()) == amount

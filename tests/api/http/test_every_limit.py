"""Every operation of both apps is limited or documents that it is not; each documented limit can be reached."""

import asyncio
import re
import secrets
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx
import pytest
from fastapi import FastAPI
from limits import parse
from starlette.middleware.cors import CORSMiddleware

from api.app import create_app
from api.app_state import Services, part_of
from api.db import migrate
from api.db.budget import RequestBudget
from api.db.engine import open_database
from api.http import rate_limits
from api.http.cacheable import CacheableMiddleware
from api.http.counts import WeightedCounts
from api.http.fast_path import FastPathMiddleware
from api.http.head import HeadMiddleware
from api.http.rate_limits import RateLimitMiddleware, RateLimits
from api.http.request_body import RequestBodyMiddleware
from api.kakei.coach.fast_path import CoachFastPath
from api.kinderbud import rate_limits as kinderbud_limits
from api.kinderbud.app import create_kinderbud
from api.kinderbud.auth import new_token
from api.kinderbud.rate_limits import TokenLimits
from api.observability.telemetry import TelemetryMiddleware
from api.settings import Settings
from tests.actors.family import Family
from tests.support.serving import CLIENT, Service

NOT_LIMITED = {"/", "/health/live", "/health/ready", "/metrics"}
UNDOCUMENTED = ["/docs", "/openapi.json", "/docs/assets/swagger-ui.css", "/admin", "/family/login", "/family/static/x"]
FEW = 2


@pytest.fixture(params=["sqlite", "postgresql"])
def settings(request: pytest.FixtureRequest, tmp_path: Path) -> Settings:
    url = f"sqlite:///{tmp_path}/buddy.db" if request.param == "sqlite" else request.getfixturevalue("postgres_url")
    return prepared(url)


def prepared(url: str) -> Settings:
    """Settings of a service whose database is ready."""
    settings = Settings(
        database_url=url, secret_key="a secret for tests that is long enough", cors_origins=("https://x",)
    )

    async def prepare() -> None:
        database = open_database(url)
        await migrate.prepare(database)
        await database.close()

    asyncio.run(prepare())
    return settings


@pytest.fixture
def few(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every limit is two per minute; limits that apply to the same request stay different."""
    for module, names in (
        (rate_limits, ["NEW_USERS_PER_ADDRESS", "BATCHES_PER_ADDRESS", "EXPORTS_PER_ADDRESS", "READS_PER_ADDRESS"]),
        (rate_limits, ["REQUESTS_PER_USER"]),
        (kinderbud_limits, ["READ", "WRITE", "CHAT"]),
    ):
        for name in names:
            monkeypatch.setattr(module, name, parse(f"{FEW}/minute"))


@asynccontextmanager
async def started(app: FastAPI) -> AsyncIterator[FastAPI]:
    async with app.router.lifespan_context(app):
        yield app


def operations(document: dict[str, Any]) -> Iterator[tuple[str, str, dict[str, Any]]]:
    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            yield method.upper(), path, operation


async def answers(app: FastAPI, method: str, path: str, **headers: str) -> list[httpx.Response]:
    """The answer to a client with its own address after one request too many."""
    address = f"10.{secrets.randbelow(256)}.{secrets.randbelow(256)}.{secrets.randbelow(256)}"
    transport = httpx.ASGITransport(app, raise_app_exceptions=False, client=(address, 1))
    async with httpx.AsyncClient(transport=transport, base_url="http://buddy", headers=headers) as client:
        return [await client.request(method, path) for _ in range(FEW + 1)]


def filled(path: str) -> str:
    """The path with values of its own, which nothing has."""
    return re.sub(r"{(\w+)}", lambda name: secrets.token_hex(8) if "uuid" in name[1] else "987654321", path)


@pytest.mark.usefixtures("few")
def test_every_operation_is_limited_as_documented_or_not_at_all(settings: Settings) -> None:
    async def run() -> None:
        async with started(create_app(settings)) as app:
            for method, path, operation in operations(app.openapi()):
                headers = {"X-User-UUID": secrets.token_hex(8)} if path == "/coach/suggestions" else {}
                told = await answers(app, method, filled(path), **headers)
                limited = [answer.status_code for answer in told].count(429)
                assert limited == ("429" in operation["responses"]), f"{method} {path}"
                assert bool(limited) == (path not in NOT_LIMITED)
                assert ("Not rate limited." in operation["description"]) == (path in NOT_LIMITED), path
                if limited:
                    assert told[-1].json()["code"] == "too_many_requests"
                    assert 1 <= int(told[-1].headers["Retry-After"]) <= 60

    asyncio.run(run())


@pytest.mark.usefixtures("few")
def test_what_no_document_names_is_limited_too(settings: Settings) -> None:
    async def run() -> None:
        async with started(create_app(settings)) as app:
            for path in [*UNDOCUMENTED, "/nothing", "/api/v1", "/coach/model/nothing"]:
                for method in ("GET", "HEAD", "POST"):
                    told = await answers(app, method, path)
                    assert [answer.status_code == 429 for answer in told] == [False, False, True], f"{method} {path}"

    asyncio.run(run())


def test_pages_are_counted_by_two_numbers_an_address(settings: Settings) -> None:
    """Exact counts store the time of every hit: at 6,000 a minute, what one address asks for takes 48 kB."""

    async def run() -> None:
        async with started(create_app(settings)) as app:
            assert {one.status_code for one in await answers(app, "GET", "/family/login")} == {200}
            services = part_of(app, Services)
            assert isinstance(services.page_limits.own, WeightedCounts)
            assert len(services.page_limits.own) == 1
            assert len(services.attempts.limits.own) == 0

    asyncio.run(run())


@pytest.mark.usefixtures("few")
def test_every_operation_of_kinderbud_is_limited_with_and_without_a_token(settings: Settings) -> None:
    async def run() -> None:
        async with started(create_app(settings)) as app:
            for method, path, operation in operations(create_kinderbud(app).openapi()):
                assert "429" in operation["responses"]
                for headers in ({}, {"Authorization": f"Bearer {new_token()}"}):
                    told = await answers(app, method, "/api/v1" + filled(path), **headers)
                    assert [answer.status_code == 429 for answer in told] == [False, False, True], f"{method} {path}"
                    assert told[-1].json()["code"] == "RATE_LIMITED"
                    assert int(told[-1].headers["Retry-After"]) >= 1
                    assert [answer.headers["X-RateLimit-Remaining"] for answer in told] == ["1", "0", "0"]

    asyncio.run(run())


@pytest.mark.usefixtures("few")
def test_an_anonymous_decision_of_the_coach_is_not_limited(settings: Settings) -> None:
    async def run() -> None:
        async with started(create_app(settings)) as app:
            told = await answers(app, "POST", "/coach/suggestions")
            assert [answer.status_code for answer in told] == [422] * 3
            user = str(uuid4())  # any other id is counted for each network
            for path in ("/coach/suggestions", "/coach/suggestions/"):
                told = await answers(app, "POST", path, **{"X-User-UUID": user})
            assert [answer.status_code for answer in told] == [429] * 3, "the count of a user goes on elsewhere"

    asyncio.run(run())


def test_the_limits_stand_outside_of_everything_that_works(settings: Settings) -> None:
    """The first is the outermost. The fast path writes, so it must be inside the limits and the database's budget;
    `CoachFastPath` outside of all answers only anonymous questions, which write nothing. Bodies are limited for all
    routes. Each answer, including refusals, has CORS headers, an id and a log line."""
    app = create_app(settings)
    assert isinstance(app.middleware_stack, CoachFastPath)
    order: list[object] = [middleware.cls for middleware in app.user_middleware]
    assert order == [
        TelemetryMiddleware,
        CORSMiddleware,
        RateLimitMiddleware,
        RequestBudget,
        FastPathMiddleware,
        HeadMiddleware,
        RequestBodyMiddleware,
        CacheableMiddleware,
    ]


@pytest.mark.long
def test_random_tokens_and_ids_leave_no_count_each(tmp_path: Path) -> None:
    """Ten thousand invented tokens from one address create two counts. As many ids and lines of an IPv6 network create
    no more counts than the maximum."""
    reached = 0
    prepared_url = f"sqlite:///{tmp_path}/buddy.db"
    prepared(prepared_url)

    async def app(*_: Any) -> None:
        nonlocal reached
        reached += 1

    async def run() -> None:
        database = open_database(prepared_url)
        tokens = TokenLimits(app, database, RateLimits(None, exact=True), RateLimits(None))
        limited = RateLimitMiddleware(app, RateLimits(None))
        limited.limits.own = WeightedCounts(1_000)
        scope = {"type": "http", "method": "GET", "path": "/me", "client": ("10.0.0.1", 1), "request_id": "1"}

        async def nothing(*_: Any) -> Any:
            return {"type": "http.request"}

        for number in range(10_000):
            shown = [(b"authorization", f"Bearer {new_token()}".encode())]
            await tokens({**scope, "headers": shown}, nothing, nothing)
            network = f"2001:db8:0:{number:x}::1"  # a /48 has so many lines
            path = f"/api/users/{secrets.token_hex(16)}"
            await limited({**scope, "path": path, "client": (network, 1), "headers": []}, nothing, nothing)
        assert len(tokens.limits.own) == len(tokens.addresses.own) == 1
        assert len(limited.limits.own) == 1_000
        await database.close()

    asyncio.run(run())
    assert reached >= 10_000


def test_a_token_is_counted_by_itself_and_random_ones_by_their_address(stored: Service) -> None:
    """A family's token is not refused when another client behind the same address invents tokens."""
    family = Family(stored)
    here = {"X-Forwarded-For": f"10.66.{secrets.randbelow(256)}.{secrets.randbelow(256)}"}
    url = f"{stored.url}/api/v1/me"
    amount = kinderbud_limits.READ.amount
    told = [CLIENT.get(url, headers=here | {"Authorization": f"Bearer {new_token()}"}) for _ in range(amount + 1)]
    assert [answer.status_code for answer in told] == [401] * amount + [429]
    own = CLIENT.get(url, headers=here | {"Authorization": f"Bearer {family.token}"})
    assert (own.status_code, own.headers["X-RateLimit-Remaining"]) == (200, str(amount - 1))


class Asking:
    """A limiter of the library's, which asks Redis once in each of these; counts how often."""

    def __init__(self, limiter: Any) -> None:
        self.limiter = limiter
        self.times = 0

    async def hit(self, *told: Any) -> Any:
        self.times += 1
        return await self.limiter.hit(*told)

    async def get_window_stats(self, *told: Any) -> Any:
        self.times += 1
        return await self.limiter.get_window_stats(*told)


async def nothing(*_: Any) -> Any:
    return {"type": "http.request"}


def test_a_request_that_may_go_on_asks_redis_once_for_each_count(redis_url: str) -> None:
    async def asked(path: str) -> int:
        limited = RateLimitMiddleware(nothing, RateLimits(redis_url))
        asking = Asking(limited.limits._shared)
        limited.limits._shared = asking  # type: ignore[assignment]
        address = (f"10.9.{secrets.randbelow(256)}.{secrets.randbelow(256)}", 1)
        scope = {"type": "http", "method": "GET", "path": path, "client": address, "headers": []}
        await limited(scope, nothing, nothing)
        await asking.limiter.storage.bridge.storage.aclose()
        return asking.times

    for path, times in (
        *(("/health/live", 0), ("/templates", 0), ("/admin", 0), ("/coach/suggestions/batch", 1)),
        ("/api/users/one/points", 2),  # the address, and the user
    ):
        assert asyncio.run(asked(path)) == times, path

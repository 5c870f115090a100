"""A PostgreSQL that refuses every connection in its own words: what works beside requests goes on, and requests are
answered. asyncpg raises these errors itself, and SQLAlchemy does not translate them."""

import asyncio
from datetime import UTC, datetime
from typing import Any

import asyncpg
import pytest

from api.auth.mail import WORKERS, Mail, Mailer
from api.database_url import PostgresUrl, read_url
from api.db import service_lock
from api.db.engine import open_database
from api.http.rate_limits import RateLimits
from api.kinderbud.auth import new_token
from api.kinderbud.rate_limits import TokenLimits
from api.settings import Settings
from tests.support.mail_server import mail_server


@pytest.fixture
def nowhere(postgres_url: str) -> str:
    """A server that is there, and a database that is not."""
    return postgres_url.rpartition("/")[0] + "/no_such_database"


def test_the_driver_raises_its_own_error(nowhere: str) -> None:
    async def run() -> None:
        database = open_database(nowhere)
        async with database.read() as session:
            await session.connection()

    with pytest.raises(asyncpg.InvalidCatalogNameError):
        asyncio.run(run())


def test_mails_go_on(nowhere: str) -> None:
    async def run(port: int) -> None:
        told = {"smtp_host": "127.0.0.1", "smtp_port": port, "smtp_from": "k@example.org", "smtp_tls": "none"}
        settings = Settings.model_validate(told | {"public_url": "https://buddy.example.org"})
        mailer, database = Mailer(settings, lambda: datetime.now(UTC)), open_database(nowhere)

        async def looks_up() -> Mail | None:
            async with database.read() as session:
                await session.connection()
            return None

        async def says_hello() -> Mail:
            return Mail("sarah@example.com", "Hello", "A calm day.\n")

        mailer.start()
        for _ in range(2 * WORKERS):
            mailer.later(looks_up)
        mailer.later(says_hello)
        await mailer.stop()

    with mail_server() as mailbox:
        asyncio.run(run(mailbox.port))
        assert len(mailbox.mails) == 1


def test_a_token_that_cannot_be_looked_up_is_counted_by_its_address(nowhere: str) -> None:
    reached = 0

    async def app(*_: Any) -> Any:
        nonlocal reached
        reached += 1

    async def run() -> None:
        limits = TokenLimits(app, open_database(nowhere), RateLimits(None, exact=True), RateLimits(None))
        shown = [(b"authorization", f"Bearer {new_token()}".encode())]
        scope = {"type": "http", "method": "GET", "path": "/me", "client": ("10.0.0.1", 1), "headers": shown}
        await limits(scope, app, app)

    asyncio.run(run())
    assert reached == 1


def test_the_lock_of_the_service_is_tried_again(nowhere: str, monkeypatch: pytest.MonkeyPatch) -> None:
    pauses = 0

    async def run() -> None:
        url = read_url(nowhere)
        assert isinstance(url, PostgresUrl)
        holding: asyncio.Task[None]
        sleep = asyncio.sleep

        async def pause(_: float) -> None:
            nonlocal pauses
            pauses += 1
            if pauses == 3:
                holding.cancel()
            await sleep(0)

        monkeypatch.setattr("api.db.service_lock.asyncio.sleep", pause)
        holding = asyncio.create_task(service_lock.SharedLock(url)._keep())
        await asyncio.wait({holding})
        assert holding.cancelled(), holding.exception()

    asyncio.run(run())
    assert pauses == 3

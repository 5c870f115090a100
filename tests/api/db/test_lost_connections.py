"""PostgreSQL ends connections between requests, as after a restart or a failover: no write fails, and none is done
twice."""

import asyncio
import threading
from collections.abc import Iterator
from pathlib import Path

import asyncpg
import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from api.db.engine import Database, open_database
from api.db.failures import is_away
from tests.actors.person import WEEK, Person
from tests.support.postgres import postgres_database
from tests.support.serving import service

END_ALL = """SELECT pg_terminate_backend(pid) FROM pg_stat_activity
WHERE datname = current_database() AND pid <> pg_backend_pid()"""


@pytest.fixture
def own(postgres_url: str, worker: str) -> Iterator[str]:
    with postgres_database(postgres_url.rpartition("/")[0] + "/postgres", f"{worker}lost") as url:
        yield url


def end_all(url: str) -> None:
    """End all connections to the database. Runs in a thread of its own, while the caller's event loop hears nothing."""

    async def run() -> None:
        connection = await asyncpg.connect(url)
        await connection.execute(END_ALL)
        await connection.close()

    thread = threading.Thread(target=asyncio.run, args=(run(),))
    thread.start()
    thread.join()


def test_the_next_write_of_a_phone_succeeds(own: str, tmp_path: Path) -> None:
    with service(tmp_path, {"DATABASE_URL": own}) as running:
        person = Person(running)
        for week in (1, 2, 3, 4):
            end_all(own)
            sent = WEEK | {"week_key": week, "logging_days_count": 1}
            assert person.post("/summaries/weekly", sent, Idempotency_Key=f"week {week}").status_code == 201
        assert len(person.get("/summaries/weekly").json()["items"]) == 4


async def rows(database: Database) -> int:
    async with database.read() as session:
        found: int = await session.scalar(text("SELECT count(*) FROM written"))
        return found


async def write(session: AsyncSession) -> None:
    await session.execute(text("INSERT INTO written VALUES (1)"))


def test_a_connection_that_died_unheard_costs_no_transaction(own: str) -> None:
    async def run() -> None:
        database = open_database(own)
        async with database.write() as session:
            await session.execute(text("CREATE TABLE written (number int)"))
        for count in (1, 2, 3):
            end_all(own)  # the loop stands still meanwhile, so that asyncpg has not seen the end of its connection
            async with database.write() as session:
                await write(session)
            assert await rows(database) == count
        await database.close()

    asyncio.run(run())


def test_what_was_sent_is_never_sent_again(own: str) -> None:
    """The connection ends inside a transaction: nothing is stored, and the caller is told."""

    async def run() -> None:
        database = open_database(own)
        async with database.write() as session:
            await session.execute(text("CREATE TABLE written (number int)"))

        async def cut_off() -> None:
            async with database.write() as session:
                await write(session)
                end_all(own)

        with pytest.raises(Exception) as failed:  # noqa: PT011 - checked below
            await cut_off()
        assert is_away(failed.value)
        assert await rows(database) == 0
        await database.close()

    asyncio.run(run())

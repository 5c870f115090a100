"""Both apps behind a real PgBouncer in transaction mode, which reassigns connections after each transaction."""

import asyncio
import os
from collections.abc import Awaitable, Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from sqlalchemy import text

from api.db import migrate
from api.db.engine import Database, open_database
from api.db.postgres import RESTORE_LOCK
from api.kakei.coach.schemas import EXAMPLE_CONTEXT
from tests.actors.family import Family
from tests.actors.person import MONTH, WEEK, Person
from tests.support import exports, forking
from tests.support.local_servers import ServiceMissing, unavailable
from tests.support.pgbouncer import pgbouncer
from tests.support.postgres import postgres_database, server_of
from tests.support.serving import CLIENT, Server, service

AT_ONCE = 12
"""Clients, several times as many as the pooler has connections."""
ROUNDS = 4
LOCKS = "(SELECT * FROM pg_locks WHERE locktype = 'advisory' AND pid = pg_backend_pid()) AS locks"


@pytest.fixture(scope="module")
def pooled_url(postgres_url: str, worker: str) -> Iterator[str]:
    server = server_of(postgres_url)
    try:
        with postgres_database(server, f"{worker}pooled") as url, pgbouncer(url) as pooled:
            yield pooled
    except ServiceMissing as missing:
        unavailable(missing, os.environ)


@pytest.fixture(params=["", "?statement_cache_size=0", "?pgbouncer=true"])
def behind(request: pytest.FixtureRequest, pooled_url: str, tmp_path: Path) -> Iterator[Server]:
    settings = {"DATABASE_URL": pooled_url + request.param, "CURATE_AT": "00:00", "DATABASE_TIMEOUT_SECONDS": "60"}
    with service(tmp_path, settings) as running:
        yield running


@pytest.mark.long
def test_no_request_of_either_app_fails_under_load(behind: Server) -> None:
    study = f"study-{os.urandom(4).hex()}"
    behind.buddy("study", "start", study)
    answers: list[tuple[str, int]] = []

    def phone(_: int) -> None:
        person = Person(behind)
        for _ in range(ROUNDS):
            answers.append(("weekly", person.post("/summaries/weekly", WEEK).status_code))
            answers.append(("monthly", person.post("/summaries/monthly", MONTH).status_code))
            answers.append(("data", person.get("/data").status_code))
            mine = {"X-User-UUID": person.uuid}
            asked = CLIENT.post(f"{behind.url}/coach/suggestions", json=EXAMPLE_CONTEXT, headers=mine, timeout=60)
            answers.append(("coach", asked.status_code))
            answers.append(("templates", CLIENT.get(f"{behind.url}/templates", timeout=60).status_code))
        answers.append(("erase", CLIENT.delete(f"{behind.url}/api/users/{person.uuid}", timeout=60).status_code))

    def family(_: int) -> None:
        home = Family(behind)
        home.follow()
        for _ in range(ROUNDS):
            answers.extend((path, home.ask("GET", path).status_code) for path in ("/today", "/me", "/todos", "/guides"))

    with ThreadPoolExecutor(AT_ONCE) as clients:
        for done in [clients.submit(phone if one % 2 else family, one) for one in range(AT_ONCE)]:
            done.result()
    behind.buddy("study", "stop", study)
    assert len(answers) > 100
    assert [one for one in answers if one[1] >= 500 or one[1] == 404] == []
    assert "the coach answers without the database" not in behind.log()
    assert "unforeseen" not in behind.log()


@pytest.mark.long
def test_exports_and_commands_work_too(behind: Server, tmp_path: Path) -> None:
    person = Person(behind)
    person.consent()
    person.post("/summaries/weekly", WEEK)
    assert len(exports.tables(behind)["weekly_summaries"]) >= 1
    assert "release" in behind.buddy("research", "export", str(tmp_path / "study"), "--format", "csv")
    assert "as this version needs it" in behind.buddy("db", "check")


def test_whether_there_is_a_pooler_is_found_out(pooled_url: str, postgres_url: str) -> None:
    def prepared(url: str) -> int:
        """How many statements the server keeps for one connection after some work."""

        async def count(database: Database) -> int:
            async with database.read() as session:
                for number in range(5):
                    await session.execute(text(f"SELECT {number}"))
                found: int = await session.scalar(text("SELECT count(*) FROM pg_prepared_statements"))
                return found

        return run(url, count)

    assert prepared(postgres_url) >= 5
    for url in (pooled_url, f"{pooled_url}?statement_cache_size=0", f"{postgres_url}?pgbouncer=true"):
        assert prepared(url) <= 1


def test_nothing_is_left_in_a_connection_that_another_client_gets(pooled_url: str) -> None:
    """Settings, locks, temporary tables, prepared statements, subscriptions."""

    async def look(database: Database) -> list[tuple[object, ...]]:
        await migrate.prepare(database)
        found = []
        for _ in range(8):
            async with database.read() as session:
                row = await session.execute(
                    text(
                        f"SELECT (SELECT count(*) FROM {LOCKS}"  # noqa: S608
                        f" WHERE (classid::bigint << 32) + objid::bigint <> {RESTORE_LOCK}),"  # of this transaction
                        "(SELECT count(*) FROM pg_prepared_statements WHERE name <> ''),"
                        "(SELECT count(*) FROM pg_class WHERE relpersistence = 't'),"
                        "(SELECT count(*) FROM pg_listening_channels())"
                    )
                )
                found.append(tuple(row.one()))
        return found

    async def outside(database: Database) -> tuple[str, int]:
        engine = database.reading
        async with engine.connect() as connection:
            await connection.execution_options(isolation_level="AUTOCOMMIT")
            shown: str = (await connection.execute(text("SHOW statement_timeout"))).scalar_one()
            locks: int = (await connection.execute(text(f"SELECT count(*) FROM {LOCKS}"))).scalar_one()  # noqa: S608
            return shown, locks

    assert set(run(pooled_url, look)) == {(0, 0, 0, 0)}
    assert run(pooled_url, outside) == ("0", 0)


def test_a_backup_goes_around_the_pooler_or_not_at_all(pooled_url: str, tmp_path: Path) -> None:
    """pg_dump clears the search path of its session, and the pooler would give that session to another client."""
    environment = {"PATH": os.environ["PATH"], "DATABASE_URL": pooled_url}
    refused = forking.run("db", "backup", "safe.bak", cwd=tmp_path, env=environment)
    assert (refused.returncode, len(refused.stderr.splitlines())) == (1, 1)
    assert "pooler" in refused.stderr
    assert not (tmp_path / "safe.bak").exists()


def run[T](url: str, work: Callable[[Database], Awaitable[T]]) -> T:
    async def connected() -> T:
        database = open_database(url)
        try:
            return await work(database)
        finally:
            await database.close()

    return asyncio.run(connected())

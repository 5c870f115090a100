"""Database failures that are answered with 503, on real databases; exports may take longer than requests."""

import asyncio
import sqlite3
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from pathlib import Path

import asyncpg
import pytest
from sqlalchemy import text

from api.db.engine import open_database
from api.db.failures import is_away, is_gone
from tests.actors.person import WEEK, Person
from tests.support import exports, forking
from tests.support.postgres import postgres_database, server_of
from tests.support.serving import CLIENT, Service, service


def failure_of(url: str, *statements: str) -> Exception:
    """The error of the last of these statements, in one transaction."""

    async def run() -> None:
        database = open_database(url, seconds=1)
        try:
            async with database.write() as session:
                for statement in statements:
                    await session.execute(text(statement))
        finally:
            await database.close()

    with pytest.raises(Exception) as failed:  # noqa: PT011 - the test checks which error it is
        asyncio.run(run())
    return failed.value


@pytest.mark.parametrize(
    ("state", "away"),
    [
        *((state, True) for state in ("25006", "25P03", "40001", "40P01", "53100", "53200", "53300", "55P03", "57014")),
        *((state, True) for state in ("57P01", "57P03", "58030", "08006", "XX001", "XX002", "26000", "42P05")),
        *((state, False) for state in ("22003", "22P05", "23505", "42601", "42703", "42P01", "P0001")),
    ],
)
def test_a_state_of_postgresql_is_the_databases_fault_or_ours(state: str, away: bool, postgres_url: str) -> None:
    error = failure_of(postgres_url, f"DO $$ BEGIN RAISE SQLSTATE '{state}'; END $$")
    assert is_away(error) is away
    assert not is_gone(error)


def test_what_really_happens_in_postgresql(postgres_url: str) -> None:
    assert is_away(failure_of(postgres_url, "SELECT pg_sleep(30)"))
    assert is_away(failure_of(postgres_url, "SET TRANSACTION READ ONLY", "CREATE TABLE x (y int)"))
    assert is_away(failure_of(postgres_url, "SELECT pg_terminate_backend(pg_backend_pid())", "SELECT 1"))
    assert not is_away(failure_of(postgres_url, "SELECT nonsense"))
    assert not is_away(failure_of(postgres_url, "SELECT 1/0"))


def test_what_really_happens_in_sqlite(tmp_path: Path) -> None:
    file = tmp_path / "x.db"
    url = f"sqlite:///{file}"
    filled = ("CREATE TABLE x (y)", *("INSERT INTO x VALUES (zeroblob(50000))" for _ in range(4)))
    assert is_away(failure_of(url, "PRAGMA query_only = ON", "CREATE TABLE x (y)"))
    assert is_away(failure_of(url, "PRAGMA max_page_count = 4", *filled))
    assert not is_away(failure_of(url, "SELECT nonsense"))
    with closing(sqlite3.connect(file)) as locked:
        locked.execute("BEGIN EXCLUSIVE")
        assert is_away(failure_of(url, "SELECT 1"))
    file.write_bytes(file.read_bytes()[:100] + b"\xff" * 20_000)
    assert is_away(failure_of(url, "SELECT * FROM sqlite_master"))
    file.write_bytes(b"this is no database" * 1000)
    assert is_away(failure_of(url, "SELECT 1"))


@contextmanager
def locked_table(url: str, table: str) -> Iterator[None]:
    """Other transactions wait for this table."""
    loop = asyncio.new_event_loop()

    async def lock() -> asyncpg.Connection:
        connection = await asyncpg.connect(url)
        await connection.execute(f"BEGIN; LOCK TABLE {table} IN ACCESS EXCLUSIVE MODE")
        return connection

    connection = loop.run_until_complete(lock())
    try:
        yield
    finally:
        loop.run_until_complete(connection.close())
        loop.close()


@pytest.fixture
def impatient(postgres_url: str, worker: str, tmp_path: Path) -> Iterator[Service]:
    server = server_of(postgres_url)
    with postgres_database(server, f"{worker}slow") as url:
        settings = {"DATABASE_URL": url, "DATABASE_TIMEOUT_SECONDS": "1"}
        with service(tmp_path, settings) as running:
            yield running


@pytest.mark.long
def test_a_request_has_a_limit_and_an_export_has_none(impatient: Service, tmp_path: Path) -> None:
    person = Person(impatient)
    person.consent()
    person.post("/summaries/weekly", WEEK)
    command = ("research", "export", str(tmp_path / "study"), "--format", "csv")
    with ThreadPoolExecutor(2) as researchers:
        with locked_table(impatient.environment["DATABASE_URL"], "weekly_summaries"):
            over_http = researchers.submit(exports.export, impatient)
            in_a_shell = researchers.submit(forking.run, *command, cwd=tmp_path, env=impatient.environment)
            for _ in range(4):  # each of them waits as long as a request may
                answer = CLIENT.get(f"{impatient.url}/api/users/{person.uuid}/data", timeout=30)
                assert (answer.status_code, answer.json()["code"]) == (503, "database_unavailable")
                assert int(answer.headers["retry-after"]) > 0
            assert not over_http.done()
            assert not in_a_shell.done()
        assert over_http.result().status_code == 200
        assert in_a_shell.result().returncode == 0

"""A lock that shows that a service runs on a database, so that a restore does not replace the database meanwhile.

Every process of the service holds the lock in shared mode; a restore needs it exclusively. The lock ends with its
process, even if that is killed. On SQLite it is a lock of the operating system on a file beside the database, on
PostgreSQL an advisory lock. The advisory lock belongs to a transaction that stays open, so that it also works behind a
pooler in transaction mode. That transaction has read nothing, so it does not block vacuum.
"""

import asyncio
import contextlib
import fcntl
import os
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager, contextmanager

import structlog
from sqlalchemy import text
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncConnection

from api.database_url import PostgresUrl, SqliteUrl
from api.db.engine import Database, open_database
from api.db.failures import MAY_BE_AWAY

SUFFIX = ".service"
ADVISORY = 7_245_113_909
"""Different from the lock of migrations in api/db/migrate.py."""
LOOK_SECONDS = 15.0
"""Seconds between two checks that PostgreSQL still holds the lock."""
type Lifespan[App] = Callable[[App], AbstractAsyncContextManager[None]]
log = structlog.get_logger("api.db")


class ServiceRuns(Exception):
    """A service or a restore runs on this database; the message says what to do."""


@contextmanager
def file_lock(url: SqliteUrl | PostgresUrl, *, exclusive: bool) -> Iterator[None]:
    """Hold the lock file of an SQLite database. Raises ServiceRuns. Does nothing for other databases."""
    if not isinstance(url, SqliteUrl):
        yield
        return
    file = url.file.with_name(url.file.name + SUFFIX)
    file.parent.mkdir(parents=True, exist_ok=True)
    descriptor = os.open(file, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        try:
            fcntl.flock(descriptor, (fcntl.LOCK_EX if exclusive else fcntl.LOCK_SH) | fcntl.LOCK_NB)
        except BlockingIOError as error:
            what = "a service runs on this database: stop it first" if exclusive else "the database is being restored"
            raise ServiceRuns(what) from error
        yield
    finally:
        os.close(descriptor)


@asynccontextmanager
async def postgres_lock(database: Database) -> AsyncIterator[None]:
    """Hold PostgreSQL's lock exclusively. Raises ServiceRuns."""
    async with database.writing.connect() as connection, connection.begin():
        query = text("SELECT pg_try_advisory_xact_lock(:lock)")
        if not await connection.scalar(query, {"lock": ADVISORY}):
            raise ServiceRuns("a service runs on this database: stop it first")
        yield


def while_serving[App](url: SqliteUrl | PostgresUrl, lifespan: Lifespan[App]) -> Lifespan[App]:
    """Wrap `lifespan` so that the process holds the lock. Raises ServiceRuns during a restore of SQLite."""

    @asynccontextmanager
    async def held(app: App) -> AsyncIterator[None]:
        with file_lock(url, exclusive=False):
            holding = asyncio.create_task(_hold(url)) if isinstance(url, PostgresUrl) else None
            try:
                async with lifespan(app):
                    yield
            finally:
                if holding is not None:
                    holding.cancel()
                    with contextlib.suppress(asyncio.CancelledError):
                        await holding

    return held


async def _hold(url: PostgresUrl) -> None:
    """Hold PostgreSQL's lock, and take it again after the connection was lost."""
    database = open_database(url, pool_size=1, seconds=None)
    try:
        while True:
            try:
                async with database.writing.connect() as connection, connection.begin():
                    await _share(connection)
            except (SQLAlchemyError, *MAY_BE_AWAY) as error:
                log.warning("the lock of the service is away, it is taken again", why=type(error).__name__)
            await asyncio.sleep(LOOK_SECONDS)
    finally:
        await database.close()


async def _share(connection: AsyncConnection) -> None:
    await connection.execute(text("SET LOCAL idle_in_transaction_session_timeout = 0"))
    await connection.execute(text("SELECT pg_advisory_xact_lock_shared(:lock)"), {"lock": ADVISORY})
    while True:
        await asyncio.sleep(LOOK_SECONDS)
        await connection.execute(text("SELECT 1"))

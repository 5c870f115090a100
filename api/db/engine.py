"""The database, and sessions of one transaction each.

SQLite runs in WAL mode with full synchronisation; a writing transaction takes the write lock when it begins
(`BEGIN IMMEDIATE`), so that it waits in a queue instead of failing halfway.
"""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

from sqlalchemy import event, exc
from sqlalchemy.engine import URL
from sqlalchemy.ext.asyncio import AsyncEngine, AsyncSession, create_async_engine
from sqlalchemy.pool import AsyncAdaptedQueuePool
from sqlalchemy.util import await_

from api.database_url import PostgresUrl, SqliteUrl, read_url
from api.db.budget import Budget, current_budget, remaining_seconds
from api.db.failures import MAY_BE_AWAY, OutcomeUnknown, is_outcome_unknown
from api.db.postgres import Connector

LOCK_SECONDS = 4
"""How long a transaction waits for SQLite's write lock."""
POOL_SIZE = 10
REQUEST_SECONDS = 4.0
"""How long a request may be at work with the database; with the grace of `api.db.budget` less than 5 s."""
COMMAND_SECONDS = 60.0
"""How long a statement of a command may take; exports and migrations are not bounded."""
CLOSE_SECONDS = 2.0
"""How long saying goodbye may take to a server that hangs."""
LARGEST_ID = 2**31 - 1
"""That a column of ids holds."""
WRITES = "writes"
"""Marks a session that writes, in `session.info`."""
BUDGET = "budget"
"""In the pool's record of a connection: the budget that it is used under."""


@dataclass(frozen=True)
class Database:
    """A database; on PostgreSQL `reading` and `writing` are the same."""

    reading: AsyncEngine
    writing: AsyncEngine
    probing: AsyncEngine
    """One connection for health checks, which do not wait for those of requests."""
    seconds: float | None = None
    """The budget of a session outside of requests, None for no limit."""

    @asynccontextmanager
    async def read(self) -> AsyncIterator[AsyncSession]:
        """A session that only reads; what it did not mean to write is rolled back."""
        with self._spending():
            async with AsyncSession(self.reading, expire_on_commit=False) as session:
                yield session

    @asynccontextmanager
    async def write(self) -> AsyncIterator[AsyncSession]:
        """A session in one transaction: committed at the end, rolled back where anything is raised.

        Raises OutcomeUnknown where the connection broke while it was committed.
        """
        with self._spending():
            async with AsyncSession(self.writing, expire_on_commit=False) as session:
                session.info[WRITES] = True
                yield session
                await session.flush()
                try:
                    await session.commit()
                except Exception as error:
                    if is_outcome_unknown(error):
                        raise OutcomeUnknown from error
                    raise

    def _spending(self) -> contextlib.AbstractContextManager[None]:
        if self.seconds is None:
            return contextlib.nullcontext()
        return (current_budget() or Budget(self.seconds)).spending()

    async def close(self) -> None:
        for engine in {self.reading, self.writing, self.probing}:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(CLOSE_SECONDS):
                    await engine.dispose()


def open_database(
    url: str | SqliteUrl | PostgresUrl,
    *,
    pool_size: int = POOL_SIZE,
    seconds: float | None = REQUEST_SECONDS,
    statement_seconds: float | None = None,
) -> Database:
    """The database at `url`; nothing is connected yet. A request, or a session outside of requests, may be at work for
    `seconds`, and PostgreSQL ends a statement after `statement_seconds`, by default after `seconds`; None is no limit.

    Raises BadDatabaseUrl.
    """
    from api.db import erasures  # noqa: PLC0415 - it knows the tables, which some need not

    erasures.listen()
    address = read_url(url) if isinstance(url, str) else url
    if isinstance(address, SqliteUrl):
        # One connection writes, so that writers wait in a queue: SQLite's own waiting is a lottery that some lose.
        reading = _sqlite_engine(address, pool_size=pool_size)
        return Database(
            reading, _sqlite_engine(address, begin="BEGIN IMMEDIATE", pool_size=1), _sqlite_engine(address), seconds
        )
    connector = Connector(address, seconds if statement_seconds is None else statement_seconds)
    engine = _postgres_engine(connector, pool_size)
    return Database(engine, engine, _postgres_engine(connector, 1), seconds)


class _Pool(AsyncAdaptedQueuePool):
    """Waits for a connection as long as the current budget allows; without one, as long as a command's statement."""

    @property
    def _timeout(self) -> float:
        remaining = remaining_seconds()
        return COMMAND_SECONDS if remaining is None else remaining

    @_timeout.setter
    def _timeout(self, _: float) -> None:
        """What SQLAlchemy sets when the pool is made."""


def _postgres_engine(connector: Connector, pool_size: int) -> AsyncEngine:
    engine = create_async_engine(
        "postgresql+asyncpg://", poolclass=_Pool, pool_size=pool_size, max_overflow=0, hide_parameters=True
    )
    connector.install(engine.sync_engine)
    event.listen(engine.sync_engine, "checkout", _follow)
    event.listen(engine.sync_engine, "checkin", _leave)
    return engine


def _sqlite_engine(url: SqliteUrl, begin: str = "BEGIN", pool_size: int = 1) -> AsyncEngine:
    """An engine whose transactions begin as told."""
    engine = create_async_engine(
        URL.create("sqlite+aiosqlite", database=str(url.file)),
        connect_args={"timeout": LOCK_SECONDS},
        poolclass=_Pool,
        pool_size=pool_size,
        max_overflow=0,
        hide_parameters=True,
    )
    event.listen(engine.sync_engine, "connect", _prepare_sqlite)
    event.listen(engine.sync_engine, "begin", lambda connection: connection.exec_driver_sql(begin))
    event.listen(engine.sync_engine, "checkout", _follow)
    event.listen(engine.sync_engine, "checkin", _leave)
    return engine


def _follow(connection: Any, record: Any, _: Any) -> None:
    """A connection leaves the pool: from now on the current budget may cut it, beginning with the question whether it
    still works (one round trip, which any pooler takes)."""
    driver = connection.driver_connection
    is_postgres = hasattr(driver, "get_server_pid")
    budget = current_budget()
    if budget is not None:
        record.info[BUDGET] = budget
        budget.follow(driver, driver.terminate if is_postgres else driver._conn.interrupt)
    if is_postgres:
        try:
            await_(driver.execute("SELECT 1"))
        except MAY_BE_AWAY as error:
            if budget is not None and budget.remaining() <= 0:
                raise TimeoutError("the database did not answer in time") from error
            raise exc.DisconnectionError from error  # the pool makes a new one


def _leave(connection: Any, record: Any) -> None:
    budget = record.info.pop(BUDGET, None)
    if budget is not None and connection is not None:
        budget.leave(connection.driver_connection)


def _prepare_sqlite(connection: Any, _: Any) -> None:
    connection.isolation_level = None  # the driver begins nothing by itself; the engine does
    cursor = connection.cursor()
    for pragma in ("journal_mode = WAL", "synchronous = FULL", "foreign_keys = ON"):
        cursor.execute(f"PRAGMA {pragma}")
    cursor.close()

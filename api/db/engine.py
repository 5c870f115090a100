"""The database engines, and sessions of one transaction each.

SQLite runs in WAL mode with full synchronisation. A writing transaction takes the write lock when it begins
(`BEGIN IMMEDIATE`), so that it waits in a queue and does not fail halfway.
"""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, PoolResetState, event, exc
from sqlalchemy.engine import URL
from sqlalchemy.ext.asyncio import AsyncEngine, AsyncSession, create_async_engine
from sqlalchemy.orm import Session
from sqlalchemy.pool import AsyncAdaptedQueuePool
from sqlalchemy.util import await_

from api.database_url import PostgresUrl, SqliteUrl, read_url
from api.db.budget import Budget, current_budget, remaining_seconds
from api.db.failures import MAY_BE_AWAY, RESTORING_STATE, OutcomeUnknown, is_outcome_unknown, sqlstate
from api.db.postgres import Connector

LOCK_SECONDS = 4
"""How long a transaction waits for SQLite's write lock."""
POOL_SIZE = 10
REQUEST_SECONDS = 4.0
"""How long a request may use the database; with the grace of `api.db.budget` less than 5 s."""
COMMAND_SECONDS = 60.0
"""How long a statement of a command may take; exports and migrations have no limit."""
CLOSE_SECONDS = 2.0
"""Timeout for closing connections to a server that hangs."""
LARGEST_ID = 2**31 - 1
"""The largest id that a column holds."""
WRITES = "writes"
"""Key in `session.info` that marks a writing session."""
BUDGET = "budget"
"""Key in the pool's record of a connection: the budget of its current use."""


@dataclass(frozen=True)
class Database:
    """A database; on PostgreSQL `reading` and `writing` are the same."""

    reading: AsyncEngine
    writing: AsyncEngine
    probing: AsyncEngine
    """One connection for health checks, so that they do not wait for connections of requests."""
    seconds: float | None = None
    """The budget of a session outside requests, None for no limit."""

    @asynccontextmanager
    async def read(self) -> AsyncIterator[AsyncSession]:
        """A session that only reads; it is rolled back at the end."""
        with self._spending():
            async with AsyncSession(self.reading, expire_on_commit=False) as session:
                yield session

    @asynccontextmanager
    async def write(self) -> AsyncIterator[AsyncSession]:
        """A session in one transaction: committed at the end, rolled back after an exception.

        Raises OutcomeUnknown if the connection breaks during the commit.
        """
        with self._spending():
            session = AsyncSession(self.writing, expire_on_commit=False)
            session.info[WRITES] = True
            try:
                yield session
                await session.run_sync(_finish)
            except BaseException:
                await session.__aexit__(None, None, None)  # to its end, even if this task is cancelled
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


def _finish(session: Session) -> None:
    """Commit, and give the connection back: in one switch to SQLAlchemy's greenlet."""
    session.flush()
    try:
        session.commit()
    except Exception as error:
        if is_outcome_unknown(error):
            raise OutcomeUnknown from error
        raise
    session.close()


def open_database(
    url: str | SqliteUrl | PostgresUrl,
    *,
    pool_size: int = POOL_SIZE,
    seconds: float | None = REQUEST_SECONDS,
    statement_seconds: float | None = None,
    is_restoring: bool = False,
) -> Database:
    """The database at `url`, not connected yet. A request, or a session outside requests, has a budget of `seconds`.
    PostgreSQL ends a statement after `statement_seconds`, by default `seconds`. None is no limit.
    While PostgreSQL is restored, transactions fail, except those of the restore itself (`is_restoring`).

    Raises BadDatabaseUrl.
    """
    from api.db import erasures  # noqa: PLC0415 - it imports the tables, which not all callers need

    erasures.listen()
    address = read_url(url) if isinstance(url, str) else url
    if isinstance(address, SqliteUrl):
        # One connection writes, so that writers wait in a fair queue: SQLite's own wait starves some of them.
        reading = _sqlite_engine(address, pool_size=pool_size)
        return Database(
            reading, _sqlite_engine(address, begin="BEGIN IMMEDIATE", pool_size=1), _sqlite_engine(address), seconds
        )
    statement_seconds = seconds if statement_seconds is None else statement_seconds
    connector = Connector(address, statement_seconds, is_restoring=is_restoring)
    engine = _postgres_engine(connector, pool_size)
    return Database(engine, engine, _postgres_engine(connector, 1), seconds)


class _Pool(AsyncAdaptedQueuePool):
    """Waits for a connection within the current budget; without one, as long as a command's statement may take."""

    @property
    def _timeout(self) -> float:
        remaining = remaining_seconds()
        return COMMAND_SECONDS if remaining is None else remaining

    @_timeout.setter
    def _timeout(self, _: float) -> None:
        """Ignore the value that SQLAlchemy sets when it creates the pool."""


def _postgres_engine(connector: Connector, pool_size: int) -> AsyncEngine:
    engine = create_async_engine(
        "postgresql+asyncpg://",
        poolclass=_Pool,
        pool_size=pool_size,
        max_overflow=0,
        pool_use_lifo=True,  # the connection whose statements are prepared and whose caches are warm
        hide_parameters=True,
    )
    connector.install(engine.sync_engine)
    event.listen(engine.sync_engine, "checkout", _follow)
    event.listen(engine.sync_engine, "checkin", _leave)
    return engine


def _sqlite_engine(url: SqliteUrl, begin: str = "BEGIN", pool_size: int = 1) -> AsyncEngine:
    """An engine whose transactions start with the statement `begin`."""
    engine = create_async_engine(
        URL.create("sqlite+aiosqlite", database=str(url.file)),
        connect_args={"timeout": LOCK_SECONDS, "check_same_thread": False},  # see api.db.prepared
        poolclass=_Pool,
        pool_size=pool_size,
        max_overflow=0,
        pool_reset_on_return=None,  # a rollback is a switch to the driver's thread, even if there is nothing to do
        hide_parameters=True,
    )
    event.listen(engine.sync_engine, "connect", _prepare_sqlite)
    event.listen(engine.sync_engine, "begin", lambda connection: _begin_sqlite(connection, begin))
    event.listen(engine.sync_engine, "reset", _roll_back_sqlite)
    event.listen(engine.sync_engine, "checkout", _follow)
    event.listen(engine.sync_engine, "checkin", _leave)
    return engine


def _follow(connection: Any, record: Any, _: Any) -> None:
    """Register a connection that leaves the pool with the current budget. On PostgreSQL, begin its transaction: if the
    connection was lost meanwhile, nothing was sent that could be done twice, and the pool opens a new one. So a dead
    connection costs no request, and a living one no question whether it lives."""
    driver = connection.driver_connection
    is_postgres = hasattr(driver, "get_server_pid")
    budget = current_budget()
    if budget is not None:
        record.info[BUDGET] = budget
        budget.follow(driver, driver.terminate if is_postgres else driver._conn.interrupt)
    if is_postgres:
        try:
            await_(connection._start_transaction())
        except (connection.dbapi.Error, *MAY_BE_AWAY) as error:
            if budget is not None and budget.remaining() <= 0:
                raise TimeoutError("the database did not answer in time") from error
            if sqlstate(error) == RESTORING_STATE:
                raise
            raise exc.DisconnectionError from error  # the pool opens a new one


def _leave(connection: Any, record: Any) -> None:
    budget = record.info.pop(BUDGET, None)
    if budget is not None and connection is not None:
        budget.leave(connection.driver_connection)


def _begin_sqlite(connection: Connection, begin: str) -> None:
    """Begin the transaction in one switch to the driver's thread; SQLAlchemy would need four for a statement."""
    await_(connection.connection.driver_connection.execute_fetchall(begin))  # type: ignore[union-attr]


def _roll_back_sqlite(connection: Any, _: Any, state: PoolResetState) -> None:
    """A session that ends without a commit has rolled back. This is for a connection that comes back otherwise."""
    if state.asyncio_safe and connection.driver_connection.in_transaction:
        connection.rollback()


def _prepare_sqlite(connection: Any, _: Any) -> None:
    connection.isolation_level = None  # the driver starts no transactions; the engine does
    cursor = connection.cursor()
    for pragma in ("journal_mode = WAL", "synchronous = FULL", "foreign_keys = ON"):
        cursor.execute(f"PRAGMA {pragma}")
    cursor.close()

"""The database, and sessions of one transaction each.

SQLite runs in WAL mode with full synchronisation; a writing transaction takes the write lock when it begins
(`BEGIN IMMEDIATE`), so that it waits in a queue of five seconds instead of failing halfway.
"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

from sqlalchemy import event, make_url
from sqlalchemy.engine import URL
from sqlalchemy.exc import ArgumentError
from sqlalchemy.ext.asyncio import AsyncEngine, AsyncSession, create_async_engine

LOCK_SECONDS = 5
"""How long a transaction waits for SQLite's write lock, or for a connection, before the client is asked to retry."""
POOL_SIZE = 10
LARGEST_ID = 2**31 - 1
"""That a column of ids holds."""
WRITES = "writes"
"""Marks a session that writes, in `session.info`."""


@dataclass(frozen=True)
class Database:
    """A database; on PostgreSQL `reading` and `writing` are the same."""

    reading: AsyncEngine
    writing: AsyncEngine

    @asynccontextmanager
    async def read(self) -> AsyncIterator[AsyncSession]:
        """A session that only reads; what it did not mean to write is rolled back."""
        async with AsyncSession(self.reading, expire_on_commit=False) as session:
            yield session

    @asynccontextmanager
    async def write(self) -> AsyncIterator[AsyncSession]:
        """A session in one transaction: committed at the end, rolled back where anything is raised."""
        async with AsyncSession(self.writing, expire_on_commit=False) as session, session.begin():
            session.info[WRITES] = True
            yield session

    async def close(self) -> None:
        for engine in {self.reading, self.writing}:
            await engine.dispose()


def open_database(url: str) -> Database:
    """The database at `url`; nothing is connected yet. Raises ValueError for what is neither SQLite nor PostgreSQL."""
    parsed = async_url(url)
    if parsed.get_backend_name() == "sqlite":
        # One connection writes, so that writers wait in a queue: SQLite's own waiting is a lottery that some lose.
        return Database(
            _sqlite_engine(parsed), _sqlite_engine(parsed, begin="BEGIN IMMEDIATE", pool_size=1, max_overflow=0)
        )
    engine = create_async_engine(
        parsed,
        pool_size=POOL_SIZE,
        max_overflow=0,
        pool_timeout=LOCK_SECONDS,
        pool_pre_ping=True,
        hide_parameters=True,
        connect_args={"timeout": LOCK_SECONDS, "command_timeout": 60},
    )
    return Database(engine, engine)


def async_url(url: str) -> URL:
    """`url` with the driver that we use. Raises ValueError for what is neither SQLite nor PostgreSQL."""
    try:
        parsed = make_url(url)
    except ArgumentError as error:
        raise ValueError(f"DATABASE_URL is no database URL: {url.partition(':')[0]!r}") from error
    drivers = {"sqlite": "sqlite+aiosqlite", "postgresql": "postgresql+asyncpg", "postgres": "postgresql+asyncpg"}
    backend = parsed.drivername.partition("+")[0]
    if backend not in drivers:
        raise ValueError(f"DATABASE_URL names {backend!r}; sqlite and postgresql are known")
    return parsed.set(drivername=drivers[backend])


def _sqlite_engine(url: URL, begin: str = "BEGIN", **pool: int) -> AsyncEngine:
    """An engine whose transactions begin as told."""
    connecting = {"timeout": LOCK_SECONDS}
    engine = create_async_engine(url, connect_args=connecting, pool_timeout=LOCK_SECONDS, hide_parameters=True, **pool)
    event.listen(engine.sync_engine, "connect", _prepare_sqlite)
    event.listen(engine.sync_engine, "begin", lambda connection: connection.exec_driver_sql(begin))
    return engine


def _prepare_sqlite(connection: Any, _: Any) -> None:
    connection.isolation_level = None  # the driver begins nothing by itself; the engine does
    cursor = connection.cursor()
    for pragma in ("journal_mode = WAL", "synchronous = FULL", "foreign_keys = ON"):
        cursor.execute(f"PRAGMA {pragma}")
    cursor.close()

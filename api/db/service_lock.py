"""A lock that shows that a service runs on a database, so that a restore does not replace the database meanwhile.

SQLite: every process of the service shares a lock of the operating system on a file beside the database. A restore
needs it exclusively. The lock ends with its process, even if that is killed.

PostgreSQL: an advisory lock. Every transaction of this program shares it in the round trip of its BEGIN
(`api.db.postgres`), and fails while a restore holds it exclusively. So nothing is acknowledged during a restore.
A process of the service also holds the lock in a transaction that stays open, so that a restore sees an idle service.
This also works behind a pooler. If that connection is lost, the process is not ready until it has the lock again. A
restore refuses while other sessions with our application name are connected: they may belong to such a process.
"""

import asyncio
import contextlib
import fcntl
import os
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager

import asyncpg
import structlog

from api.database_url import PostgresUrl, SqliteUrl
from api.db.failures import MAY_BE_AWAY
from api.db.postgres import APPLICATION_NAME, RESTORE_LOCK, Connection, Connector

SUFFIX = ".service"
LOOK_SECONDS = 3.0
"""How often a process asks PostgreSQL on the connection of its lock, where the connection does not say itself that it
is lost; and how long it waits for the answer."""
AGAIN_SECONDS = 1.0
"""How long a process waits before it tries again to take the lock."""
END_SECONDS = 2.0
"""How long the end of the lock may take."""
LEAVING_SECONDS = 3.0
"""How long a restore waits for sessions whose process has just ended."""
NO_TIMEOUTS = """
SELECT set_config(name, '0', true) FROM pg_settings
WHERE name IN ('idle_in_transaction_session_timeout', 'transaction_timeout')"""
SESSIONS = """
SELECT coalesce(host(client_addr), 'a local socket') || ', process ' || pid FROM pg_stat_activity
WHERE datname = current_database() AND pid <> pg_backend_pid() AND application_name = ANY($1) ORDER BY pid"""
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
async def restore_lock(url: PostgresUrl) -> AsyncIterator[Connection]:
    """Have PostgreSQL's lock alone, on a connection of its own. Raises ServiceRuns."""
    connection = await Connector(url, None, is_restoring=True).connect()
    try:
        await connection.execute("BEGIN;")
        await connection.execute(NO_TIMEOUTS)
        if not await connection.fetchval("SELECT pg_try_advisory_xact_lock($1)", RESTORE_LOCK):
            raise ServiceRuns("a service runs on this database: stop it first")
        await _refuse_sessions(connection, url)
        yield connection
    finally:
        connection.terminate()


async def _refuse_sessions(connection: Connection, url: PostgresUrl) -> None:
    """A service that lost its lock still has connections."""
    names = [APPLICATION_NAME, url.parameters.get("application_name", APPLICATION_NAME)]
    deadline = asyncio.get_running_loop().time() + LEAVING_SECONDS
    while found := [row[0] for row in await connection.fetch(SESSIONS, names)]:
        if asyncio.get_running_loop().time() > deadline:
            raise ServiceRuns(f"a service is connected to this database ({'; '.join(found)}): stop it first")
        await asyncio.sleep(0.1)


@asynccontextmanager
async def while_serving(url: SqliteUrl | PostgresUrl) -> AsyncIterator["SharedLock | None"]:
    """Hold the lock of a process of the service; yields PostgreSQL's lock, which may be lost and taken again. Raises
    ServiceRuns during a restore of SQLite."""
    with file_lock(url, exclusive=False):
        if not isinstance(url, PostgresUrl):
            yield None
            return
        lock = SharedLock(url)
        await lock.start()
        try:
            yield lock
        finally:
            await lock.stop()


class SharedLock:
    """PostgreSQL's lock, shared by the processes of the service."""

    def __init__(self, url: PostgresUrl) -> None:
        self.is_held = False
        self._connector = Connector(url, None)
        self._connection: Connection | None = None
        self._tried = asyncio.Event()
        self._task: asyncio.Task[None] | None = None
        self._is_ending = False

    async def start(self) -> None:
        """Take the lock, and go on taking it. Returns after the first try: without the lock nothing can be stored."""
        self._task = asyncio.create_task(self._keep())
        await self._tried.wait()

    async def stop(self) -> None:
        """Give it back; does not wait for a server that does not answer."""
        self._is_ending = True
        if self._task is not None:
            self._cut()
            self._task.cancel()
            await asyncio.wait({self._task}, timeout=END_SECONDS)

    async def _keep(self) -> None:
        while not self._is_ending:
            try:
                await self._hold()
            except MAY_BE_AWAY as error:
                log.warning("the lock of the service is lost, it is taken again", why=type(error).__name__)
            finally:
                self.is_held = False
                self._cut()
                self._tried.set()
            await asyncio.sleep(AGAIN_SECONDS)

    async def _hold(self) -> None:
        """Until the connection is lost. Raises what a connection raises."""
        self._connection = connection = await self._connector.connect()
        lost = asyncio.Event()
        connection.add_termination_listener(lambda _: lost.set())
        await self._ask(connection, "BEGIN;")
        await self._ask(connection, NO_TIMEOUTS)
        self.is_held = True
        self._tried.set()
        while True:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(LOOK_SECONDS):
                    await lost.wait()
                raise asyncpg.ConnectionDoesNotExistError("the server ended the connection")
            await self._ask(connection, "SELECT 1")

    async def _ask(self, connection: Connection, query: str) -> None:
        """The connection is cut where no answer comes: a statement that is cancelled waits for the server."""
        timer = asyncio.get_running_loop().call_later(LOOK_SECONDS, self._cut)
        try:
            await connection.execute(query)
        finally:
            timer.cancel()

    def _cut(self) -> None:
        if self._connection is not None:
            self._connection.terminate()

"""Many concurrent clients, as patient as phones, and direct access to the database."""

import asyncio
import sqlite3
import threading
import time
from collections.abc import Awaitable, Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import asyncpg
import httpx
import pytest

from api.db.engine import Database, open_database
from tests.actors.person import somewhere
from tests.support.postgres import postgres_database

PATIENCE_SECONDS = 60.0


@contextmanager
def empty_database(kind: str, request: pytest.FixtureRequest, folder: Path) -> Iterator[str]:
    """The URL of a new empty database; `kind` is sqlite or postgresql."""
    if kind == "sqlite":
        yield f"sqlite:///{folder}/buddy.db"
        return
    server = request.getfixturevalue("postgres_url").rpartition("/")[0] + "/postgres"
    with postgres_database(server, f"{request.getfixturevalue('worker')}_e2e") as url:
        yield url


def rows(url: str, query: str) -> list[tuple[Any, ...]]:
    """Rows from the database itself, through the driver."""
    if url.startswith("sqlite"):
        with closing(sqlite3.connect(urlsplit(url).path[1:] or ":memory:")) as connection:
            return connection.execute(query).fetchall()

    async def fetch() -> list[tuple[Any, ...]]:
        connection = await asyncpg.connect(url)
        try:
            return [tuple(row) for row in await connection.fetch(query)]
        finally:
            await connection.close()

    return asyncio.run(fetch())


def on(url: str, work: Callable[[Database], Awaitable[Any]]) -> Any:
    """What `work` returns on a database, which is opened for it and closed again."""

    async def run() -> Any:
        database = open_database(url)
        try:
            return await work(database)
        finally:
            await database.close()

    return asyncio.run(run())


def phones(url: str = "", keep_connections: int = 0) -> httpx.Client:
    """A client whose requests come from different addresses, as from many phones. For use by many threads."""

    def elsewhere(request: httpx.Request) -> None:
        request.headers.update(somewhere())

    limits = httpx.Limits(max_connections=None, max_keepalive_connections=keep_connections)
    return httpx.Client(base_url=url, limits=limits, timeout=PATIENCE_SECONDS, event_hooks={"request": [elsewhere]})


def at_once[T](calls: Sequence[Callable[[], T]]) -> list[T]:
    """The results of the calls, each in its own thread, all started at the same time."""
    ready = threading.Barrier(len(calls))

    def run(call: Callable[[], T]) -> T:
        ready.wait()
        return call()

    with ThreadPoolExecutor(len(calls)) as pool:
        return [future.result() for future in [pool.submit(run, call) for call in calls]]


def patiently(send: Callable[[], httpx.Response]) -> httpx.Response:
    """The first answer other than 503. Between two tries, the client waits as long as `Retry-After` says."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while (answer := send()).status_code == 503 and time.monotonic() < deadline:
        time.sleep(int(answer.headers["Retry-After"]))
    return answer


def week(number: int, month_key: int, week_key: int) -> dict[str, Any]:
    """A weekly summary whose amounts all encode its `number`."""
    return {
        "month_key": month_key,
        "week_key": week_key,
        "total_spent": 10 * number + 0.25,
        "spent_wants": number + 0.25,
        "spent_needs": 2 * number,
        "spent_culture": 3 * number,
        "spent_unexpected": 4 * number,
        "logging_days_count": number % 3,  # the last week of June 2026 has two days
    }

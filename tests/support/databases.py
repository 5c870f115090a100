"""Databases for the services of the tests."""

import asyncio
import atexit
import shutil
import sqlite3
import tempfile
from collections.abc import Awaitable, Callable, Iterator
from contextlib import closing, contextmanager
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import asyncpg
import pytest

from api.database_url import SqliteUrl, read_url
from api.db import migrate as migrations
from api.db.engine import Database, open_database
from tests.support.postgres import postgres_database, server_of

NAME = "template.db"


def url_of(request: pytest.FixtureRequest, folder: Path) -> str:
    """Where a service of a fixture keeps its rows: on the kind of database that the fixture's parameter names."""
    if request.param == "sqlite":
        return f"sqlite:///{folder}/buddy.db"
    url: str = request.getfixturevalue("postgres_url")
    return url


@contextmanager
def empty_database(kind: str, request: pytest.FixtureRequest, folder: Path) -> Iterator[str]:
    """The URL of a new empty database; `kind` is sqlite or postgresql."""
    if kind == "sqlite":
        yield f"sqlite:///{folder}/buddy.db"
        return
    server = server_of(request.getfixturevalue("postgres_url"))
    with postgres_database(server, f"{request.getfixturevalue('worker')}_own") as url:
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


def migrate(url: str) -> None:
    """Give the database the newest tables and the catalog. A new SQLite file is a copy of one that has them."""
    address = read_url(url)
    if not isinstance(address, SqliteUrl) or address.file.exists():
        asyncio.run(_migrate(url))
        return
    address.file.parent.mkdir(parents=True, exist_ok=True)
    for file in _template().iterdir():  # the database, and what belongs to it
        shutil.copy(file, address.file.with_name(file.name.replace(NAME, address.file.name, 1)))


@cache
def _template() -> Path:
    """A folder with the files of a migrated SQLite database."""
    folder = Path(tempfile.mkdtemp(prefix="buddy-template-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    asyncio.run(_migrate(f"sqlite:///{folder}/{NAME}"))
    return folder


async def _migrate(url: str) -> None:
    database = open_database(url)
    try:
        await migrations.prepare(database)
    finally:
        await database.close()

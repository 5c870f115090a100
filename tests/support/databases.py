"""Databases for the services of the tests."""

import asyncio
import atexit
import shutil
import tempfile
from functools import cache
from pathlib import Path

import pytest

from api.database_url import SqliteUrl, read_url
from api.db import migrate as migrations
from api.db.engine import open_database

NAME = "template.db"


def url_of(request: pytest.FixtureRequest, folder: Path) -> str:
    """Where a service of a fixture keeps its rows: on the kind of database that the fixture's parameter names."""
    if request.param == "sqlite":
        return f"sqlite:///{folder}/buddy.db"
    url: str = request.getfixturevalue("postgres_url")
    return url


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

"""Brings a database to the tables and the catalogue of this version: under a lock, in one transaction."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, text
from sqlalchemy.ext.asyncio import AsyncConnection

from api.database import Database
from api.models import Base
from api.seeds import seed

LOCK = 7_245_113_908
"""PostgreSQL's advisory lock under which one process migrates; SQLite's writers are alone anyway."""


async def prepare(database: Database) -> None:
    """Migrate to the newest tables and seed the catalogue. Safe to call from several processes at once."""
    async with database.writing.begin() as connection:
        await _locked(connection)
        await connection.run_sync(_run, lambda config: command.upgrade(config, "head"))
        await connection.run_sync(seed)


async def upgrade(database: Database, revision: str = "head") -> None:
    """Migrate up to `revision`."""
    async with database.writing.begin() as connection:
        await _locked(connection)
        await connection.run_sync(_run, lambda config: command.upgrade(config, revision))


async def downgrade(database: Database, revision: str) -> None:
    """Migrate down to `revision`; `base` removes all tables, and what is in them."""
    async with database.writing.begin() as connection:
        await _locked(connection)
        await connection.run_sync(_run, lambda config: command.downgrade(config, revision))


async def current_revision(database: Database) -> str | None:
    """The revision that the database has, None for an empty one."""
    async with database.reading.connect() as connection:
        return await connection.run_sync(lambda sync: MigrationContext.configure(sync).get_current_revision())


def newest_revision() -> str | None:
    """The revision that this version of the code needs."""
    return ScriptDirectory.from_config(_config()).get_current_head()


async def differences(database: Database) -> list[str]:
    """What the tables lack, or have too much, compared with the models."""

    def compare(connection: Connection) -> list[str]:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        return [str(difference) for difference in compare_metadata(context, Base.metadata)]

    async with database.reading.connect() as connection:
        return await connection.run_sync(compare)


async def _locked(connection: AsyncConnection) -> None:
    if connection.dialect.name == "postgresql":
        await connection.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": LOCK})


def _run(connection: Connection, run: Callable[[Config], Any]) -> None:
    config = _config()
    config.attributes["connection"] = connection
    run(config)


def _config() -> Config:
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).with_name("migrations")))
    return config

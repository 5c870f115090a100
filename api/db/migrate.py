"""Migrates a database to the tables and the catalog of this version, under a lock and in one transaction.

Alembic is imported only where there is something to migrate: most starts of the service find the newest tables, and
Alembic with its templates and all migrations takes a tenth of a start.
"""

from collections import Counter
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sqlalchemy import Connection, inspect, text
from sqlalchemy.ext.asyncio import AsyncConnection

from api.db import erasures
from api.db.engine import Database
from api.db.seed import seed
from api.models import Base

if TYPE_CHECKING:
    from alembic.config import Config

MIGRATIONS = Path(__file__).parents[1] / "migrations"
LOCK = 7_245_113_908
"""PostgreSQL's advisory lock for migrations; SQLite allows only one writer anyway."""


class BrokenReferences(RuntimeError):
    """A migration left rows with broken foreign keys and was rolled back."""


async def prepare(database: Database) -> Counter[str]:
    """Migrate to the newest tables and seed the catalog. Safe to call from several processes at once.

    Returns the repeated erasures after a restore on PostgreSQL, by table.
    """
    newest = newest_revision()
    async with _migrating(database, newest) as connection:
        if await connection.run_sync(_revision) != newest:
            await connection.run_sync(_upgrade, "head")
        erased: Counter[str] = Counter()
        if connection.dialect.name == "postgresql":
            await connection.run_sync(erasures.create_table)
            erased = await connection.run_sync(erasures.replay_pending)
        elif connection.engine.url.database:
            erasures.create_file(erasures.ledger_file(Path(connection.engine.url.database)))
        await connection.run_sync(seed)
    return erased


async def upgrade(database: Database, revision: str = "head") -> None:
    """Migrate up to `revision`."""
    async with _migrating(database) as connection:
        await connection.run_sync(_upgrade, revision)


async def downgrade(database: Database, revision: str) -> None:
    """Migrate down to `revision`; `base` removes all tables and their rows."""
    from alembic import command  # noqa: PLC0415

    async with _migrating(database) as connection:
        await connection.run_sync(_run, lambda config: command.downgrade(config, revision))


async def current_revision(database: Database) -> str | None:
    """The revision of the database, None if it is empty."""
    async with database.reading.connect() as connection:
        return await connection.run_sync(_revision)


def is_known(revision: str) -> bool:
    """Whether this version of the code has that revision."""
    return revision in _revisions()


def newest_revision() -> str:
    """The revision that this version of the code needs."""
    return _revisions()[-1]


async def differences(database: Database) -> list[str]:
    """The differences between the tables and the models."""
    from alembic.autogenerate import compare_metadata  # noqa: PLC0415
    from alembic.migration import MigrationContext  # noqa: PLC0415

    def compare(connection: Connection) -> list[str]:
        context = MigrationContext.configure(connection, opts={"compare_type": True, "include_name": _is_ours})
        return [str(difference) for difference in compare_metadata(context, Base.metadata)]

    async with database.reading.connect() as connection:
        return await connection.run_sync(compare)


def _is_ours(name: str | None, kind: str, _parents: object) -> bool:
    """Exclude the ledger of erasures, which survives a restore and is not part of the models."""
    return kind != "table" or name != erasures.LEDGER.name


@asynccontextmanager
async def _migrating(database: Database, target: str | None = None) -> AsyncIterator[AsyncConnection]:
    """One transaction under the lock; it skips the checks if the database is at `target` already.

    SQLite cannot change a column: a migration creates a new table and drops the old one. With foreign keys on, the drop
    deletes all rows that refer to the old table. So foreign keys are off during a migration, and are checked before
    the commit. Raises BrokenReferences.
    """
    async with database.writing.connect() as connection:
        if connection.dialect.name == "postgresql":
            async with connection.begin():
                await connection.execute(text("SET LOCAL statement_timeout = 0"))  # a migration has no time limit
                await connection.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": LOCK})
                yield connection
            return
        await _set_foreign_keys(connection, "OFF")
        try:
            async with connection.begin():
                before = await connection.run_sync(_revision)
                broken = await _broken_references(connection) if before != target else set()
                yield connection
                if await connection.run_sync(_revision) != before:
                    added = await _broken_references(connection) - broken
                    if added:
                        raise BrokenReferences(f"the migration would break references of {', '.join(sorted(added))}")
        finally:
            await _set_foreign_keys(connection, "ON")


async def _set_foreign_keys(connection: AsyncConnection, value: str) -> None:
    """Set the pragma outside a transaction, where SQLite accepts it; SQLAlchemy would begin one."""
    driver = (await connection.get_raw_connection()).driver_connection
    assert driver is not None  # noqa: S101 - just opened
    await (await driver.execute(f"PRAGMA foreign_keys = {value}")).close()


async def _broken_references(connection: AsyncConnection) -> set[str]:
    """Tables with rows whose foreign keys are broken."""
    return {row[0] for row in await connection.execute(text("PRAGMA foreign_key_check"))}


def _revision(connection: Connection) -> str | None:
    if not inspect(connection).has_table("alembic_version"):
        return None
    return connection.execute(text("SELECT version_num FROM alembic_version")).scalar_one_or_none()


def _revisions() -> list[str]:
    """All revisions, in their order. The names of the files begin with them."""
    return sorted(file.name.partition("_")[0] for file in (MIGRATIONS / "versions").glob("0*.py"))


def _upgrade(connection: Connection, revision: str) -> None:
    from alembic import command  # noqa: PLC0415

    _run(connection, lambda config: command.upgrade(config, revision))


def _run(connection: Connection, run: "Callable[[Config], Any]") -> None:
    from alembic.config import Config  # noqa: PLC0415

    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    config.attributes["connection"] = connection
    run(config)

"""What commands share: settings and database from the environment, and failures in one clear line."""

import asyncio
import re
import signal
import sqlite3
import sys
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager

import typer
from pydantic import ValidationError

from api.database_url import BadDatabaseUrl, PostgresUrl, SqliteUrl
from api.db.engine import COMMAND_SECONDS, Database, open_database
from api.db.failures import MAY_BE_AWAY
from api.db.postgres import is_pooled
from api.settings import Settings

LONGEST_LINE = 300
"""Characters of a driver's message that are shown."""


def with_database[T](settings: Settings, run: Callable[[Database], Awaitable[T]], *, is_long: bool = False) -> T:
    """Run something on the database of the settings, and say in one line why it cannot be reached. What `is_long`, an
    export or a migration, may take any time; every other statement has a limit."""

    async def connected() -> T:
        task = asyncio.current_task()
        if task is not None and sys.platform != "win32":  # whoever ends a command ends its query too, and its files
            asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, task.cancel)
        database = open_database(
            settings.database,
            pool_size=settings.database_pool_size,
            seconds=None,
            statement_seconds=None if is_long else COMMAND_SECONDS,
        )
        try:
            return await run(database)
        finally:
            await database.close()

    try:
        if isinstance(settings.database, SqliteUrl):
            settings.database.file.parent.mkdir(parents=True, exist_ok=True)
            # Here, since the driver's thread complains on stderr when its loop has ended before it could say so.
            sqlite3.connect(settings.database.file).close()
        return asyncio.run(connected())
    except asyncio.CancelledError as error:
        raise typer.Exit(128 + signal.SIGTERM) from error


@contextmanager
def exit_on(*expected: type[Exception]) -> Iterator[None]:
    """Exit with 1 and the message of an expected error."""
    try:
        yield
    except expected as error:
        print(f"error: {error}", file=sys.stderr)
        raise typer.Exit(1) from error


def to_the_server_itself(settings: Settings) -> SqliteUrl | PostgresUrl:
    """The database for PostgreSQL's own programs. Exits with 1 where a pooler is in the way: pg_dump empties the search
    path of its session, and the pooler would hand that session to the service."""
    url = settings.database
    if isinstance(url, PostgresUrl) and asyncio.run(is_pooled(url)):
        print(
            "error: DATABASE_URL leads to a pooler: name the PostgreSQL server itself for this command", file=sys.stderr
        )
        raise typer.Exit(1)
    return url


@contextmanager
def failures_in_one_line() -> Iterator[None]:
    """Around every command: what the surroundings do (a setting, a database, a disk) ends in one line, and only a fault
    of ours in a traceback."""
    try:
        yield
    except Exception as error:
        line = explained(error)
        if line is None:
            raise
        print(f"error: {line}", file=sys.stderr)
        sys.exit(1)


def explained(error: BaseException) -> str | None:
    """What went wrong in one line without secrets, None for what nobody foresaw."""
    if isinstance(error, BadDatabaseUrl):
        return f"DATABASE_URL {error}"
    if isinstance(error, OSError) and error.filename is not None:
        return f"{error.filename}: {error.strerror}"
    if isinstance(error, MAY_BE_AWAY):
        return f"database: {_first_line(error)}"
    from alembic.util import CommandError  # noqa: PLC0415 - only where something failed

    if not isinstance(error, CommandError):
        return None
    unknown = re.search(r"locate revision identified by '(\w+)'", str(error))
    if unknown:
        return f"the database is at {unknown[1]}, which this version does not know: run the newer version that made it"
    return _first_line(error)


def read_settings() -> Settings:
    """The settings; exits with 2 and a line for each that is wrong."""
    try:
        return Settings()
    except ValidationError as error:
        for problem in error.errors():
            name = ".".join(map(str, problem["loc"])).upper()
            said = problem["msg"].removeprefix("Value error, ")
            print(f"error: {name}: {said}" if name else f"error: {said}", file=sys.stderr)
        raise typer.Exit(2) from error
    except UnicodeDecodeError as error:
        print("error: .env is not UTF-8", file=sys.stderr)
        raise typer.Exit(2) from error


def _first_line(error: BaseException) -> str:
    line = str(error).strip().partition("\n")[0][:LONGEST_LINE]
    return line or type(error).__name__

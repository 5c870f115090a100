"""Shared code of commands: settings and database from the environment, and errors in one clear line."""

import asyncio
import json
import re
import signal
import sqlite3
import sys
from collections.abc import Awaitable, Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Annotated

import typer
from pydantic import ValidationError

from api.database_url import BadDatabaseUrl, PostgresUrl, SqliteUrl
from api.db.engine import COMMAND_SECONDS, POOL_SIZE, Database, open_database
from api.db.failures import MAY_BE_AWAY, is_without_tables
from api.db.postgres import is_pooled
from api.settings import Settings

Json = Annotated[bool, typer.Option("--json", help="Print one JSON document instead of text.")]
"""The option of every command that prints something for scripts."""
WITHOUT_TABLES = "the database has no tables, or those of an older version: run `buddy db upgrade`"
LONGEST_LINE = 300
"""Characters of a driver's message that are shown."""


class Unknown(ValueError):
    """There is no such user, household, member or token."""


def with_database[T](settings: Settings, run: Callable[[Database], Awaitable[T]], *, is_long: bool = False) -> T:
    """Call `run` with the database of the settings; if the database cannot be reached, exit with an error of one line.
    `is_long` (exports, migrations) removes the time limit of statements."""

    try:
        return run_with_database(
            settings.database,
            run,
            pool_size=settings.database_pool_size,
            statement_seconds=None if is_long else COMMAND_SECONDS,
        )
    except asyncio.CancelledError as error:
        raise typer.Exit(128 + signal.SIGTERM) from error


def run_with_database[T](
    url: SqliteUrl | PostgresUrl,
    run: Callable[[Database], Awaitable[T]],
    *,
    pool_size: int = POOL_SIZE,
    statement_seconds: float | None = None,
) -> T:
    """Call `run` with the database at `url`. Raises CancelledError after SIGTERM, when `run` has cleaned up."""

    async def connected() -> T:
        task = asyncio.current_task()
        if task is not None and sys.platform != "win32":  # ending a command also ends its query and removes its files
            asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, task.cancel)
        database = open_database(url, pool_size=pool_size, seconds=None, statement_seconds=statement_seconds)
        try:
            return await run(database)
        finally:
            await database.close()

    if isinstance(url, SqliteUrl):
        url.file.parent.mkdir(parents=True, exist_ok=True)
        # Close here: the driver's thread prints an error on stderr if its loop ends first.
        sqlite3.connect(url.file).close()
    return asyncio.run(connected())


@contextmanager
def exit_on(*expected: type[Exception]) -> Iterator[None]:
    """Exit with 1 and the message of an expected error."""
    try:
        yield
    except expected as error:
        print(f"error: {error}", file=sys.stderr)
        raise typer.Exit(1) from error


def to_the_server_itself(settings: Settings) -> SqliteUrl | PostgresUrl:
    """The database for PostgreSQL's own programs. Exits with 1 behind a pooler: pg_dump clears the search path of its
    session, and the pooler would give that session to the service."""
    url = settings.database
    if isinstance(url, PostgresUrl) and asyncio.run(is_pooled(url)):
        print(
            "error: DATABASE_URL leads to a pooler: name the PostgreSQL server itself for this command", file=sys.stderr
        )
        raise typer.Exit(1)
    return url


def show_link(made: Mapping[str, str], *, as_json: bool) -> None:
    """Print a `link` that works once, and `until` when."""
    typer.echo(json.dumps(made) if as_json else f"{made['link']}\nworks once, until {made['until']}")


@contextmanager
def failures_in_one_line() -> Iterator[None]:
    """Wraps every command: an error of the environment (a setting, a database, a disk) prints one line; only a bug of
    this service prints a traceback."""
    try:
        yield
    except Exception as error:
        line = explained(error)
        if line is None:
            raise
        print(f"error: {line}", file=sys.stderr)
        sys.exit(1)


def explained(error: BaseException) -> str | None:
    """The error in one line without secrets, None for an unexpected error."""
    if isinstance(error, BadDatabaseUrl):
        return f"DATABASE_URL {error}"
    if isinstance(error, OSError) and error.filename is not None:
        return f"{error.filename}: {error.strerror}"
    if isinstance(error, MAY_BE_AWAY):
        return WITHOUT_TABLES if is_without_tables(error) else f"database: {_first_line(error)}"
    from alembic.util import CommandError  # noqa: PLC0415 - only where something failed

    if not isinstance(error, CommandError):
        return None
    unknown = re.search(r"locate revision identified by '(\w+)'", str(error))
    if unknown:
        return f"the database is at {unknown[1]}, which this version does not know: run the newer version that made it"
    return _first_line(error)


def read_settings() -> Settings:
    """The settings. Exits with 2 and one line for each invalid setting."""
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

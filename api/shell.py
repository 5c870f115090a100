"""What commands share: settings and database from the environment, and failures in one clear line."""

import asyncio
import signal
import sys
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import typer
from pydantic import ValidationError

from api.database import Database, async_url, open_database
from api.settings import Settings


def with_database[T](settings: Settings, run: Callable[[Database], Awaitable[T]]) -> T:
    """Run something on the database of the settings, and say in one line why it cannot be reached."""
    from sqlalchemy.exc import SQLAlchemyError  # noqa: PLC0415

    async def connected() -> T:
        task = asyncio.current_task()
        if task is not None and sys.platform != "win32":  # whoever ends a command ends its query too, and its files
            asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, task.cancel)
        database = open_database(settings.database_url)
        try:
            return await run(database)
        finally:
            await database.close()

    try:
        url = async_url(settings.database_url)
    except ValueError as error:
        print(f"error: {error}", file=sys.stderr)
        raise typer.Exit(1) from error
    try:
        if url.get_backend_name() == "sqlite" and url.database:
            Path(url.database).parent.mkdir(parents=True, exist_ok=True)
        return asyncio.run(connected())
    except asyncio.CancelledError as error:
        raise typer.Exit(128 + signal.SIGTERM) from error
    except (SQLAlchemyError, OSError) as error:
        print(f"error: database: {str(error).partition(chr(10))[0]}", file=sys.stderr)
        raise typer.Exit(1) from error


@contextmanager
def one_clear_line(*expected: type[Exception]) -> Iterator[None]:
    """Exit with 1 and the message of an expected error."""
    try:
        yield
    except expected as error:
        print(f"error: {error}", file=sys.stderr)
        raise typer.Exit(1) from error


def read_settings() -> Settings:
    """The settings; exits with 2 and a line for each that is wrong."""
    try:
        return Settings()
    except ValidationError as error:
        for problem in error.errors():
            print(f"error: {'.'.join(map(str, problem['loc'])).upper()}: {problem['msg']}", file=sys.stderr)
        raise typer.Exit(2) from error

"""The `buddy` command: runs the service and its tools."""

import json
import logging
import os
import socket
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext, suppress
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from api.admin.commands import admin
from api.auth.commands import secrets_app
from api.console import Json, exit_on, failures_in_one_line, read_settings, to_the_server_itself, with_database
from api.database_url import PostgresUrl
from api.db.engine import Database
from api.garbage import frozen_afterwards
from api.kakei.accounts.commands import user
from api.kakei.exports.commands import research
from api.kakei.studies.commands import study
from api.kinderbud.claude.commands import claude_key
from api.kinderbud.households.commands import household, token
from api.kinderbud.members.commands import hand_over, remove_member, set_role
from api.kinderbud.today.commands import curate
from api.kinderbud.web.commands import browser_link, invite, reset_link, waiting
from api.settings import Settings

STARTUP_FAILURE = 3
"""Exit code of a server process that does not start."""

app = typer.Typer(
    help="Run Buddy Coach. Settings are environment variables; .env.example explains each.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
)


db = typer.Typer(help="Manage the database (DATABASE_URL).", no_args_is_help=True)
app.add_typer(db, name="db")
app.add_typer(user, name="user")
app.add_typer(secrets_app, name="secrets")
app.add_typer(research, name="research")
app.add_typer(study, name="study")
app.add_typer(admin, name="admin")
app.add_typer(household, name="household")
app.add_typer(token, name="token")
household.command("claude-key")(claude_key)
household.command("reset-link")(reset_link)
household.command("browser-link")(browser_link)
household.command()(invite)
household.command("set-role")(set_role)
household.command("hand-over")(hand_over)
household.command("remove-member")(remove_member)
household.command()(waiting)
app.command()(curate)


@app.callback()
def _main() -> None:
    """Arguments must be text in UTF-8: a shell passes other bytes as surrogates, which no database can store."""
    from api.http.text import is_storable  # noqa: PLC0415

    os.umask(0o077)  # other accounts of this machine must not read files that a command writes

    if not all(map(is_storable, sys.argv)):
        print("error: an argument is no text in UTF-8", file=sys.stderr)
        raise typer.Exit(2)


@app.command()
def serve(
    host: Annotated[str | None, typer.Option(help="Address to listen on; HOST, else 127.0.0.1.")] = None,
    port: Annotated[int | None, typer.Option(help="Port to listen on; PORT, else 8000.", min=0, max=65535)] = None,
) -> None:
    """Serve the API until SIGINT or SIGTERM."""
    from api.admin.accounts import seed_operator  # noqa: PLC0415
    from api.auth.keyring import SecretMissing, keyring  # noqa: PLC0415
    from api.db import migrate, scratch, unfinished  # noqa: PLC0415 - `buddy --help` should not wait for the service
    from api.db.private_files import make_private  # noqa: PLC0415
    from api.db.service_lock import ServiceRuns, file_lock  # noqa: PLC0415
    from api.db.waiting import NeverCame, when_there  # noqa: PLC0415
    from api.http.listening import CannotListen, listening  # noqa: PLC0415
    from api.kakei.exports.spool import sweep  # noqa: PLC0415
    from api.observability.logging import configure  # noqa: PLC0415 - `buddy --help` should not wait for the service

    settings = read_settings()

    async def prepare(database: Database) -> None:
        seconds = settings.database_wait_seconds if isinstance(settings.database, PostgresUrl) else 0.0
        await when_there(lambda: migrate.prepare(database), seconds, typer.echo)

    with (
        exit_on(SecretMissing, CannotListen, NeverCame, ServiceRuns),
        file_lock(settings.database, exclusive=False),
        listening(host or settings.host, settings.port if port is None else port) as sockets,
    ):
        keyring(settings)
        with_database(settings, prepare, is_long=True)
        configure(settings)
        with_database(settings, lambda database: seed_operator(database, settings))
        for file in make_private(settings.database):
            logging.getLogger("api.cli.main").warning("other accounts may read %s", file)
        sweep()
        unfinished.sweep()
        scratch.sweep(scratch.restore_parent(settings.database))
        with _shared_metrics(settings.web_concurrency) if settings.web_concurrency > 1 else nullcontext():
            _serve(settings, sockets)


def _serve(settings: Settings, sockets: list[socket.socket]) -> None:
    """Serve on these sockets until a signal. Exits with 3 if a process does not start."""
    with frozen_afterwards():
        import structlog  # noqa: PLC0415
        import uvicorn  # noqa: PLC0415
        from uvicorn.supervisors import Multiprocess  # noqa: PLC0415

        from api.app import create_app  # noqa: PLC0415
        from api.http.listening import url_of  # noqa: PLC0415
        from api.http.server import server_config  # noqa: PLC0415

        has_workers = settings.web_concurrency > 1
        # Workers create the app themselves, from the same environment.
        config = server_config("api.app:create_app" if has_workers else create_app(settings), settings)
    structlog.get_logger("api.cli.main").info("listening, Ctrl-C ends it", url=url_of(sockets))
    if has_workers:
        supervisor = Multiprocess(config, sockets=sockets)
        supervisor.run()
        is_started = all(one.exitcode != STARTUP_FAILURE for one in supervisor.processes)
    else:
        server = uvicorn.Server(config)
        with suppress(KeyboardInterrupt):
            server.run(sockets=sockets)
        is_started = server.started
    if not is_started:
        raise typer.Exit(STARTUP_FAILURE)


@contextmanager
def _shared_metrics(workers: int) -> Iterator[None]:
    """A folder in which the workers share their metrics while they run."""
    import structlog  # noqa: PLC0415

    from api.observability.metrics import SHARED  # noqa: PLC0415

    with tempfile.TemporaryDirectory(prefix="buddy-metrics-") as folder:
        os.environ[SHARED] = folder
        structlog.get_logger("api.cli.main").info("several workers", workers=workers)
        yield


@db.command()
def upgrade(revision: Annotated[str, typer.Argument(help="The revision to stop at.")] = "head") -> None:
    """Upgrade the tables and the catalog to this version."""
    from api.db import migrate  # noqa: PLC0415

    async def run(database: Database) -> None:
        await (migrate.prepare(database) if revision == "head" else migrate.upgrade(database, revision))

    with_database(read_settings(), run, is_long=True)
    typer.echo(f"upgraded to {revision}")


@db.command()
def downgrade(
    revision: Annotated[str, typer.Argument(help="The revision to go back to; `base` removes every table.")],
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask for confirmation, although data may be lost.")] = False,
) -> None:
    """Undo migrations, and delete the data in the tables that they made."""
    from api.db import migrate  # noqa: PLC0415

    if not yes:
        typer.confirm(f"Going back to {revision} deletes data. Go on?", abort=True)
    with_database(read_settings(), lambda database: migrate.downgrade(database, revision), is_long=True)
    typer.echo(f"downgraded to {revision}")


@db.command()
def check() -> None:
    """Check that the database has the tables of this version; exits with 1 if not."""
    from api.db import migrate  # noqa: PLC0415

    revision = with_database(read_settings(), migrate.current_revision)
    differences = with_database(read_settings(), migrate.differences)
    newest = migrate.newest_revision()
    for difference in differences:
        typer.echo(difference)
    if revision != newest or differences:
        typer.echo(f"error: the database is at {revision or 'nothing'}, this version needs {newest}", err=True)
        raise typer.Exit(1)
    typer.echo(f"the database is at {revision}, as this version needs it")


@db.command()
def backup(file: Annotated[Path, typer.Argument(help="The file to write; it must not exist.")]) -> None:
    """Write a backup while the service runs: SQLite's online backup, or pg_dump."""
    from api.db import backup as backups  # noqa: PLC0415

    with exit_on(backups.BackupFailed):
        backups.backup(to_the_server_itself(read_settings()), file)
    typer.echo(f"{file}: {file.stat().st_size} bytes")


@db.command()
def restore(
    file: Annotated[Path, typer.Argument(help="The backup to restore.")],
    yes: Annotated[
        bool, typer.Option("--yes", help="Do not ask for confirmation, although the current data is replaced.")
    ] = False,
    without_checksum: Annotated[
        bool, typer.Option("--without-checksum", help="Accept a backup of an older version, which has none.")
    ] = False,
    as_json: Json = False,
) -> None:
    """Replace the database by a backup, and erase again the users erased since. Stop the service first."""
    from api.db import backup as backups  # noqa: PLC0415

    if not yes:
        typer.confirm("This replaces everything in the database. Go on?", abort=True)
    with exit_on(backups.BackupFailed):
        url = to_the_server_itself(read_settings())
        missing = backups.missing_ledger(url)
        erased = backups.restore(url, file, without_checksum=without_checksum)
    if missing:
        typer.echo(f"warning: {missing} is not there: people who were erased after the backup are back", err=True)
    if without_checksum:
        typer.echo("warning: without a checksum, damage may go unnoticed", err=True)
    again = ", ".join(f"{count} {table}" for table, count in sorted(erased.items())) or "none"
    receipt = {"restored": str(file), "erased_again": dict(erased)}
    typer.echo(json.dumps(receipt) if as_json else f"restored from {file}; erased again: {again}")


@app.command()
def doctor(as_json: Json = False) -> None:
    """Check settings, database and model; exits with 1 if something must be done."""
    import structlog  # noqa: PLC0415
    from rich.console import Console  # noqa: PLC0415
    from rich.table import Table  # noqa: PLC0415

    from api.cli.doctor import examine  # noqa: PLC0415

    settings = read_settings()
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.CRITICAL))
    findings = with_database(settings, lambda database: examine(settings, database))
    if as_json:
        typer.echo(json.dumps([asdict(finding) for finding in findings]))
    else:
        table = Table("", "", "found", show_edge=False)
        for finding in findings:
            table.add_row("[green]fine[/green]" if finding.fine else "[red]look[/red]", finding.what, finding.found)
        Console().print(table)
    if not all(finding.fine for finding in findings):
        raise typer.Exit(1)


def main() -> None:
    """Run `buddy`."""
    with failures_in_one_line():
        app()

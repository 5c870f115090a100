"""`buddy`: run the service."""

import json
import logging
import os
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer

from api.admin.commands import admin
from api.database import Database
from api.kakei.exports.commands import research
from api.kakei.studies.commands import study
from api.kinderbud.claude.commands import claude_key, curate
from api.kinderbud.family.commands import browser_link, invite, reset_link, waiting
from api.kinderbud.households.commands import household, token
from api.kinderbud.members.commands import hand_over, remove_member, set_role
from api.shell import one_clear_line, read_settings, with_database

DRAIN_SECONDS = 25
"""After SIGTERM, how long open requests may take."""

app = typer.Typer(
    help="Run Buddy Coach. Settings are environment variables; .env.example explains each.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
)


db = typer.Typer(help="Look after the database (DATABASE_URL).", no_args_is_help=True)
app.add_typer(db, name="db")
user = typer.Typer(help="Look after users.", no_args_is_help=True)
app.add_typer(user, name="user")
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
    """Arguments are text in UTF-8: a shell passes other bytes as half characters, which no database can hold."""
    from api.http.text import is_storable  # noqa: PLC0415

    if not all(map(is_storable, sys.argv)):
        print("error: an argument is no text in UTF-8", file=sys.stderr)
        raise typer.Exit(2)


@app.command()
def serve(
    host: Annotated[str | None, typer.Option(help="Where to listen; HOST, else 127.0.0.1.")] = None,
    port: Annotated[int | None, typer.Option(help="Port to listen on; PORT, else 8000.", min=0, max=65535)] = None,
) -> None:
    """Serve the API until SIGINT or SIGTERM."""
    import uvicorn  # noqa: PLC0415 - `buddy --help` should not wait for the service

    from api import logs, storage  # noqa: PLC0415
    from api.admin.accounts import seed_operator  # noqa: PLC0415
    from api.app import create_app  # noqa: PLC0415
    from api.kakei.exports.routes import sweep  # noqa: PLC0415
    from api.security import SecretMissing, keyring  # noqa: PLC0415

    settings = read_settings()
    with one_clear_line(SecretMissing):
        keyring(settings)
    with_database(settings, storage.prepare)
    logs.configure(settings)
    with_database(settings, lambda database: seed_operator(database, settings))
    sweep()
    with _shared_metrics(settings.web_concurrency) if settings.web_concurrency > 1 else nullcontext():
        uvicorn.run(
            # Workers make the app themselves, from the same environment.
            "api.app:create_app" if settings.web_concurrency > 1 else create_app(settings),
            factory=settings.web_concurrency > 1,
            workers=settings.web_concurrency,
            host=host or settings.host,
            port=settings.port if port is None else port,
            log_config=None,
            access_log=False,
            proxy_headers=bool(settings.trusted_proxies),
            forwarded_allow_ips=list(settings.trusted_proxies),
            timeout_graceful_shutdown=DRAIN_SECONDS,
        )


@contextmanager
def _shared_metrics(workers: int) -> Iterator[None]:
    """A folder in which the workers count together, for as long as they run."""
    import structlog  # noqa: PLC0415

    from api.telemetry import SHARED  # noqa: PLC0415

    with tempfile.TemporaryDirectory(prefix="buddy-metrics-") as folder:
        os.environ[SHARED] = folder
        structlog.get_logger("api.cli").info("several workers", workers=workers)
        yield


@db.command()
def upgrade(revision: Annotated[str, typer.Argument(help="Where to stop.")] = "head") -> None:
    """Bring the tables to this version, and the catalogue with them."""
    from api import storage  # noqa: PLC0415

    async def run(database: Database) -> None:
        await (storage.prepare(database) if revision == "head" else storage.upgrade(database, revision))

    with_database(read_settings(), run)
    typer.echo(f"upgraded to {revision}")


@db.command()
def downgrade(
    revision: Annotated[str, typer.Argument(help="The revision to go back to; `base` removes every table.")],
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask, although data may be lost.")] = False,
) -> None:
    """Take back migrations, and what is stored in the tables that they made."""
    from api import storage  # noqa: PLC0415

    if not yes:
        typer.confirm(f"Going back to {revision} deletes data. Go on?", abort=True)
    with_database(read_settings(), lambda database: storage.downgrade(database, revision))
    typer.echo(f"downgraded to {revision}")


@db.command()
def check() -> None:
    """Say whether the database has the tables of this version; exits with 1 if not."""
    from api import storage  # noqa: PLC0415

    revision = with_database(read_settings(), storage.current_revision)
    differences = with_database(read_settings(), storage.differences)
    newest = storage.newest_revision()
    for difference in differences:
        typer.echo(difference)
    if revision != newest or differences:
        typer.echo(f"error: the database is at {revision or 'nothing'}, this version needs {newest}", err=True)
        raise typer.Exit(1)
    typer.echo(f"the database is at {revision}, as this version needs it")


@db.command()
def backup(file: Annotated[Path, typer.Argument(help="The file to write; it must not be there yet.")]) -> None:
    """Write a backup while the service goes on: SQLite's online backup, or pg_dump."""
    from api import backup as backups  # noqa: PLC0415

    with one_clear_line(backups.BackupFailed):
        backups.backup(read_settings().database_url, file)
    typer.echo(f"{file}: {file.stat().st_size} bytes")


@db.command()
def restore(
    file: Annotated[Path, typer.Argument(help="The backup to restore.")],
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask, although what is there now is replaced.")] = False,
) -> None:
    """Replace the database by a backup; stop the service first."""
    from api import backup as backups  # noqa: PLC0415

    if not yes:
        typer.confirm("This replaces everything in the database. Go on?", abort=True)
    with one_clear_line(backups.BackupFailed):
        backups.restore(read_settings().database_url, file)
    typer.echo(f"restored from {file}")


@app.command()
def doctor(as_json: Annotated[bool, typer.Option("--json", help="Print JSON instead of a table.")] = False) -> None:
    """Look at settings, database and model; exits with 1 where something must be done."""
    import structlog  # noqa: PLC0415
    from rich.console import Console  # noqa: PLC0415
    from rich.table import Table  # noqa: PLC0415

    from api.doctor import examine  # noqa: PLC0415

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


@user.command()
def erase(
    uuid: Annotated[str, typer.Argument(help="The user's id, of whatever form.")],
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
) -> None:
    """Erase a user for good and print the receipt as JSON."""
    from api.kakei.accounts import everything, queries  # noqa: PLC0415

    async def run(database: Database) -> dict[str, object] | None:
        async with database.write() as session:
            found = await queries.user_by_uuid(session, uuid)
            if found is None:
                return None
            return everything.receipt(found.uuid, await everything.erase(session, found), datetime.now(UTC))

    if not yes:
        typer.confirm(f"Erase {uuid} and everything about them?", abort=True)
    receipt = with_database(read_settings(), run)
    if receipt is None:
        print(f"error: there is no user {uuid}", file=sys.stderr)
        raise typer.Exit(1)
    typer.echo(json.dumps(receipt))

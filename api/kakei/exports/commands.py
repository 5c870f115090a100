"""`buddy research`: exports, validation, the ledger of releases, and an operator's work for participants."""

import json
import tempfile
import zipfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import asdict
from datetime import datetime
from pathlib import Path
from typing import Annotated

import typer

from api.clock import timestamp, utc_now
from api.console import Json, Unknown, exit_on, read_settings, with_database
from api.db.engine import Database
from data.formats import FORMATS

research = typer.Typer(help="Export research data, and look after participants.", no_args_is_help=True)
MARK = "IDENTIFIERS"
"""Part of the name of every file that contains participant codes."""


@research.command()
def export(
    out: Annotated[Path, typer.Argument(help="The file to write, or the folder of a package; `.zip` packs it.")],
    kind: Annotated[str, typer.Option("--format", help=f"One of {', '.join(FORMATS)}.")] = "csv",
    since: Annotated[str | None, typer.Option(help="Only what changed since this release, with tombstones.")] = None,
    study: Annotated[str | None, typer.Option(help="Only this study version.")] = None,
    tables: Annotated[str, typer.Option(help="Only these tables, separated by commas; all by default.")] = "",
    identifiers: Annotated[bool, typer.Option("--identifiers", help="With participant codes; guard the file.")] = False,
    strict: Annotated[bool, typer.Option("--strict", help="Refuse where small cells would be suppressed.")] = False,
    as_json: Json = False,
) -> None:
    """Export the data of participants with consent in force: a dataset package, or one JSON document."""
    from api.db.unfinished import noted  # noqa: PLC0415 - help should not wait
    from api.kakei.exports.actions import export as export_data  # noqa: PLC0415
    from api.kakei.exports.actions import unfinished_names  # noqa: PLC0415
    from api.kakei.exports.request import BadRequest, ExportRequest, named_tables  # noqa: PLC0415
    from data.disclosure import TooSmall  # noqa: PLC0415

    if kind not in FORMATS:
        raise typer.BadParameter(f"{kind}: there is {', '.join(FORMATS)}", param_hint="--format")
    if identifiers and MARK not in out.name:
        out = out.with_name(f"{out.stem}-{MARK}{out.suffix}")
    if out.exists():
        raise typer.BadParameter(f"{out} is there already", param_hint="OUT")
    request = ExportRequest(kind, since, study, named_tables(tables), identifiers, strict)
    with (
        _reported(as_json, BadRequest, TooSmall, ImportError),
        _shown_progress() as progress,
        noted(*unfinished_names(out)),
    ):
        done = with_database(
            read_settings(), lambda database: export_data(database, request, out, utc_now(), progress), is_long=True
        )
    if as_json:
        typer.echo(json.dumps(asdict(done), default=_told))
        return
    rows = ", ".join(f"{name} {count}" for name, count in done.rows.items() if count)
    typer.echo(f"{done.path}: release {done.name}, {rows or 'no rows'} (digest {done.digest[:12]})")


@research.command()
def validate(
    package: Annotated[Path, typer.Argument(help="The folder of a dataset package, or its ZIP file.", exists=True)],
    as_json: Json = False,
) -> None:
    """Check a dataset package: digests, schema, Frictionless, Croissant. Exits with 1 if a check fails."""
    from rich.console import Console  # noqa: PLC0415
    from rich.table import Table  # noqa: PLC0415

    from data.packages.validation import validate as checks_of  # noqa: PLC0415 - pyarrow is an extra

    with exit_on(zipfile.BadZipFile, OSError), _unpacked(package) as folder:
        checks = checks_of(folder)
    if as_json:
        typer.echo(json.dumps([asdict(check) for check in checks]))
    else:
        table = Table("", "", "found", show_edge=False)
        words = {True: "[green]valid[/green]", False: "[red]wrong[/red]", None: "[yellow]not checked[/yellow]"}
        for check in checks:
            table.add_row(words[check.fine], check.what, check.found)
        Console().print(table)
    if any(check.fine is False for check in checks):
        raise typer.Exit(1)


@research.command()
def releases(as_json: Json = False) -> None:
    """List all exports with time, filters and number of rows."""
    from rich.console import Console  # noqa: PLC0415
    from rich.table import Table  # noqa: PLC0415

    from api.kakei.exports import queries  # noqa: PLC0415
    from api.models import Release  # noqa: PLC0415

    async def run(database: Database) -> list[Release]:
        async with database.read() as session:
            return await queries.releases(session)

    found = with_database(read_settings(), run)
    if as_json:
        names = ("name", "since", "filters", "rows", "changes", "digest", "snapshot_at")
        typer.echo(json.dumps([{name: getattr(one, name) for name in names} for one in found], default=_told))
        return
    table = Table(show_edge=False)
    for heading in ("release", "since", "format", "study", "participants", "rows", "digest"):
        table.add_column(heading, no_wrap=heading in {"release", "since"})
    for one in found:
        filters = one.filters
        table.add_row(
            *(one.name, one.since or "", filters["kind"], filters["study_version"] or "all"),
            *(str(one.rows.get("participants", 0)), str(sum(one.rows.values())), one.digest[:12]),
        )
    Console().print(table)


@research.command()
def withdraw(
    uuid: Annotated[str, typer.Argument(help="The user's id.")],
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
) -> None:
    """Withdraw the consent of a participant: the collection ends, and no later export includes them."""
    from api.kakei.accounts.queries import user_by_uuid  # noqa: PLC0415
    from api.kakei.consent.actions import NoConsent  # noqa: PLC0415
    from api.kakei.consent.actions import withdraw as withdraw_consent  # noqa: PLC0415

    async def run(database: Database) -> None:
        async with database.write() as session:
            user = await user_by_uuid(session, uuid, for_update=True)
            if user is None:
                raise Unknown(f"there is no user {uuid}")
            await withdraw_consent(session, user, utc_now())

    if not yes:
        typer.confirm(f"Take back the consent of {uuid}?", abort=True)
    try:
        with exit_on(Unknown):
            with_database(read_settings(), run)
    except NoConsent:
        typer.echo("there was no consent in force")
    else:
        typer.echo("consent taken back")


@research.command("rotate-pseudonyms")
def rotate_pseudonyms(
    study: Annotated[str, typer.Argument(help="The study version.")],
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
) -> None:
    """Give every participant of a study a new pseudonym that cannot be linked to the old one."""
    from api.auth.keyring import SecretMissing, keyring  # noqa: PLC0415
    from api.kakei.consent import queries  # noqa: PLC0415

    settings = read_settings()

    async def run(database: Database) -> int:
        async with database.write() as session:
            return await queries.rotate_pseudonyms(session, keyring(settings), study, utc_now())

    if not yes:
        typer.confirm(f"Later exports of {study} will not match earlier ones. Go on?", abort=True)
    with exit_on(SecretMissing):
        renamed = with_database(settings, run)
    typer.echo(f"{renamed} participants of {study} have new pseudonyms")


@contextmanager
def _reported(as_json: bool, *expected: type[Exception]) -> Iterator[None]:
    """Print an expected error in one line, or as JSON with its kind."""
    if not as_json:
        with exit_on(*expected):
            try:
                yield
            except ImportError as error:
                raise _needs_extra(error) from error
        return
    try:
        yield
    except expected as error:
        typer.echo(json.dumps({"error": type(error).__name__, "detail": str(error)}))
        raise typer.Exit(1) from error


def _needs_extra(error: ImportError) -> ImportError:
    return ImportError(f"this format needs {error.name}: pip install 'buddy-coach[research]', or --format json")


def _told(value: object) -> str:
    """The JSON form of a value for which JSON has no type."""
    return timestamp(value) if isinstance(value, datetime) else str(value)


@contextmanager
def _shown_progress() -> Iterator[Callable[[str, int], None]]:
    from rich.console import Console  # noqa: PLC0415
    from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn  # noqa: PLC0415

    console = Console(stderr=True)
    columns = (SpinnerColumn(), TextColumn("{task.description}"), TimeElapsedColumn())
    with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as bar:
        task = bar.add_task("reading")
        yield lambda table, rows: bar.update(task, description=f"{table}: {rows:,} rows")


@contextmanager
def _unpacked(package: Path) -> Iterator[Path]:
    """The folder of a package; a ZIP file is unpacked temporarily."""
    with tempfile.TemporaryDirectory() if package.is_file() else nullcontext() as folder:
        if folder is None:
            yield package
            return
        with zipfile.ZipFile(package) as packed:
            packed.extractall(folder)
        inside = [entry for entry in Path(folder).iterdir() if entry.is_dir()]
        yield inside[0] if len(inside) == 1 else Path(folder)

"""Backups with SQLite's online backup or pg_dump, both in one file format (`api/db/backup_file.py`).

A backup runs while the service runs. A restore needs exclusive access to the database. It checks the file before it
changes anything, migrates older tables, and repeats the erasures that are newer than the backup.
"""

import asyncio
import importlib.metadata
import os
import re
import shutil
import sqlite3
import subprocess
from collections import Counter
from contextlib import closing, suppress
from datetime import UTC, datetime
from pathlib import Path

from api.clock import utc_now
from api.database_url import PostgresUrl, SqliteUrl
from api.db import erasures, migrate
from api.db.backup_file import BackupDamaged, Manifest, pack, read_manifest, unpack
from api.db.engine import open_database
from api.db.postgres import RESTORE_LOCK, Connector
from api.db.scratch import BACKUP, RESTORE, restore_parent, scratch_folder
from api.db.service_lock import ServiceRuns, file_lock, restore_lock
from api.db.unfinished import noted
from api.models import Base

STILL_LOCKED = """DO $$BEGIN IF NOT EXISTS (SELECT FROM pg_locks WHERE pid = {holder} AND locktype = 'advisory'
AND (classid::bigint << 32) + objid::bigint = {lock} AND mode = 'ExclusiveLock' AND granted)
THEN RAISE EXCEPTION 'the lock of the restore is lost, nothing was changed'; END IF; END$$;"""
TABLES = (*Base.metadata.tables, "alembic_version")
"""What is dumped, dropped and restored; other tables of the database are not ours."""
EMPTY = "the database has no tables yet: `buddy db upgrade` makes them"
NOT_OURS = "the database in it has tables, and none of them is of Buddy Coach"
LOGS = ("-wal", "-shm")
"""Suffixes of the files that SQLite keeps beside a database."""


class BackupFailed(Exception):
    """The backup or the restore failed; the message says why."""


def backup(url: SqliteUrl | PostgresUrl, file: Path) -> Manifest:
    """Write a backup of the database at `url` into `file`. Raises BackupFailed, also if `file` exists."""
    if file.exists():
        raise BackupFailed(f"{file} is there already")
    taken_at, kind = utc_now(), _kind(url)
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        with scratch_folder(file.parent, BACKUP) as folder, noted(folder):
            payload = Path(folder, "payload")
            if isinstance(url, SqliteUrl):
                if not url.file.is_file():
                    raise BackupFailed(f"there is no database at {url.file}: `buddy db upgrade` makes one")
                _copy_sqlite(url.file, payload)
                revision = _checked_sqlite(payload)
            else:
                schema = asyncio.run(_schema(url))
                if not asyncio.run(_has_tables(url, schema)):
                    raise BackupFailed(EMPTY)
                ours = [f"--table={_quoted(schema)}.{_quoted(name)}" for name in TABLES]
                _run_postgres("pg_dump", url, ["--format=custom", *ours, f"--file={payload}"])
                revision = _checked_dump(payload, url)
            version = importlib.metadata.version("buddy-coach")
            pack(payload, file, kind=kind, revision=revision, taken_at=taken_at, version=version)
    except FileExistsError as error:
        raise BackupFailed(f"{file} is there already") from error
    except OSError as error:
        raise BackupFailed(f"{file}: {error.strerror}") from error
    return Manifest(kind, revision, taken_at, version, 0, "")


def restore(url: SqliteUrl | PostgresUrl, file: Path, *, without_checksum: bool = False) -> Counter[str]:
    """Replace the content of the database at `url` by the backup in `file`. Returns the repeated erasures by table.

    Raises BackupFailed; then the database is unchanged. A file of an older version has no checksum, and is accepted
    only with `without_checksum`.
    """
    parent = restore_parent(url)
    parent.mkdir(parents=True, exist_ok=True)
    try:
        with file_lock(url, exclusive=True), scratch_folder(parent, RESTORE) as folder:
            payload = Path(folder, "payload")
            if isinstance(url, PostgresUrl):
                return asyncio.run(_restore_postgres(url, file, payload, without_checksum=without_checksum))
            taken_at = _unpacked(file, payload, url, without_checksum=without_checksum)
            return _restore_sqlite(payload, url.file, taken_at)
    except BackupDamaged as error:
        raise BackupFailed(f"{file} is damaged: {error}") from error
    except (ServiceRuns, erasures.LedgerDamaged) as error:
        raise BackupFailed(str(error)) from error
    except OSError as error:
        raise BackupFailed(f"{error.filename or file}: {error.strerror or error}") from error


def missing_ledger(url: SqliteUrl | PostgresUrl) -> Path | None:
    """The ledger of erasures that should be beside an SQLite database and is not."""
    ledger = erasures.ledger_file(url.file) if isinstance(url, SqliteUrl) else None
    return ledger if ledger is not None and not ledger.exists() else None


def _unpacked(file: Path, payload: Path, url: SqliteUrl | PostgresUrl, *, without_checksum: bool) -> datetime | None:
    """Check the backup and unpack it. Returns the time of the backup, None if unknown."""
    if not file.is_file():
        raise BackupFailed(f"{file} is no ordinary file" if file.exists() else f"{file} is not there")
    with file.open("rb") as opened:
        manifest = read_manifest(opened)
        if manifest is None and not without_checksum:
            why = "is no backup, or one of an older version, without a checksum"
            raise BackupFailed(f"{file} {why}; --without-checksum takes it nevertheless")
        kind = _kind(url)
        if manifest is not None and manifest.kind != kind:
            raise BackupFailed(f"{file} is a backup of {manifest.kind}, and DATABASE_URL names {kind}")
        unpack(opened, manifest, payload)
    revision = _checked_sqlite(payload) if isinstance(url, SqliteUrl) else _checked_dump(payload, url)
    if manifest is not None and revision != manifest.revision:
        raise BackupFailed(f"{file} is damaged: its tables are at {revision}, it says {manifest.revision}")
    if not migrate.is_known(revision):
        newest = migrate.newest_revision()
        raise BackupFailed(f"{file} is of a newer version: its tables are at {revision}, this one knows up to {newest}")
    return manifest.taken_at if manifest else None


def _kind(url: SqliteUrl | PostgresUrl) -> str:
    return "sqlite" if isinstance(url, SqliteUrl) else "postgresql"


# SQLite


def _copy_sqlite(source: Path, target: Path) -> None:
    try:
        with (
            closing(sqlite3.connect(f"{source.absolute().as_uri()}?mode=ro", uri=True)) as reading,
            closing(sqlite3.connect(target)) as writing,
        ):
            reading.backup(writing)
    except sqlite3.Error as error:
        raise BackupFailed(f"{source}: {error}") from error


def _checked_sqlite(file: Path) -> str:
    """The revision of its tables. Raises BackupFailed if the file is damaged or is not a database of this service."""
    try:
        with closing(sqlite3.connect(f"{file.absolute().as_uri()}?mode=ro", uri=True)) as reading:
            if reading.execute("PRAGMA integrity_check").fetchone() != ("ok",):
                raise BackupFailed("the database in it is damaged")
            names = {name for (name,) in reading.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
            if "alembic_version" not in names:
                raise BackupFailed(NOT_OURS if names else EMPTY)
            return str(reading.execute("SELECT version_num FROM alembic_version").fetchone()[0])
    except (sqlite3.Error, TypeError) as error:
        raise BackupFailed(f"the database in it is damaged: {error}") from error


def _restore_sqlite(fresh: Path, target: Path, taken_at: datetime | None) -> Counter[str]:
    ledger = erasures.read_file(erasures.ledger_file(target))
    erased = asyncio.run(_brought_up(fresh, ledger, taken_at))
    _settle(fresh)
    _put_in_place(fresh, target)
    return erased


async def _brought_up(file: Path, ledger: erasures.Ledger | None, taken_at: datetime | None) -> Counter[str]:
    """Migrate and repeat erasures before the database is in use."""
    database = open_database(SqliteUrl(file), seconds=None)
    try:
        await migrate.prepare(database)
        if ledger is None:
            return Counter()
        async with database.writing.begin() as connection:
            return await connection.run_sync(erasures.replay, ledger, taken_at)
    finally:
        await database.close()


def _settle(file: Path) -> None:
    """Write the WAL into the database, so that the file is complete by itself."""
    with closing(sqlite3.connect(file)) as database:
        database.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        database.execute("PRAGMA journal_mode = DELETE")


def _put_in_place(fresh: Path, target: Path) -> None:
    """Replace the database by one rename. The old one is moved aside first: its WAL must not meet the new file."""
    old = target.with_name(target.name + ".before-restore")
    if target.exists():
        with suppress(sqlite3.Error):  # the old database may be damaged
            _settle(target)
        old.unlink(missing_ok=True)
        os.link(target, old)
    for suffix in LOGS:
        with suppress(FileNotFoundError):
            Path(f"{target}{suffix}").replace(f"{old}{suffix}")
    fresh.chmod(0o600)
    fresh.replace(target)
    directory = os.open(target.parent, os.O_RDONLY)
    try:
        os.fsync(directory)
    finally:
        os.close(directory)
    for name in ("", *LOGS):
        Path(f"{old}{name}").unlink(missing_ok=True)


# PostgreSQL


def _checked_dump(file: Path, url: PostgresUrl) -> str:
    """The revision of its tables. Raises BackupFailed."""
    said = _run_postgres("pg_restore", url, ["--data-only", "--table=alembic_version", "--file=-", str(file)])
    found = re.search(r"^COPY [^\n]*alembic_version[^\n]*\n([^\n\\]+)\n", said, re.MULTILINE)
    if found is None:
        raise BackupFailed(NOT_OURS)
    return found[1].strip()


async def _restore_postgres(url: PostgresUrl, file: Path, dump: Path, *, without_checksum: bool) -> Counter[str]:
    """All of it in one transaction, with a mark that the ledger is to be replayed: should this process die after it,
    the next start of the service does so."""
    database = open_database(url, seconds=None, is_restoring=True)
    try:
        async with restore_lock(url) as lock:
            taken_at = await asyncio.to_thread(_unpacked, file, dump, url, without_checksum=without_checksum)
            async with database.writing.begin() as connection:
                await connection.run_sync(erasures.create_table)
            script = dump.with_name("restore.sql")
            await asyncio.to_thread(_write_script, url, dump, script, taken_at, lock.get_server_pid())
            options = ["--no-psqlrc", "--quiet", "--single-transaction", "--set=ON_ERROR_STOP=1", f"--file={script}"]
            await asyncio.to_thread(_run_postgres, "psql", url, options)
            return await migrate.prepare(database)
    finally:
        await database.close()


def _write_script(url: PostgresUrl, dump: Path, script: Path, taken_at: datetime | None, holder: int) -> None:
    """What drops our tables, all but the ledger, and makes those of the backup; it fails if `holder`, the server's
    process that has the lock of the restore, lost it before nothing else could write any more."""
    schema = asyncio.run(_schema(url))
    listed = _run_postgres("pg_restore", url, ["--list", str(dump)])
    theirs = {
        (found[1], found[2])
        for found in re.finditer(r"^\d+; \d+ \d+ TABLE (?!DATA )(\S+) (\S+) ", listed, re.MULTILINE)
    }
    other = sorted(f"{where}.{name}" for where, name in theirs if where != schema or name not in TABLES)
    if other:
        raise BackupFailed(f"the backup holds {', '.join(other[:5])}, and our tables belong into the schema {schema}")
    _run_postgres("pg_restore", url, ["--no-owner", "--no-privileges", f"--file={script}", str(dump)])
    mark = (taken_at or datetime(1970, 1, 1, tzinfo=UTC)).isoformat()
    ledger = f"{_quoted(schema)}.{_quoted(erasures.LEDGER.name)}"
    lines = [
        f"SELECT pg_advisory_xact_lock({migrate.LOCK});",
        f"DROP TABLE IF EXISTS {', '.join(f'{_quoted(schema)}.{_quoted(name)}' for name in TABLES)};",
        STILL_LOCKED.format(lock=RESTORE_LOCK, holder=holder),
        f"DELETE FROM {ledger} WHERE digest = '{erasures.PENDING}';",  # noqa: S608 - our own names
        f"INSERT INTO {ledger} VALUES ('{erasures.PENDING}', '{mark}');",  # noqa: S608
    ]
    whole = script.with_name("whole.sql")
    with whole.open("wb") as file, script.open("rb") as rest:
        file.write("\n".join(lines).encode() + b"\n")
        shutil.copyfileobj(rest, file)
    whole.replace(script)


async def _has_tables(url: PostgresUrl, schema: str) -> bool:
    connection = await Connector(url, None).connect()
    try:
        found = await connection.fetchval("SELECT to_regclass($1)", f"{_quoted(schema)}.alembic_version")
    finally:
        connection.terminate()
    return found is not None


async def _schema(url: PostgresUrl) -> str:
    """Where our tables are: the first schema of the search path."""
    connection = await Connector(url, None).connect()
    try:
        schema: str | None = await connection.fetchval("SELECT current_schema()")
    finally:
        connection.terminate()
    if schema is None:
        raise BackupFailed("no schema of the search path exists")
    return schema


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def _run_postgres(program: str, url: PostgresUrl, options: list[str]) -> str:
    path = shutil.which(program)
    if path is None:
        raise BackupFailed(f"{program} is not installed")
    environment = os.environ | url.libpq_environment()
    done = subprocess.run([path, *options], env=environment, capture_output=True, text=True, check=False)  # noqa: S603
    if done.returncode:
        raise BackupFailed(f"{program}: {_complaint(done.stderr)}")
    return done.stdout


def _complaint(said: str) -> str:
    """The line that names the error, with its detail; after it come hints and a caret under the query."""
    lines = [line.strip() for line in said.splitlines() if line.strip()]
    first = next((place for place, line in enumerate(lines) if re.search(r"\berror: ", line, re.IGNORECASE)), 0)
    shown = [re.sub(r"^.*?\berror:\s+", "", line, flags=re.IGNORECASE) for line in lines[first : first + 1]]
    shown += [line for line in lines[first + 1 : first + 3] if re.search(r"\bdetail: ", line, re.IGNORECASE)]
    return " ".join(shown) or "failed"

"""Backups: SQLite's own online backup, or pg_dump and pg_restore. The service may go on meanwhile."""

import os
import shutil
import sqlite3
import subprocess
from contextlib import closing
from pathlib import Path

from api.db.url import PostgresUrl, SqliteUrl


class BackupFailed(Exception):
    """The backup or the restoration did not happen; the message says why."""


def backup(url: SqliteUrl | PostgresUrl, file: Path) -> None:
    """Write a backup of the database at `url` into `file`. Raises BackupFailed; no existing file is overwritten."""
    if file.exists():
        raise BackupFailed(f"{file} is there already")
    file.parent.mkdir(parents=True, exist_ok=True)
    if isinstance(url, SqliteUrl):
        if not url.file.is_file():
            raise BackupFailed(f"there is no database at {url.file}")
        _copy_sqlite(url.file, file)
    else:
        _run_postgres("pg_dump", url, ["--format=custom", f"--file={file}"])


def restore(url: SqliteUrl | PostgresUrl, file: Path) -> None:
    """Replace what is in the database at `url` by the backup in `file`. Raises BackupFailed; then nothing changed."""
    if not file.is_file():
        raise BackupFailed(f"{file} is not there")
    if isinstance(url, SqliteUrl):
        url.file.parent.mkdir(parents=True, exist_ok=True)
        _copy_sqlite(file, url.file)
        return
    # pg_restore writes SQL to its output unless it is told of a database; the empty one comes from the environment.
    options = ["--clean", "--if-exists", "--single-transaction", "--no-owner", "--dbname=", str(file)]
    _run_postgres("pg_restore", url, options)


def _copy_sqlite(source: Path, target: Path) -> None:
    try:
        with closing(sqlite3.connect(f"{source.absolute().as_uri()}?mode=ro", uri=True)) as reading:
            if reading.execute("PRAGMA integrity_check").fetchone() != ("ok",):
                raise BackupFailed(f"{source} is damaged")
            if not reading.execute("SELECT 1 FROM sqlite_master WHERE name = 'alembic_version'").fetchone():
                raise BackupFailed(f"{source} is no database of ours")
            with closing(sqlite3.connect(target)) as writing:
                reading.backup(writing)
    except sqlite3.Error as error:
        raise BackupFailed(f"{source}: {error}") from error


def _run_postgres(program: str, url: PostgresUrl, options: list[str]) -> None:
    path = shutil.which(program)
    if path is None:
        raise BackupFailed(f"{program} is not installed")
    environment = os.environ | url.libpq_environment()
    done = subprocess.run([path, *options], env=environment, capture_output=True, text=True, check=False)  # noqa: S603
    if done.returncode:
        raise BackupFailed(f"{program}: {done.stderr.strip().splitlines()[-1] if done.stderr.strip() else 'failed'}")

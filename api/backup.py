"""Backups: SQLite's own online backup, or pg_dump and pg_restore. The service may go on meanwhile."""

import os
import shutil
import sqlite3
import subprocess
from contextlib import closing
from pathlib import Path

from sqlalchemy.engine import URL

from api.database import async_url


class BackupFailed(Exception):
    """The backup or the restoration did not happen; the message says why."""


def backup(url: str, file: Path) -> None:
    """Write a backup of the database at `url` into `file`. Raises BackupFailed; no existing file is overwritten."""
    if file.exists():
        raise BackupFailed(f"{file} is there already")
    file.parent.mkdir(parents=True, exist_ok=True)
    parsed = async_url(url)
    if parsed.get_backend_name() == "sqlite":
        _copy_sqlite(_sqlite_file(parsed), file)
    else:
        _run_postgres("pg_dump", parsed, ["--format=custom", f"--file={file}", f"--dbname={parsed.database}"])


def restore(url: str, file: Path) -> None:
    """Replace what is in the database at `url` by the backup in `file`. Raises BackupFailed; then nothing changed."""
    if not file.is_file():
        raise BackupFailed(f"{file} is not there")
    parsed = async_url(url)
    if parsed.get_backend_name() == "sqlite":
        target = Path(parsed.database or "")
        target.parent.mkdir(parents=True, exist_ok=True)
        _copy_sqlite(file, target)
        return
    options = ["--clean", "--if-exists", "--single-transaction", "--no-owner", f"--dbname={parsed.database}", str(file)]
    _run_postgres("pg_restore", parsed, options)


def _sqlite_file(url: URL) -> Path:
    file = Path(url.database or "")
    if not file.is_file():
        raise BackupFailed(f"there is no database at {file}")
    return file


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


def _run_postgres(program: str, url: URL, options: list[str]) -> None:
    path = shutil.which(program)
    if path is None:
        raise BackupFailed(f"{program} is not installed")
    where = {"PGHOST": url.host, "PGPORT": url.port, "PGUSER": url.username, "PGPASSWORD": url.password}
    environment = os.environ | {name: str(value) for name, value in where.items() if value is not None}
    done = subprocess.run([path, *options], env=environment, capture_output=True, text=True, check=False)  # noqa: S603
    if done.returncode:
        raise BackupFailed(f"{program}: {done.stderr.strip().splitlines()[-1] if done.stderr.strip() else 'failed'}")

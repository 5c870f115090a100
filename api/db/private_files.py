"""Who may read which files: only the service's own account reads the database, its log, its ledger and its keys."""

from pathlib import Path

from api.database_url import PostgresUrl, SqliteUrl

PRIVATE = 0o077
"""The bits of group and others."""
BESIDE = ("", "-wal", "-shm", "-journal", ".erasures", ".service")


def too_open(url: SqliteUrl | PostgresUrl, key_name: str = "secret-key") -> list[Path]:
    """Files of an SQLite database that other accounts of the machine may read or write."""
    if not isinstance(url, SqliteUrl):
        return []
    database = url.file
    files = [*(Path(f"{database}{suffix}") for suffix in BESIDE), *database.parent.glob(f"{key_name}*")]
    return [file for file in files if file.is_file() and file.stat().st_mode & PRIVATE]


def make_private(url: SqliteUrl | PostgresUrl) -> list[Path]:
    """Close them; returns those that could not be closed, since they belong to another account."""
    left = []
    for file in too_open(url):
        try:
            file.chmod(0o600)
        except OSError:
            left.append(file)
    return left

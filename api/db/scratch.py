"""Temporary folders of backups and restores. Each is locked while its process lives, so that the next command or start
of the service can remove those of processes that were killed."""

import fcntl
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from api.database_url import PostgresUrl, SqliteUrl

BACKUP, RESTORE = ".backup-", ".restore-"


@contextmanager
def scratch_folder(parent: Path, prefix: str) -> Iterator[Path]:
    """A new folder in `parent` that only this account reads. Removes abandoned ones first."""
    sweep(parent)
    while True:
        folder = Path(tempfile.mkdtemp(prefix=prefix, dir=parent))
        descriptor = os.open(folder, os.O_RDONLY)
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        if folder.exists():  # another process may have swept it before it was locked
            break
        os.close(descriptor)
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)
        os.close(descriptor)


def restore_parent(url: SqliteUrl | PostgresUrl) -> Path:
    """Where a restore has its temporary folder: beside an SQLite database, which it replaces by a rename."""
    return url.file.parent if isinstance(url, SqliteUrl) else Path(tempfile.gettempdir())


def sweep(parent: Path) -> None:
    """Remove the folders in `parent` that backups and restores of this account left when they were killed."""
    for folder in [*parent.glob(f"{BACKUP}*"), *parent.glob(f"{RESTORE}*")]:
        try:
            descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
        except OSError:
            continue
        try:
            if os.fstat(descriptor).st_uid == os.geteuid():
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
                shutil.rmtree(folder, ignore_errors=True)
        except BlockingIOError:
            continue
        finally:
            os.close(descriptor)

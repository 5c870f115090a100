"""Temporary folders of backups, restores and exports. Each is locked while its process lives, so that the next command
or start of the service can remove those of processes that were killed."""

import fcntl
import os
import shutil
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

from api.database_url import PostgresUrl, SqliteUrl

BACKUP, RESTORE = ".backup-", ".restore-"


@contextmanager
def scratch_folder(parent: Path, prefix: str) -> Iterator[Path]:
    """A new folder in `parent` for a backup or restore. Removes abandoned ones first."""
    sweep(parent)
    with locked_folder(parent, prefix) as folder:
        yield folder


@contextmanager
def locked_folder(parent: Path, prefix: str) -> Iterator[Path]:
    """A new folder in `parent` that only this account can read, locked while it is in use, and removed afterwards."""
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
    remove_abandoned([*parent.glob(f"{BACKUP}*"), *parent.glob(f"{RESTORE}*")])


def remove_abandoned(folders: Iterable[Path]) -> None:
    """Remove those of the folders that belong to this account and that no living process has locked."""
    for folder in folders:
        try:
            descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
        except OSError:  # it was removed, or is not our folder
            continue
        try:
            if os.fstat(descriptor).st_uid == os.geteuid():
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
                shutil.rmtree(folder, ignore_errors=True)
        except BlockingIOError:
            continue
        finally:
            os.close(descriptor)

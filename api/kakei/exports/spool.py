"""The folders of exports until they are sent."""

import contextlib
import fcntl
import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

SPOOL = Path("var/exports")
"""On disk, because /tmp may be in memory."""


def sweep() -> None:
    """Remove the folders of exports that were killed together with their service.

    A running export of any service on this machine holds a lock on its folder.
    """
    for folder in SPOOL.iterdir() if SPOOL.exists() else ():
        try:
            descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
        except OSError:  # it was removed, or is not our folder
            continue
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            shutil.rmtree(folder, ignore_errors=True)
        except BlockingIOError:
            continue
        finally:
            os.close(descriptor)


@contextlib.contextmanager
def new_folder() -> Iterator[Path]:
    """A new folder that only this account can read, locked while it is in use."""
    SPOOL.mkdir(parents=True, exist_ok=True, mode=0o700)
    while True:
        folder = Path(tempfile.mkdtemp(dir=SPOOL))
        descriptor = os.open(folder, os.O_RDONLY)
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        if folder.exists():  # a service that just started may have swept it before it was locked
            break
        os.close(descriptor)
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)
        os.close(descriptor)

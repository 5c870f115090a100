"""The folders of exports until they are sent."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from api.db.scratch import locked_folder, remove_abandoned

SPOOL = Path("var/exports")
"""On disk, because /tmp may be in memory."""


def sweep() -> None:
    """Remove the folders of exports that were killed together with their service."""
    remove_abandoned(SPOOL.iterdir() if SPOOL.exists() else ())


@contextmanager
def new_folder() -> Iterator[Path]:
    """A folder for one export."""
    SPOOL.mkdir(parents=True, exist_ok=True, mode=0o700)
    with locked_folder(SPOOL, "export-") as folder:
        yield folder

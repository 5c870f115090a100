"""Notes of what a command writes beside a file of the user's choice, so that the next start of the service or of such a
command can remove it if the command was killed.

A note is a locked file with the names of unfinished files and folders; its lock ends with its process. It is written
before they are, and only names that end as ours do are ever removed.
"""

import fcntl
import json
import os
import re
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO

from api.db.scratch import BACKUP

NOTES = Path("var/unfinished")
"""Where the service runs, too."""
HALF = ".part"
OURS = re.compile(rf"{re.escape(BACKUP)}.+|\..+{re.escape(HALF)}", re.DOTALL)


@contextmanager
def noted(*paths: Path) -> Iterator[None]:
    """Note `paths` as unfinished while this runs. Removes what killed commands left first. Where no note can be
    written, the work is done without one."""
    note: tuple[Path, IO[str]] | None = None
    with suppress(OSError):
        note = _written(paths)
    try:
        yield
    finally:
        if note is not None:
            note[0].unlink(missing_ok=True)
            note[1].close()


def sweep() -> None:
    """Remove what killed commands left, and their notes."""
    with suppress(OSError), _locked():
        _sweep()


def _written(paths: tuple[Path, ...]) -> tuple[Path, IO[str]]:
    NOTES.mkdir(parents=True, exist_ok=True, mode=0o700)
    with _locked():
        _sweep()
        descriptor, name = tempfile.mkstemp(dir=NOTES.absolute())
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        note = os.fdopen(descriptor, "w", encoding="utf-8")
        json.dump([str(path.absolute()) for path in paths], note)
        note.flush()
        return Path(name), note


@contextmanager
def _locked() -> Iterator[None]:
    """One process at a time writes or sweeps notes: a sweep knows every file that is being written."""
    descriptor = os.open(NOTES, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)


def _sweep() -> None:
    abandoned: dict[Path, list[Path]] = {}
    in_use: set[Path] = set()
    for note in NOTES.iterdir():
        with suppress(OSError), note.open(encoding="utf-8") as opened:
            try:
                fcntl.flock(opened, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                in_use.update(_paths(opened))
            else:
                abandoned[note] = _paths(opened)
    for note, paths in abandoned.items():
        for path in paths:
            if path not in in_use and OURS.fullmatch(path.name):
                with suppress(OSError):
                    _remove(path)
        note.unlink(missing_ok=True)


def _paths(note: IO[str]) -> list[Path]:
    """The names in a note; none in one whose writer was killed."""
    try:
        return [Path(path) for path in json.load(note)]
    except ValueError:
        return []


def _remove(path: Path) -> None:
    """Remove a file or folder of this account; a link is left alone, with all that it leads to."""
    if path.is_symlink() or path.stat().st_uid != os.geteuid():
        return
    if path.is_dir():
        shutil.rmtree(path, ignore_errors=True)
    else:
        path.unlink()

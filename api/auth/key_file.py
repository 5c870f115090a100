"""The secret of a service without `SECRET_KEY`: a file beside its SQLite database, created once.
It is written to a temporary file, synced and linked. If two processes start at once, one wins, and both read its key.

"""

import os
import secrets
from contextlib import suppress
from pathlib import Path

from coach_model.regular_files import FileRefused, read_regular

SHORTEST = 32
KEY_BYTES = 32
LARGEST_FILE = 64 * 1024
"""Bytes that are read; a key takes 65."""


class KeyFileBroken(ValueError):
    """The file exists but holds no valid key; the message says what to do."""


def read_or_make(file: Path) -> tuple[list[str], bool]:
    """The keys in the file, newest first, and whether the file was created now. Raises KeyFileBroken."""
    made = False
    if not file.exists():
        file.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        made = write(file, [new_key()], replace=False)
    return read(file), made


def new_key() -> str:
    """A key of 256 random bits."""
    return secrets.token_hex(KEY_BYTES)


def retired_file(file: Path) -> Path:
    """Where the keys are kept that a rotation retired. Backups that are older than the rotation need them."""
    return file.with_name(file.name + ".retired")


def retired_keys(file: Path) -> list[str]:
    """The retired keys of a key file, the newest first. Raises KeyFileBroken."""
    retired = retired_file(file)
    return read(retired) if retired.exists() else []


def read(file: Path) -> list[str]:
    """The keys in the file, newest first. Raises KeyFileBroken."""
    try:
        content = read_regular(file, LARGEST_FILE)
        keys = [key.strip() for key in content.decode("ascii").strip().split(",")]
    except FileRefused as error:
        raise KeyFileBroken(f"{file} is too large, or not a regular file: put the key back from a backup") from error
    except (OSError, UnicodeDecodeError) as error:
        raise KeyFileBroken(
            f"{file} cannot be read ({type(error).__name__}): put the key back from a backup"
        ) from error
    if any(len(key) < SHORTEST for key in keys):
        what = "is empty" if keys == [""] else f"holds a key of less than {SHORTEST} characters"
        raise KeyFileBroken(f"{file} {what}: put it back from a backup, or delete it and lose what it encrypted")
    return keys


def write(file: Path, keys: list[str], *, replace: bool) -> bool:
    """Write the keys atomically. Returns False if the file exists and must not be replaced."""
    new = file.with_name(f".{file.name}.{os.getpid()}.{secrets.token_hex(4)}")
    try:
        descriptor = os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "w", encoding="ascii") as opened:
            opened.write(",".join(keys) + "\n")
            opened.flush()
            os.fsync(opened.fileno())
        if replace:
            new.replace(file)
        else:
            with suppress(FileExistsError):
                os.link(new, file)
                _sync(file.parent)
                return True
            return False
        _sync(file.parent)
        return True
    finally:
        new.unlink(missing_ok=True)


def _sync(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)

"""Opens regular files only. A FIFO without a writer would block and a device may never end, so what lies in the place
of a file is looked at before it is read."""

import os
import stat
from pathlib import Path
from typing import BinaryIO

LARGEST_TEXT = 64 * 2**20
"""Bytes of a descriptor or a ledger. Those that the service writes have a few hundred kilobytes at most."""


class FileRefused(OSError):
    """There is something else than a regular file, or it is too large; the message names it."""

    def __str__(self) -> str:
        return str(self.args[0])


def open_regular(path: Path) -> BinaryIO:
    """The opened file. Raises FileRefused, or another OSError when it cannot be opened."""
    descriptor = os.open(path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0))
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        os.close(descriptor)
        raise FileRefused(f"{path}: not a regular file")
    return os.fdopen(descriptor, "rb")


def read_regular(path: Path, largest: int = LARGEST_TEXT) -> bytes:
    """The content of a file of at most `largest` bytes. Raises as `open_regular` does."""
    with open_regular(path) as file:
        content = file.read(largest + 1)
    if len(content) > largest:
        raise FileRefused(f"{path}: larger than {largest} bytes")
    return content


def read_regular_text(path: Path) -> str:
    """The text of a descriptor or a ledger in UTF-8. Raises as `read_regular` does, and UnicodeDecodeError."""
    return read_regular(path).decode("utf-8")


def check_regular(path: Path) -> None:
    """For a file that a library opens by its name, or that is about to be appended to. Raises FileRefused; a missing
    file is regular."""
    if path.exists() and not path.is_file():
        raise FileRefused(f"{path}: not a regular file")

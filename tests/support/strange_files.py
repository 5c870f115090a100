"""What may lie in the place of a file, and a bound on the time of a test that reads it."""

import os
import signal
import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from coach_model.regular_files import LARGEST_TEXT

LONGEST_SECONDS = 20


def huge(path: Path) -> None:
    with path.open("wb") as file:
        file.truncate(LARGEST_TEXT + 1)


def listening(path: Path) -> None:
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(path))


STRANGE: dict[str, Callable[[Path], None]] = {
    "fifo": os.mkfifo,
    "device": lambda path: path.symlink_to("/dev/zero"),
    "directory": Path.mkdir,
    "huge": huge,
    "socket": listening,
    "loop": lambda path: path.symlink_to(path),
}


@contextmanager
def without_hanging() -> Iterator[None]:
    """A read of a FIFO that waits for a writer ends with TimeoutError."""

    def late(*_: object) -> None:
        raise TimeoutError(f"still reading after {LONGEST_SECONDS} s")

    before = signal.signal(signal.SIGALRM, late)
    signal.alarm(LONGEST_SECONDS)
    try:
        yield
    finally:
        signal.alarm(0)
        signal.signal(signal.SIGALRM, before)

"""The real service, over HTTP, on a clock that a test moves: a study of months is lived in minutes.

`main` is that service: `buddy serve` but for the clock, which is a file.
"""

import contextlib
import os
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx
import uvicorn

from api.app import create_app
from tests.support import forking
from tests.support.services import free_port
from tests.support.serving import CLIENT, DEFAULTS, STARTING_SECONDS, buddy

CLOCK = "LIVED_CLOCK"
"""Path of the file that says what time it is."""
BEGINNING = datetime(2026, 1, 5, 9, tzinfo=UTC)
"""A Monday."""


class Clock:
    """A clock that changes only when the test moves it."""

    def __init__(self, file: Path, now: datetime = BEGINNING) -> None:
        self._file = file
        self.now = now

    @property
    def now(self) -> datetime:
        return datetime.fromisoformat(self._file.read_text(encoding="utf-8"))

    @now.setter
    def now(self, moment: datetime) -> None:
        new = self._file.with_suffix(".new")
        new.write_text(moment.isoformat(), encoding="utf-8")
        new.replace(self._file)

    def move(self, **delta: float) -> None:
        """By days, hours, …"""
        self.now += timedelta(**delta)


@dataclass
class Lived:
    """A running service, the clock that it goes by, and what a command needs to see the same database."""

    url: str
    clock: Clock
    process: forking.Forked
    environment: dict[str, str] = field(default_factory=dict)

    def buddy(self, *arguments: str) -> str:
        """What `buddy` prints, on the same database and on the machine's own clock."""
        return buddy(self.environment, *arguments)


@contextlib.contextmanager
def lived_service(
    folder: Path, database_url: str, environment: Mapping[str, str] | None = None, now: datetime = BEGINNING
) -> Iterator[Lived]:
    """The service on a migrated database, in a process of its own."""
    clock, port = Clock(folder / "clock", now), free_port()
    own = DEFAULTS | {"DATABASE_URL": database_url, "LOG_LEVEL": "warning"} | dict(environment or {})
    buddy(own, "db", "upgrade")
    told = os.environ | own | {CLOCK: str(folder / "clock"), "PORT": str(port)}
    root, log = Path(__file__).parents[2], folder / "lived.log"
    process = forking.start("tests.support.lived:main", [], root, told, log, log)
    running = Lived(f"http://127.0.0.1:{port}", clock, process, own)
    try:
        deadline = time.monotonic() + STARTING_SECONDS
        while time.monotonic() < deadline and process.poll() is None:
            with contextlib.suppress(httpx.TransportError):
                if CLIENT.get(f"{running.url}/health/live", timeout=1).is_success:
                    break
            time.sleep(0.05)
        else:
            raise AssertionError(log.read_text(encoding="utf-8"))
        yield running
    finally:
        process.terminate()
        process.wait(timeout=20)


def main() -> None:
    """Serve until SIGTERM."""
    file = Path(os.environ[CLOCK])
    app = create_app(clock=lambda: datetime.fromisoformat(file.read_text(encoding="utf-8")))
    port = int(os.environ["PORT"])
    uvicorn.run(app, port=port, log_config=None, access_log=False, proxy_headers=True, forwarded_allow_ips="127.0.0.1")

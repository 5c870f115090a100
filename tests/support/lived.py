"""The service on a clock that a test moves: a study of months is lived in minutes."""

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
from tests.support.databases import migrate
from tests.support.local_servers import free_port
from tests.support.serving import CLIENT, DEFAULTS, STARTING_SECONDS, Service, app

CLOCK = "LIVED_CLOCK"
"""Path of the file that says what time it is."""
BEGINNING = datetime(2026, 1, 5, 9, tzinfo=UTC)
"""A Monday."""


class Clock:
    """A clock that changes only when the test moves it. Another process can read it from `file`."""

    def __init__(self, now: datetime = BEGINNING, file: Path | None = None) -> None:
        self._file = file
        self.now = now

    def __call__(self) -> datetime:
        return self._now

    @property
    def now(self) -> datetime:
        return self._now

    @now.setter
    def now(self, moment: datetime) -> None:
        self._now = moment
        if self._file is not None:
            new = self._file.with_suffix(".new")
            new.write_text(moment.isoformat(), encoding="utf-8")
            new.replace(self._file)

    def move(self, **delta: float) -> None:
        """By days, hours, …"""
        self.now += timedelta(**delta)


@dataclass
class Lived(Service):
    """A running service, and the clock that it goes by. `buddy` commands go by the machine's own clock."""

    clock: Clock = field(kw_only=True)


@contextlib.contextmanager
def lived_service(
    folder: Path, database_url: str, environment: Mapping[str, str] | None = None, now: datetime = BEGINNING
) -> Iterator[Lived]:
    """The service in this process."""
    clock = Clock(now)
    with app(folder, {"DATABASE_URL": database_url} | dict(environment or {}), clock) as running:
        yield Lived(running.url, running.environment, running.log_file, running.log_begins, clock=clock)


@contextlib.contextmanager
def lived_process(
    folder: Path, database_url: str, environment: Mapping[str, str] | None = None, now: datetime = BEGINNING
) -> Iterator[Lived]:
    """The service in a process of its own, for a browser or for load: `buddy serve` but for the clock."""
    clock, port = Clock(now, folder / "clock"), free_port()
    own = DEFAULTS | {"DATABASE_URL": database_url, "LOG_LEVEL": "warning"} | dict(environment or {})
    migrate(database_url)
    told = os.environ | own | {CLOCK: str(folder / "clock"), "PORT": str(port)}
    root, log = Path(__file__).parents[2], folder / "lived.log"
    process = forking.start("tests.support.lived:main", [], root, told, log, log)
    running = Lived(f"http://127.0.0.1:{port}", own, log, clock=clock)
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
    served = create_app(clock=lambda: datetime.fromisoformat(file.read_text(encoding="utf-8")))
    port = int(os.environ["PORT"])
    uvicorn.run(
        served, port=port, log_config=None, access_log=False, proxy_headers=True, forwarded_allow_ips="127.0.0.1"
    )

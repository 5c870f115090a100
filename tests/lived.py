"""The real service, over HTTP, on a clock that a test moves: a study of months is lived in minutes."""

import contextlib
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

import uvicorn

from api.app import create_app
from api.settings import LogLevel, Settings
from tests.serving import DEFAULTS, STARTING_SECONDS, buddy

BEGINNING = datetime(2026, 1, 5, 9, tzinfo=UTC)
"""A Monday."""


@dataclass
class Clock:
    """Stands still unless it is moved."""

    now: datetime = BEGINNING

    def __call__(self) -> datetime:
        return self.now

    def move(self, **delta: float) -> None:
        """By days, hours, …"""
        self.now += timedelta(**delta)


@dataclass
class Lived:
    """A running service, the clock that it goes by, and what a command needs to see the same database."""

    url: str
    clock: Clock
    environment: dict[str, str] = field(default_factory=dict)

    def buddy(self, *arguments: str) -> str:
        """What `buddy` prints, on the same database and on the machine's own clock."""
        return buddy(self.environment, *arguments)


@contextlib.contextmanager
def lived_service(database_url: str, model_dir: Path | None = None, clock: Clock | None = None) -> Iterator[Lived]:
    """uvicorn with the app in a thread of this process, on a migrated database."""
    clock = clock or Clock()
    environment = DEFAULTS | {"DATABASE_URL": database_url}
    buddy(environment, "db", "upgrade")
    settings = Settings(
        database_url=database_url,
        secret_key=DEFAULTS["SECRET_KEY"],
        research_export_token=DEFAULTS["RESEARCH_EXPORT_TOKEN"],
        trusted_proxies=("127.0.0.1",),
        coach_model_dir=model_dir,
        log_level=LogLevel.ERROR,
    )
    config = uvicorn.Config(
        create_app(settings, clock),
        port=0,
        log_config=None,
        access_log=False,
        proxy_headers=True,
        forwarded_allow_ips="127.0.0.1",
    )
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    deadline = time.monotonic() + STARTING_SECONDS
    while not server.started and thread.is_alive() and time.monotonic() < deadline:
        time.sleep(0.02)
    assert server.started, "the service did not start"
    port = server.servers[0].sockets[0].getsockname()[1]
    try:
        yield Lived(f"http://127.0.0.1:{port}", clock, environment)
    finally:
        server.should_exit = True
        thread.join(timeout=10)
        assert not thread.is_alive(), "the service did not stop"

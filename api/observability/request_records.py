"""What is recorded of each request: one observation of its metric, and one log line.

The lines of one turn of the event loop are written together, because a write is a system call. They look as
`api.observability.logging` writes them.
"""

import asyncio
import logging
import sys
from datetime import UTC, datetime
from typing import Any

import msgspec
import structlog

from api.observability.metrics import Metrics
from api.settings import LogFormat, Settings


class _Line(msgspec.Struct, gc=False):
    """A line of JSON; the fields are in the order of all other lines."""

    timestamp: datetime
    level: str
    method: str
    route: str
    status: int
    ms: float
    request_id: str
    event: str


class RequestRecords:
    """The records of one process. They are kept until the end of a turn of the event loop, then recorded together; the
    service calls `flush` before it ends."""

    def __init__(self, metrics: Metrics, settings: Settings) -> None:
        self._metrics = metrics
        self._timers: dict[tuple[str, str, int], Any] = {}
        self._is_json = settings.log_format is LogFormat.JSON
        self._is_silent = logging.getLevelNamesMapping()[settings.log_level.upper()] > logging.INFO
        self._encode = msgspec.json.Encoder().encode
        self._file = sys.stderr.buffer  # now, as api.observability.logging takes it
        self._log = structlog.get_logger("api.request").bind()  # bound once: a lazy one would be bound at every call
        self._kept: list[tuple[datetime, str, str, int, float, str]] = []

    def add(self, method: str, route: str, status: int, seconds: float, request_id: str) -> None:
        """Record an answered request. Called in the event loop."""
        if not self._kept:
            asyncio.get_running_loop().call_soon(self.flush)
        self._kept.append((datetime.now(UTC), method, route, status, seconds, request_id))

    def flush(self) -> None:
        """Observe and log what is kept."""
        kept, self._kept = self._kept, []
        lines: list[bytes] = []
        for at, method, route, status, seconds, request_id in kept:
            self._timer(method, route, status).observe(seconds)
            ms = round(seconds * 1000, 2)
            if self._is_json:
                lines.append(self._encode(_Line(at, "info", method, route, status, ms, request_id, "request")))
            else:
                self._log.info("request", method=method, route=route, status=status, ms=ms, request_id=request_id)
        if lines and not self._is_silent:
            self._file.write(b"\n".join((*lines, b"")))
            self._file.flush()

    def _timer(self, method: str, route: str, status: int) -> Any:
        key = (method, route, status)
        if key not in self._timers:
            self._timers[key] = self._metrics.requests.labels(method, route, status)
        return self._timers[key]

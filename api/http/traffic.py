"""The connections of this process: their number, their phases, and the memory that they hold together."""

import asyncio
import time
from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING

import structlog

if TYPE_CHECKING:
    from api.http.protocol import BoundedProtocol

UNREAD_BYTES = 64 * 2**20
"""Bytes of unfinished request bodies over all connections: 16 of the largest batches."""
UNSENT_BYTES = 64 * 2**20
"""Bytes of answers that clients have not read, over all connections."""
LEAST_RATE = 1024
"""Bytes a second: a client that sends or reads faster may take as long as it needs. Phones on 2G reach 5 KiB."""
SWEEPS = 4
"""Checks within the shortest deadline; a deadline is exact to a quarter of it."""
LONGEST_PAUSE = 1.0
"""Seconds, the most between two checks of all deadlines."""
LINGER_SECONDS = 2.0
"""How long the further bytes of a refused client are discarded, so that it reads the answer before the connection is
reset (as nginx and Apache do)."""
LOGGED_EVERY = 10.0
"""Seconds between two log lines; an attack must not fill the log."""
LINGER_BYTES = 16 * 2**20

log = structlog.get_logger("api.http")


class Phase(Enum):
    """What a connection waits for. All phases but `ANSWER` wait for the client."""

    IDLE = "idle"
    HEAD = "head"
    BODY = "body"
    ANSWER = "answer"
    LINGER = "linger"
    CLOSING = "closing"


@dataclass(frozen=True)
class Deadlines:
    """Deadlines in seconds, and the most connections of a process; `.env.example` explains each."""

    head: float = 20.0
    body: float = 30.0
    idle: float = 75.0
    write: float = 30.0
    connections: int = 1000


class Traffic:
    """The state that all connections of a process share. Connections that wait for their clients are ordered by the
    start of the wait, so that the longest wait ends when a new connection needs room."""

    def __init__(self, deadlines: Deadlines) -> None:
        self.deadlines = deadlines
        self.waiting: dict[BoundedProtocol, None] = {}
        self.stalled: dict[BoundedProtocol, None] = {}
        self.count = 0
        self.unread = 0
        self._refused: dict[str, int] = {}
        self._logged = 0.0
        self._sweeper: asyncio.TimerHandle | None = None
        shortest = min(deadlines.head, deadlines.body, deadlines.write, LINGER_SECONDS)
        self._pause = min(LONGEST_PAUSE, shortest / SWEEPS)

    def enter(self, protocol: "BoundedProtocol") -> bool:
        """Whether there is room for one more connection; if needed, drops the one that waits longest for its client."""
        if self.count >= self.deadlines.connections:
            longest = next(iter(self.waiting), None)
            if longest is None:
                self.note("too many connections")
                return False
            self.note("made room")
            longest.drop()
        self.count += 1
        if self._sweeper is None:
            self._sweep_later(protocol.loop)
        return True

    def leave(self, protocol: "BoundedProtocol") -> None:
        """Remove a connection that is closed."""
        self.count -= 1
        self.waiting.pop(protocol, None)
        self.stalled.pop(protocol, None)

    def stalls(self, protocol: "BoundedProtocol") -> None:
        """Note a client that does not read. If all of them hold too much, drop the connection that holds most."""
        self.stalled[protocol] = None
        while sum(one.unsent() for one in self.stalled) > UNSENT_BYTES:
            largest = max(self.stalled, key=lambda one: one.unsent())
            del self.stalled[largest]
            self.note("answers were not read")
            largest.drop()

    def reads(self, size: int) -> None:
        """Count bytes of unfinished bodies. If all of them are too large, drop the connection with the largest."""
        self.unread += size
        while self.unread > UNREAD_BYTES:
            largest = max(self.waiting, key=lambda one: one.held_bytes, default=None)
            if largest is None or largest.held_bytes == 0:
                return
            self.note("bodies were not sent to their end")
            largest.drop()

    def note(self, why: str) -> None:
        """Count a refusal, and log the counts at most once per interval."""
        self._refused[why] = self._refused.get(why, 0) + 1
        now = time.monotonic()
        if now - self._logged >= LOGGED_EVERY:
            log.warning("connections were refused or dropped", **self._refused)
            self._refused, self._logged = {}, now

    def _sweep_later(self, loop: asyncio.AbstractEventLoop) -> None:
        self._sweeper = loop.call_later(self._pause, self._sweep, loop, loop.time())

    def _sweep(self, loop: asyncio.AbstractEventLoop, before: float) -> None:
        """Check all deadlines. If this runs late, the process was busy; clients get that time in addition."""
        now = loop.time()
        late = now - before - self._pause
        excused = late if late > self._pause else 0.0
        for protocol in list(self.waiting):
            protocol.check(now, excused)
        for protocol in list(self.stalled):
            protocol.check_writing(now, excused)
        self._sweeper = None
        if self.count:
            self._sweep_later(loop)

"""The connections of this process together: how many there are, who is waited for, and how much memory they hold."""

import asyncio
import time
from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING

import structlog

if TYPE_CHECKING:
    from api.http.protocol import BoundedProtocol

UNREAD_BYTES = 64 * 2**20
"""Of request bodies that have not ended, all connections together: 16 of the largest batches."""
UNSENT_BYTES = 64 * 2**20
"""Of answers that clients do not read, all connections together."""
LEAST_RATE = 1024
"""Bytes a second: a client that sends or reads faster may take as long as it needs. Phones on 2G reach 5 KiB."""
SWEEPS = 4
"""How often the shortest deadline is looked at while it passes; a deadline is kept within a quarter."""
LONGEST_PAUSE = 1.0
"""Seconds between two looks at all deadlines."""
LINGER_SECONDS = 2.0
"""How long what a refused client goes on sending is thrown away, so that it reads the answer before the connection is
reset (as nginx and Apache do)."""
LOGGED_EVERY = 10.0
"""Seconds; an attack must not fill the log."""
LINGER_BYTES = 16 * 2**20

log = structlog.get_logger("api.http")


class Phase(Enum):
    """Who a connection waits for. All but `ANSWER` wait for the client."""

    IDLE = "idle"
    HEAD = "head"
    BODY = "body"
    ANSWER = "answer"
    LINGER = "linger"
    CLOSING = "closing"


@dataclass(frozen=True)
class Deadlines:
    """Seconds, and how many connections a process keeps; `.env.example` explains each."""

    head: float = 20.0
    body: float = 30.0
    idle: float = 75.0
    write: float = 30.0
    connections: int = 1000


class Traffic:
    """What the connections of a process share. Those that wait for their clients are kept in the order in which they
    began to, so that the one that waits longest makes room for a new one."""

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
        """Whether there is room for one more connection; the one that waits longest for its client makes some."""
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
        """A connection that entered is closed."""
        self.count -= 1
        self.waiting.pop(protocol, None)
        self.stalled.pop(protocol, None)

    def stalls(self, protocol: "BoundedProtocol") -> None:
        """A client does not read. Where all of them together hold too much, the one that holds most is dropped."""
        self.stalled[protocol] = None
        while sum(one.unsent() for one in self.stalled) > UNSENT_BYTES:
            largest = max(self.stalled, key=lambda one: one.unsent())
            del self.stalled[largest]
            self.note("answers were not read")
            largest.drop()

    def reads(self, size: int) -> None:
        """Count bytes of bodies that have not ended. Where all of them together are too much, the largest is
        dropped."""
        self.unread += size
        while self.unread > UNREAD_BYTES:
            largest = max(self.waiting, key=lambda one: one.held_bytes, default=None)
            if largest is None or largest.held_bytes == 0:
                return
            self.note("bodies were not sent to their end")
            largest.drop()

    def note(self, why: str) -> None:
        """Count what was refused, and log it now and then."""
        self._refused[why] = self._refused.get(why, 0) + 1
        now = time.monotonic()
        if now - self._logged >= LOGGED_EVERY:
            log.warning("connections were refused or dropped", **self._refused)
            self._refused, self._logged = {}, now

    def _sweep_later(self, loop: asyncio.AbstractEventLoop) -> None:
        self._sweeper = loop.call_later(self._pause, self._sweep, loop, loop.time())

    def _sweep(self, loop: asyncio.AbstractEventLoop, before: float) -> None:
        """Look at all deadlines. Where this comes late the process was busy, and that is no client's fault."""
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

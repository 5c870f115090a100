"""The connections of this process: their number, which of them makes room, and the memory that they hold together."""

import asyncio
import ipaddress
import time
from collections import Counter
from typing import TYPE_CHECKING

import structlog

from api.http.deadlines import LINGER_SECONDS, Deadlines, Phase, check, check_writing

if TYPE_CHECKING:
    from api.http.protocol import BoundedProtocol

UNREAD_BYTES = 64 * 2**20
"""Bytes of unfinished request bodies over all connections: 16 of the largest batches."""
UNSENT_BYTES = 64 * 2**20
"""Bytes of answers that clients have not read, over all connections."""
SWEEPS = 4
"""Checks within the shortest deadline; a deadline is exact to a quarter of it."""
LONGEST_PAUSE = 1.0
"""Seconds, the most between two checks of all deadlines."""
LOGGED_EVERY = 10.0
"""Seconds between two log lines; an attack must not fill the log."""
LINGER_BYTES = 16 * 2**20

log = structlog.get_logger("api.http")


UNDER_WAY = frozenset({Phase.BODY, Phase.CLOSING})
"""Phases in which a drop cuts a body, or an answer that is being read."""


class Traffic:
    """What the connections of a process share. Those that wait for their clients are kept in the order in which they
    began to wait. `of_network` counts connections by network: who opens many makes room first."""

    def __init__(self, deadlines: Deadlines, proxies: tuple[str, ...] = ()) -> None:
        self.deadlines = deadlines
        self._all_proxies = "*" in proxies
        self._proxies = [ipaddress.ip_network(one, strict=False) for one in proxies if one != "*"]
        self.of_network: Counter[str] = Counter()
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
        """Whether there is room for one more connection; another one that waits for its client may make some."""
        if self.count >= self.deadlines.connections:
            dropped = self._makes_room(protocol)
            if dropped is None:
                self.note("too many connections")
                return False
            self.note("made room")
            dropped.drop()
        self.count += 1
        self.of_network[protocol.network] += 1
        if self._sweeper is None:
            self._sweep_later(protocol.loop)
        return True

    def _makes_room(self, new: "BoundedProtocol") -> "BoundedProtocol | None":
        """The connection that is dropped for a new one: of the network with the most connections, one without a body
        under way if it has any, the one that waits longest.

        A network drops nothing of another one that has fewer connections than it has itself. A proxy is no client: its
        connections are those of many, so none of its bodies is cut, and its own number does not count against it."""
        own = 1 if new.is_proxy else self.of_network[new.network] + 1
        best, best_rank = None, (0, False)
        for one in self.waiting:
            number = self.of_network[one.network]
            is_idle = one.phase not in UNDER_WAY
            is_own = one.network == new.network
            may_drop = number >= own or is_own if is_idle else not one.is_proxy and (number > own or is_own)
            if may_drop and (number, is_idle) > best_rank:
                best, best_rank = one, (number, is_idle)
        return best

    def is_proxy(self, host: str) -> bool:
        """Whether connections from this address are a trusted proxy's, which speaks for many clients."""
        if self._all_proxies:
            return True
        try:
            address = ipaddress.ip_address(host)
        except ValueError:
            return False
        return any(address in network for network in self._proxies)

    def leave(self, protocol: "BoundedProtocol") -> None:
        """Remove a connection that is closed."""
        self.count -= 1
        self.of_network[protocol.network] -= 1
        if not self.of_network[protocol.network]:
            del self.of_network[protocol.network]
        self.waiting.pop(protocol, None)
        self.stalled.pop(protocol, None)

    def stalls(self, protocol: "BoundedProtocol") -> None:
        """A client does not read. Where all of them together hold too much, the largest of the network that holds most
        is dropped."""
        self.stalled[protocol] = None
        while sum(one.unsent() for one in self.stalled) > UNSENT_BYTES:
            largest = _largest({one: one.unsent() for one in self.stalled})
            del self.stalled[largest]
            self.note("answers were not read")
            largest.drop()

    def reads(self, size: int) -> None:
        """Count bytes of bodies that have not ended. Where all of them together are too much, the largest of the
        network that holds most is dropped."""
        self.unread += size
        while self.unread > UNREAD_BYTES:
            held = {one: one.held_bytes for one in self.waiting if one.held_bytes}
            if not held:
                return
            self.note("bodies were not sent to their end")
            _largest(held).drop()

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
            check(protocol, now, excused)
        for protocol in list(self.stalled):
            check_writing(protocol, now, excused)
        self._sweeper = None
        if self.count:
            self._sweep_later(loop)


def _largest(held: "dict[BoundedProtocol, int]") -> "BoundedProtocol":
    """The connection that holds most, of the network that holds most."""
    of_network: Counter[str] = Counter()
    for one, size in held.items():
        of_network[one.network] += size
    return max(held, key=lambda one: (of_network[one.network], held[one]))

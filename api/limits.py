"""How often a client may ask: generous for a user and for an address, tight for making new users.

The counts are shared through Redis where `REDIS_URL` names one, and are this process's own otherwise. If Redis goes
away the process counts for itself, and says so in the log, until Redis is back. A single anonymous decision of the
coach is not limited: it stores nothing, and costs less than counting it.
"""

import asyncio
import contextlib
import hashlib
import ipaddress
import math
import time
from collections.abc import Iterator
from dataclasses import dataclass

import structlog
from fastapi import Request
from limits import RateLimitItem, parse
from limits.aio.storage import MemoryStorage, RedisStorage
from limits.aio.storage.memory import Entry
from limits.aio.strategies import MovingWindowRateLimiter, RateLimiter, SlidingWindowCounterRateLimiter
from limits.errors import StorageError
from redis.exceptions import RedisError
from starlette.types import ASGIApp, Receive, Scope, Send

from api.errors import TOO_MANY_REQUESTS, ProblemOccurred, problem_response
from api.http.user_ids import canonical_id

PREFIX = "/api/users"
NEW_USERS_PER_ADDRESS = parse("120/minute")
"""A school's class may sit behind one address; a script that fills the database may not."""
REQUESTS_PER_ADDRESS = parse("6000/minute")
"""Mobile carriers put thousands of phones behind one address."""
REQUESTS_PER_USER = parse("1200/minute")
"""A phone that catches up after a month offline."""
COACH = "/coach/suggestions"
BATCH = "/coach/suggestions/batch"
BATCHES_PER_ADDRESS = parse("120/minute")
"""A batch may hold 10,000 decisions and keeps a thread at work for some tenths of a second."""
EXPORT = "/api/admin/research/export"
EXPORTS_PER_ADDRESS = parse("30/minute")
"""Enough for a script that fetches every format, too few to try tokens."""
LINE_BITS = 64
"""Of an IPv6 address, those that name the line."""
REDIS_SECONDS = 0.5
"""How long Redis may take before the process counts for itself."""
RETRY_SECONDS = 10.0
"""After Redis failed, how long the process counts for itself before it asks again."""
SWEEP_SECONDS = 10.0
"""How often counts that have run out are forgotten."""

log = structlog.get_logger("api.limits")


def address_of(scope: Scope) -> str:
    """From where somebody asks, as limits count it: of IPv6 the network, of which a single line has 2^64 addresses."""
    client = scope.get("client")
    host = client[0] if client else "unknown"
    if ":" not in host:
        return host
    try:
        return str(ipaddress.ip_network((host.partition("%")[0], LINE_BITS), strict=False))
    except ValueError:
        return host


class _Memory(MemoryStorage):
    """The library's own storage looks at every key at every hit to forget old ones, which costs more the more people
    there are; this one does so now and then. A count that has run out is never used: reading it checks."""

    async def incr(self, key: str, expiry: float, amount: int = 1) -> int:
        if self.timer is None or self.timer.done():
            self.timer = asyncio.create_task(self._sweep())
        return await super().incr(key, expiry, amount)

    async def acquire_entry(self, key: str, limit: int, expiry: int, amount: int = 1) -> bool:
        if self.timer is None or self.timer.done():
            self.timer = asyncio.create_task(self._sweep())
        now = time.time()
        async with self.locks[key]:
            times = [entry for entry in self.events.get(key, []) if entry.atime > now - expiry]
            self.events[key] = times if len(times) + amount > limit else [Entry(expiry)] * amount + times
            return len(times) + amount <= limit

    async def _sweep(self) -> None:
        while self.expirations or self.events:
            await asyncio.sleep(SWEEP_SECONDS)
            now = time.time()
            for key in [key for key, at in self.expirations.items() if at <= now]:
                for kept in (self.storage, self.expirations, self.locks):
                    kept.pop(key, None)
            for key in [key for key, times in self.events.items() if not times or times[0].expiry <= now]:
                self.events.pop(key, None)
                self.locks.pop(key, None)


@dataclass(frozen=True)
class Window:
    """What is left of a limit after a request: how many more may come, and after how many seconds one more may."""

    allowed: bool
    remaining: int
    seconds: int


class RateLimits:
    """Counts requests, in Redis if there is one. The counts are weighted by the window before, which costs two numbers
    a key; `exact` keeps the time of every request instead, so that no window of any beginning holds more."""

    def __init__(self, redis_url: str | None, *, exact: bool = False) -> None:
        strategy: type[RateLimiter] = MovingWindowRateLimiter if exact else SlidingWindowCounterRateLimiter
        self._own = strategy(_Memory())
        self._shared: RateLimiter | None = None
        if redis_url is not None:
            uri = redis_url.replace("redis", "async+redis", 1)
            storage = RedisStorage(uri, implementation="redispy", wrap_exceptions=True, key_prefix="buddy-limits")
            self._shared = strategy(storage)
        self._away_since = -RETRY_SECONDS

    async def seconds_to_wait(self, item: RateLimitItem, key: str) -> int | None:
        """Count one request; None if it may go on, else the seconds after which it is worth another try."""
        window = await self.hit(item, key)
        return None if window.allowed else window.seconds

    async def hit(self, item: RateLimitItem, key: str) -> Window:
        """Count one request."""
        if self._shared is not None and time.monotonic() - self._away_since >= RETRY_SECONDS:
            try:
                async with asyncio.timeout(REDIS_SECONDS):
                    return await _hit(self._shared, item, key)
            except (StorageError, RedisError, OSError, TimeoutError) as error:
                self._away_since = time.monotonic()
                log.warning("Redis is away: limits count for this process alone", why=type(error).__name__)
        return await _hit(self._own, item, key)

    async def forget(self, item: RateLimitItem, key: str) -> None:
        """Begin to count anew: somebody has shown who they are."""
        for limiter in (self._shared, self._own):
            if limiter is not None:
                with contextlib.suppress(StorageError, RedisError, OSError, TimeoutError):
                    async with asyncio.timeout(REDIS_SECONDS):
                        await limiter.clear(item, key)


class Limited:
    """ASGI middleware: answers 429 with `Retry-After` where a limit is reached."""

    def __init__(self, app: ASGIApp, limits: RateLimits) -> None:
        self.app = app
        self.limits = limits

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and _is_counted(scope):
            for item, key in _counted(scope):
                wait = await self.limits.seconds_to_wait(item, key)
                if wait is not None:
                    detail = f"At most {item}; try again in {wait} s."
                    occurred = ProblemOccurred(TOO_MANY_REQUESTS, detail, headers={"Retry-After": str(wait)})
                    await problem_response(Request(scope), occurred)(scope, receive, send)
                    return
        await self.app(scope, receive, send)


def _is_counted(scope: Scope) -> bool:
    path = scope["path"]
    return (
        path.startswith(PREFIX)
        or path in {BATCH, EXPORT}
        or (path == COACH and _header(scope, b"x-user-uuid") is not None)
    )


def _header(scope: Scope, name: bytes) -> str | None:
    return next((value.decode("latin-1") for key, value in scope["headers"] if key == name), None)


def _counted(scope: Scope) -> Iterator[tuple[RateLimitItem, str]]:
    """What a request counts towards. An id is a capability, so only its digest leaves the process."""
    address = address_of(scope)
    if scope["path"] == BATCH:
        yield BATCHES_PER_ADDRESS, f"batch/{address}"
        return
    if scope["path"] == EXPORT:
        yield EXPORTS_PER_ADDRESS, f"export/{address}"
        return
    yield REQUESTS_PER_ADDRESS, f"address/{address}"
    if scope["path"] == COACH:
        uuid = _header(scope, b"x-user-uuid")
    else:
        uuid = scope["path"].removeprefix(PREFIX).strip("/").partition("/")[0]
    if uuid:
        yield REQUESTS_PER_USER, f"user/{hashlib.sha256(canonical_id(uuid).encode()).hexdigest()[:32]}"
    elif scope["method"] == "POST":
        yield NEW_USERS_PER_ADDRESS, f"new/{address}"


async def _hit(limiter: RateLimiter, item: RateLimitItem, key: str) -> Window:
    allowed = await limiter.hit(item, key)
    stats = await limiter.get_window_stats(item, key)
    return Window(allowed, max(0, stats.remaining) if allowed else 0, max(1, math.ceil(stats.reset_time - time.time())))

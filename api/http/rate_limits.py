"""Rate limits: generous for a user and for an address, tight for the creation of users.

With `REDIS_URL`, all processes share the counts through Redis; otherwise each process counts alone. While Redis is
unavailable, the process counts alone and logs that.

All operations are limited except these: a single anonymous decision of the coach, which stores nothing and costs less
than the count, and what machines request (`UNLIMITED`). Kinderbud has its own limits (`COUNTED_THERE`).
"""

import asyncio
import contextlib
import hashlib
import ipaddress
import math
import time
from collections.abc import Iterator
from typing import TYPE_CHECKING

import structlog
from fastapi import Request
from limits import RateLimitItem, parse
from starlette.types import ASGIApp, Receive, Scope, Send

from api.http.counts import ExactCounts, WeightedCounts, Window
from api.http.problems import TOO_MANY_REQUESTS, ProblemOccurred, problem_response
from api.http.user_ids import cannot_be_guessed, canonical_id

if TYPE_CHECKING:
    from limits.aio.strategies import RateLimiter

PREFIX = "/api/users"
NEW_USERS_PER_ADDRESS = parse("120/minute")
"""A school's class may sit behind one address; a script that fills the database may not."""
REQUESTS_PER_ADDRESS = parse("6000/minute")
"""Mobile carriers put thousands of phones behind one address."""
REQUESTS_PER_USER = parse("1200/minute")
"""A phone that catches up after a month offline. For an id that can be guessed: from each network."""
COACH = "/coach/suggestions"
BATCH = "/coach/suggestions/batch"
BATCHES_PER_ADDRESS = parse("120/minute")
"""A batch may hold 10,000 decisions, which keep a thread busy for some tenths of a second."""
EXPORT = "/api/admin/research/export"
EXPORTS_PER_ADDRESS = parse("30/minute")
"""Enough for a script that fetches every format, too few to try tokens."""
READS_PER_ADDRESS = parse("6000/minute")
"""Templates, badges, instruments, the policy, the documentation, pages and admin: all together, in each process."""
UNLIMITED = frozenset({"/", "/health/live", "/health/ready", "/metrics"})
"""Paths that load balancers and Prometheus request."""
COUNTED_THERE = "/api/v1/"
USER_DIGITS = 5
"""Hex digits of a user's digest that name the count: at most a million counts, however many ids a client invents."""
LINE_BITS = 64
"""Bits of an IPv6 address that identify the client's network."""
REDIS_SECONDS = 0.5
"""Timeout of Redis in seconds; after it the process counts alone."""
RETRY_SECONDS = 10.0
"""Seconds that the process counts alone after Redis failed, before it tries Redis again."""
ALLOWED = Window(True, 0, 1)
"""An allowed request, for callers that do not use the remaining count."""

log = structlog.get_logger("api.http.rate_limits")


def address_of(scope: Scope) -> str:
    """The client's address as the limits count it: for IPv6 the /64 network, since one line has 2^64 addresses."""
    client = scope.get("client")
    host = client[0] if client else "unknown"
    if ":" not in host:
        return host
    try:
        address = ipaddress.IPv6Address(host.partition("%")[0])
        if address.ipv4_mapped is not None:  # an IPv4 client of a socket for both
            return str(address.ipv4_mapped)
        return str(ipaddress.ip_network((int(address), LINE_BITS), strict=False))
    except ValueError:
        return host


class RateLimits:
    """Counts requests, in Redis if it is configured. The default is a sliding window counter, which stores two numbers
    per key. `exact` stores the time of every request, so that no window, wherever it starts, exceeds the limit."""

    def __init__(self, redis_url: str | None, *, exact: bool = False) -> None:
        self.own: WeightedCounts | ExactCounts = ExactCounts() if exact else WeightedCounts()
        self._shared: RateLimiter | None = None
        self._failures: tuple[type[Exception], ...] = ()
        if redis_url is not None:
            from api.http import redis_counts  # noqa: PLC0415 - slow, and most services have no Redis

            self._shared, self._failures = redis_counts.limiter(redis_url, exact=exact), redis_counts.FAILURES
        self._away_since = -RETRY_SECONDS

    async def seconds_to_wait(self, item: RateLimitItem, key: str) -> int | None:
        """Count one request. Returns None if it is allowed, else the seconds until the next allowed one. Sends one
        command to Redis, and a second one only if the limit is reached."""
        window = await self._hit(item, key, also_if_allowed=False)
        return None if window.allowed else window.seconds

    async def hit(self, item: RateLimitItem, key: str) -> Window:
        """Count one request and return what is left. Sends two commands to Redis."""
        return await self._hit(item, key, also_if_allowed=True)

    async def _hit(self, item: RateLimitItem, key: str, *, also_if_allowed: bool) -> Window:
        if self._shared is not None and time.monotonic() - self._away_since >= RETRY_SECONDS:
            try:
                async with asyncio.timeout(REDIS_SECONDS):
                    allowed = await self._shared.hit(item, key)
                    if allowed and not also_if_allowed:
                        return ALLOWED
                    stats = await self._shared.get_window_stats(item, key)
                seconds = max(1, math.ceil(stats.reset_time - time.time()))
                return Window(allowed, max(0, stats.remaining) if allowed else 0, seconds)
            except self._failures as error:
                self._away_since = time.monotonic()
                log.warning("Redis is away: limits count for this process alone", why=type(error).__name__)
        return self.own.hit(item, key)

    async def forget(self, item: RateLimitItem, key: str) -> None:
        """Reset the count, for example after a successful login."""
        self.own.forget(item, key)
        if self._shared is not None:
            with contextlib.suppress(*self._failures):
                async with asyncio.timeout(REDIS_SECONDS):
                    await self._shared.clear(item, key)


class RateLimitMiddleware:
    """ASGI middleware: answers 429 with `Retry-After` if a limit is reached. All processes share `limits`; this process
    alone counts reads of public data, so that they need not wait for Redis."""

    def __init__(self, app: ASGIApp, limits: RateLimits) -> None:
        self.app = app
        self.limits = limits
        self.reads = RateLimits(None)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            limits = self.limits if _is_shared(scope) else self.reads
            for item, key in _counted(scope):
                wait = await limits.seconds_to_wait(item, key)
                if wait is not None:
                    detail = f"At most {item}; try again in {wait} s."
                    occurred = ProblemOccurred(TOO_MANY_REQUESTS, detail, headers={"Retry-After": str(wait)})
                    await problem_response(Request(scope), occurred)(scope, receive, send)
                    return
        await self.app(scope, receive, send)


def is_limited(path: str) -> bool:
    """Whether this middleware counts requests to `path`."""
    return path not in UNLIMITED and not path.startswith(COUNTED_THERE)


def _is_shared(scope: Scope) -> bool:
    path = scope["path"]
    return path.startswith(PREFIX) or path in {COACH, BATCH, EXPORT}


def _header(scope: Scope, name: bytes) -> str | None:
    return next((value.decode("latin-1") for key, value in scope["headers"] if key == name), None)


def _counted(scope: Scope) -> Iterator[tuple[RateLimitItem, str]]:
    """What a request counts towards. An id is a capability, so only a part of its digest leaves the process. An id that
    can be guessed counts for each network by itself: a stranger elsewhere cannot use it up."""
    path = scope["path"]
    uuid = _header(scope, b"x-user-uuid") if path == COACH else None
    if not is_limited(path) or (path == COACH and uuid is None and scope["method"] == "POST"):
        return
    address = address_of(scope)
    if path == BATCH:
        yield BATCHES_PER_ADDRESS, f"batch/{address}"
    elif path == EXPORT:
        yield EXPORTS_PER_ADDRESS, f"export/{address}"
    elif path == COACH or path.startswith(PREFIX):
        yield REQUESTS_PER_ADDRESS, f"address/{address}"
        if path != COACH:
            uuid = path.removeprefix(PREFIX).strip("/").partition("/")[0]
        if uuid:
            counted = canonical_id(uuid) if cannot_be_guessed(uuid) else f"{uuid} {address}"
            digest = hashlib.sha256(counted.encode(errors="replace")).hexdigest()
            yield REQUESTS_PER_USER, f"user/{digest[:USER_DIGITS]}"
        elif scope["method"] == "POST":
            yield NEW_USERS_PER_ADDRESS, f"new/{address}"
    else:
        yield READS_PER_ADDRESS, f"read/{address}"

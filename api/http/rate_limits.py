"""How often a client may ask: generous for a user and for an address, tight for making new users.

The counts are shared through Redis where `REDIS_URL` names one, and are this process's own otherwise. If Redis goes
away the process counts for itself, and says so in the log, until Redis is back.

Every operation is limited but these: a single anonymous decision of the coach, which stores nothing and costs less than
counting it, and what machines ask (`UNLIMITED`). Kinderbud counts for itself (`COUNTED_THERE`).
"""

import asyncio
import contextlib
import hashlib
import ipaddress
import math
import time
from collections.abc import Iterator

import structlog
from fastapi import Request
from limits import RateLimitItem, parse
from limits.aio.storage import RedisStorage
from limits.aio.strategies import MovingWindowRateLimiter, RateLimiter, SlidingWindowCounterRateLimiter
from limits.errors import StorageError
from redis.exceptions import RedisError
from starlette.types import ASGIApp, Receive, Scope, Send

from api.http.counts import ExactCounts, WeightedCounts, Window
from api.http.problems import TOO_MANY_REQUESTS, ProblemOccurred, problem_response
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
READS_PER_ADDRESS = parse("6000/minute")
"""Templates, badges, instruments, the policy, the documentation, pages and admin: all together, in each process."""
UNLIMITED = frozenset({"/", "/health/live", "/health/ready", "/metrics"})
"""What load balancers and Prometheus ask."""
COUNTED_THERE = "/api/v1/"
USER_DIGITS = 5
"""Hex digits of a user's digest that name their count: a million counts, however many ids somebody makes up."""
LINE_BITS = 64
"""Of an IPv6 address, those that name the line."""
REDIS_SECONDS = 0.5
"""How long Redis may take before the process counts for itself."""
RETRY_SECONDS = 10.0
"""After Redis failed, how long the process counts for itself before it asks again."""
ALLOWED = Window(True, 0, 1)
"""Where it does not matter how many more may come."""

log = structlog.get_logger("api.http.rate_limits")


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


class RateLimits:
    """Counts requests, in Redis if there is one. The counts are weighted by the window before, which costs two numbers
    a key; `exact` keeps the time of every request instead, so that no window of any beginning holds more."""

    def __init__(self, redis_url: str | None, *, exact: bool = False) -> None:
        self.own: WeightedCounts | ExactCounts = ExactCounts() if exact else WeightedCounts()
        self._shared: RateLimiter | None = None
        if redis_url is not None:
            uri = redis_url.replace("redis", "async+redis", 1)
            storage = RedisStorage(uri, implementation="redispy", wrap_exceptions=True, key_prefix="buddy-limits")
            self._shared = (MovingWindowRateLimiter if exact else SlidingWindowCounterRateLimiter)(storage)
        self._away_since = -RETRY_SECONDS

    async def seconds_to_wait(self, item: RateLimitItem, key: str) -> int | None:
        """Count one request; None if it may go on, else the seconds after which it is worth another try. Asks Redis
        once, and once more only where the limit is reached."""
        window = await self._hit(item, key, also_if_allowed=False)
        return None if window.allowed else window.seconds

    async def hit(self, item: RateLimitItem, key: str) -> Window:
        """Count one request, and tell what is left, for which Redis is asked twice."""
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
            except (StorageError, RedisError, OSError, TimeoutError) as error:
                self._away_since = time.monotonic()
                log.warning("Redis is away: limits count for this process alone", why=type(error).__name__)
        return self.own.hit(item, key)

    async def forget(self, item: RateLimitItem, key: str) -> None:
        """Begin to count anew: somebody has shown who they are."""
        self.own.forget(item, key)
        if self._shared is not None:
            with contextlib.suppress(StorageError, RedisError, OSError, TimeoutError):
                async with asyncio.timeout(REDIS_SECONDS):
                    await self._shared.clear(item, key)


class RateLimitMiddleware:
    """ASGI middleware: answers 429 with `Retry-After` where a limit is reached. `limits` are shared by all processes;
    reads of what everybody may read are counted by this process alone, so that they need not wait for Redis."""

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
    """Whether requests to `path` are counted here at all."""
    return path not in UNLIMITED and not path.startswith(COUNTED_THERE)


def _is_shared(scope: Scope) -> bool:
    path = scope["path"]
    return path.startswith(PREFIX) or path in {COACH, BATCH, EXPORT}


def _header(scope: Scope, name: bytes) -> str | None:
    return next((value.decode("latin-1") for key, value in scope["headers"] if key == name), None)


def _counted(scope: Scope) -> Iterator[tuple[RateLimitItem, str]]:
    """What a request counts towards. An id is a capability, so only a part of its digest leaves the process."""
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
            digest = hashlib.sha256(canonical_id(uuid).encode(errors="replace")).hexdigest()
            yield REQUESTS_PER_USER, f"user/{digest[:USER_DIGITS]}"
        elif scope["method"] == "POST":
            yield NEW_USERS_PER_ADDRESS, f"new/{address}"
    else:
        yield READS_PER_ADDRESS, f"read/{address}"

"""Counts of requests that all processes share through Redis."""

from limits.aio.storage import RedisStorage
from limits.aio.strategies import MovingWindowRateLimiter, RateLimiter, SlidingWindowCounterRateLimiter
from limits.errors import StorageError
from redis.exceptions import RedisError

FAILURES = (StorageError, RedisError, OSError, TimeoutError)
"""What a count raises while Redis is away."""


def limiter(redis_url: str, *, exact: bool) -> RateLimiter:
    """`exact` stores the time of every request, else two numbers for each key."""
    uri = redis_url.replace("redis", "async+redis", 1)
    storage = RedisStorage(uri, implementation="redispy", wrap_exceptions=True, key_prefix="buddy-limits")
    return (MovingWindowRateLimiter if exact else SlidingWindowCounterRateLimiter)(storage)

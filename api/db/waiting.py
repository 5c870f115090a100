"""Waits for a database that is not available yet, with a time limit."""

import asyncio
import ssl
import time
from collections.abc import Awaitable, Callable

from sqlalchemy.exc import DBAPIError

from api.db.failures import MAY_BE_AWAY, sqlstate

AGAIN_SECONDS = 1.0
NOT_YET_STATES = ("08", "53300", "57P")
"""PostgreSQL: no connection, too many connections, starting up or shutting down."""


class NeverCame(Exception):
    """The database was not available in time; the message says why, without secrets."""


async def when_there[T](work: Callable[[], Awaitable[T]], seconds: float, say: Callable[[str], None]) -> T:
    """Call `work` again while the database is not available, and return its result. Raises NeverCame after `seconds`.
    Other errors, such as a wrong password or a missing database, are raised immediately."""
    started = time.monotonic()
    while True:
        try:
            return await work()
        except MAY_BE_AWAY as error:
            if not is_not_yet(error):
                raise
            waited = time.monotonic() - started
            why = (str(error).strip().partition("\n")[0] or type(error).__name__)[:200]
            if waited >= seconds:
                if not seconds:
                    raise
                message = f"database: {why}; waited {seconds:g} s for it (DATABASE_WAIT_SECONDS)"
                raise NeverCame(message) from error
            say(f"waiting for the database, {waited:.0f} of {seconds:g} s: {why}")
        await asyncio.sleep(min(AGAIN_SECONDS, max(0.0, seconds - (time.monotonic() - started))))


def is_not_yet(error: BaseException) -> bool:
    """Whether the database may still be starting."""
    driver = error.orig if isinstance(error, DBAPIError) else error
    if isinstance(driver, ssl.SSLCertVerificationError):
        return False
    if isinstance(driver, OSError):
        return True
    return sqlstate(driver).startswith(NOT_YET_STATES)

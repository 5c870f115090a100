"""The clock. All code that depends on the time uses it, so that a test can simulate months in minutes."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

type Clock = Callable[[], datetime]

CLOCK_TOLERANCE = timedelta(minutes=5)
"""How far a client's clock may be ahead of ours. Phones that use network time are within seconds; five minutes is the
limit of Kerberos (RFC 4120, section 3.1.3) and a common allowance for clock skew."""


def utc_now() -> datetime:
    """The machine's clock."""
    return datetime.now(UTC)


def effective_time(claimed: datetime | None, received: datetime) -> datetime:
    """The time that orders uploads: the client's time; or the time of receipt if the client sent none, or one more than
    `CLOCK_TOLERANCE` ahead. `api.db.upsert` has the same rule in SQL."""
    return received if claimed is None or claimed > received + CLOCK_TOLERANCE else claimed


def timestamp(moment: datetime) -> str:
    """A moment as answers print it: UTC, milliseconds, `Z`. The stored value keeps its microseconds."""
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def to_the_second(clock: Clock) -> datetime:
    """Now, in whole seconds, as the coach's answers print it."""
    return clock().replace(microsecond=0)

"""What time it is. Everything that depends on it asks here, so that a study of months can be lived in minutes."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

type Clock = Callable[[], datetime]

CLOCK_TOLERANCE = timedelta(minutes=5)
"""How far ahead of ours a client's clock may be. Phones that set their clock by the network are within seconds of it;
five minutes is what Kerberos (RFC 4120, section 3.1.3) allows, and what servers commonly take for skew."""


def utc_now() -> datetime:
    """The machine's clock."""
    return datetime.now(UTC)


def effective_time(claimed: datetime | None, received: datetime) -> datetime:
    """The time by which uploads are ordered: what the client claims, unless it claims none or is ahead by more than
    `CLOCK_TOLERANCE`; then the time of receipt. `api.db.upsert` has the same rule in SQL."""
    return received if claimed is None or claimed > received + CLOCK_TOLERANCE else claimed


def timestamp(moment: datetime) -> str:
    """A moment as answers print it: UTC, milliseconds, `Z`. What is stored keeps its microseconds."""
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def to_the_second(clock: Clock) -> datetime:
    """Now, as the coach's answers tell it."""
    return clock().replace(microsecond=0)

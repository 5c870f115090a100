"""What time it is. Everything that depends on it asks here, so that a study of months can be lived in minutes."""

from collections.abc import Callable
from datetime import UTC, datetime

type Clock = Callable[[], datetime]


def utc_now() -> datetime:
    """The machine's clock."""
    return datetime.now(UTC)


def timestamp(moment: datetime) -> str:
    """A moment as answers print it: UTC, milliseconds, `Z`. What is stored keeps its microseconds."""
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def to_the_second(clock: Clock) -> datetime:
    """Now, as the coach's answers tell it."""
    return clock().replace(microsecond=0)

"""What time it is. Everything that depends on it asks here, so that a study of months can be lived in minutes."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Annotated

from fastapi import Depends, Request

type Clock = Callable[[], datetime]


def utc_now() -> datetime:
    """The machine's clock."""
    return datetime.now(UTC)


def to_the_second(clock: Clock) -> datetime:
    """Now, as the coach's answers tell it."""
    return clock().replace(microsecond=0)


async def _now(request: Request) -> datetime:
    """Once a request, so that everything that it does happened at one moment."""
    moment: datetime = request.app.state.clock()
    return moment


Now = Annotated[datetime, Depends(_now)]

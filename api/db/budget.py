"""How long a request may be at work with the database, whatever it waits for there: a connection of the pool, a new
connection, a statement, a commit.

While a session is open a timer runs. When the budget is spent the timer cuts the connections of the request, so that
what waits on them fails at once. It cancels nothing: a driver whose statement is cancelled waits until the server
agrees, and a server that hangs does not.
"""

import asyncio
import contextlib
import contextvars
from collections.abc import Callable, Iterator

from starlette.types import ASGIApp, Receive, Scope, Send

GRACE_SECONDS = 0.5
"""The server ends a statement after the budget's seconds; one that does not answer is cut off so much later."""

_current: contextvars.ContextVar["Budget | None"] = contextvars.ContextVar("budget", default=None)


class Budget:
    """Seconds that may still be spent; time outside of sessions costs nothing."""

    def __init__(self, seconds: float) -> None:
        self._left = seconds + GRACE_SECONDS
        self._since = 0.0
        self._sessions = 0
        self._timer: asyncio.TimerHandle | None = None
        self._cuts: dict[int, Callable[[], None]] = {}

    def remaining(self) -> float:
        """Seconds, 0 at least."""
        spent = asyncio.get_running_loop().time() - self._since if self._sessions else 0.0
        return max(0.0, self._left - spent)

    @contextlib.contextmanager
    def spending(self) -> Iterator[None]:
        """While a session is open. Several at once spend the same time."""
        if not self._sessions:
            loop = asyncio.get_running_loop()
            self._since = loop.time()
            self._timer = loop.call_later(self._left, self._cut)
        self._sessions += 1
        outer = _current.get()
        if outer is not self:
            _current.set(self)
        try:
            yield
        finally:
            if outer is not self:
                _current.set(outer)
            left = self.remaining()
            self._sessions -= 1
            if not self._sessions:
                self._left = left
                if self._timer is not None:
                    self._timer.cancel()

    def follow(self, connection: object, cut: Callable[[], None]) -> None:
        """When the time is over, `cut` what waits on this connection."""
        self._cuts[id(connection)] = cut
        if self.remaining() <= 0:
            cut()

    def leave(self, connection: object) -> None:
        """The connection is back in the pool."""
        self._cuts.pop(id(connection), None)

    def _cut(self) -> None:
        for cut in self._cuts.values():
            cut()


def current_budget() -> Budget | None:
    """That of the request, or of the session outside of requests."""
    return _current.get()


def remaining_seconds() -> float | None:
    """What is left of the current budget, None where there is none."""
    budget = _current.get()
    return None if budget is None else budget.remaining()


class RequestBudget:
    """Gives every request a budget, which all its sessions share."""

    def __init__(self, app: ASGIApp, seconds: float) -> None:
        self.app = app
        self.seconds = seconds

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            _current.set(Budget(self.seconds))
        await self.app(scope, receive, send)

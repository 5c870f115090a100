"""The time budget of a request for database work: it covers waits for the pool, new connections, statements and
commits.

A timer runs while a session is open. When the budget is spent, the timer closes the connections of the request, so that
waits on them fail immediately. It does not cancel statements: the driver would wait until the server confirms, and a
server that hangs never does.
"""

import asyncio
import contextlib
import contextvars
from collections.abc import Callable, Iterator

from starlette.types import ASGIApp, Receive, Scope, Send

GRACE_SECONDS = 0.5
"""Seconds. The server ends a statement when the budget ends; the connection is closed this much later."""

_current: contextvars.ContextVar["Budget | None"] = contextvars.ContextVar("budget", default=None)


class Budget:
    """The remaining seconds; time outside sessions does not count."""

    def __init__(self, seconds: float) -> None:
        self._left = seconds + GRACE_SECONDS
        self._since = 0.0
        self._sessions = 0
        self._timer: asyncio.TimerHandle | None = None
        self._cuts: dict[int, Callable[[], None]] = {}

    def remaining(self) -> float:
        """Seconds, at least 0."""
        spent = asyncio.get_running_loop().time() - self._since if self._sessions else 0.0
        return max(0.0, self._left - spent)

    @contextlib.contextmanager
    def spending(self) -> Iterator[None]:
        """Count the time while a session is open. Sessions that are open together spend the same time."""
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
        """Call `cut` for this connection when the budget is spent."""
        self._cuts[id(connection)] = cut
        if self.remaining() <= 0:
            cut()

    def leave(self, connection: object) -> None:
        """Forget a connection that is back in the pool."""
        self._cuts.pop(id(connection), None)

    def _cut(self) -> None:
        for cut in self._cuts.values():
            cut()


def current_budget() -> Budget | None:
    """The budget of the request, or of the session outside requests."""
    return _current.get()


def remaining_seconds() -> float | None:
    """The rest of the current budget, None without one."""
    budget = _current.get()
    return None if budget is None else budget.remaining()


class RequestBudget:
    """ASGI middleware: gives every request a budget, which all its sessions share."""

    def __init__(self, app: ASGIApp, seconds: float) -> None:
        self.app = app
        self.seconds = seconds

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            _current.set(Budget(self.seconds))
        await self.app(scope, receive, send)

"""What a request costs, counted instead of timed: SQL statements, calls of Python functions, bytes of memory.

The app is called in the apps' event loop without a client or a socket, so that only its own work is counted. The counts
are the same on every machine, as long as Python and the locked libraries are.
"""

import asyncio
import contextlib
import json
import re
import sys
import threading
import tracemalloc
from collections import Counter
from collections.abc import Callable, Iterator
from contextvars import ContextVar
from dataclasses import dataclass, field
from pathlib import Path
from types import CodeType
from typing import Any

from sqlalchemy import event
from sqlalchemy.engine import Engine
from starlette.types import ASGIApp, Message

from tests.support import in_process
from tests.support.lived import Lived

REPEATS = 3
"""The first one warms caches up; of the others the smallest count stands, since a timer may run within one."""
_OF_REQUEST = ContextVar("_OF_REQUEST", default=False)
"""Whether what runs now belongs to the counted request: timers and the end of an earlier request do not."""
SITE = "site-packages"
POOLED = re.compile("uvloop_|asyncio_|ThreadPool|AnyIO")
"""Names of the threads that work for tasks; they have the context of their task."""
TOP = 8
"""Functions or lines that a report names."""


@dataclass(frozen=True)
class Ask:
    """A request. `path` may have a query; `body` is sent as JSON."""

    method: str
    path: str
    body: Any = None
    headers: dict[str, str] = field(default_factory=dict)


type Asks = Callable[[], Ask]
"""Prepares what a request needs, and returns the request."""


@dataclass
class Work:
    """What one request cost."""

    status: int = 0
    statements: list[str] = field(default_factory=list)
    calls: Counter[str] = field(default_factory=Counter)
    """Calls of Python functions by `package: file:function`."""
    peak_bytes: int = 0
    """The most memory that Python held for the request at a time."""
    lines: list[str] = field(default_factory=list)
    """The lines that held most of it when the answer began."""

    def by_package(self) -> Counter[str]:
        """The calls of each package; of `api` for each folder."""
        found: Counter[str] = Counter()
        for function, count in self.calls.items():
            found[function.partition(":")[0]] += count
        return found


def statements_of(service: Lived, asks: Asks) -> Work:
    """The fewest statements of a few requests of this kind."""
    return _least(service, asks, _statements, lambda work: len(work.statements))


def calls_of(service: Lived, asks: Asks) -> Work:
    """The fewest calls of a few requests of this kind."""
    return _least(service, asks, _calls, lambda work: work.calls.total())


def bytes_of(service: Lived, asks: Asks) -> Work:
    """The lowest peak of memory of a few requests of this kind."""
    return _least(service, asks, _memory, lambda work: work.peak_bytes)


def _least(service: Lived, asks: Asks, counting: "Counting", cost: Callable[[Work], int]) -> Work:
    app = in_process.app_at(service.url)
    found = []
    for _ in range(REPEATS):
        ask, work = asks(), Work()
        in_process.run(_answered(app, ask, work, counting))
        assert 200 <= work.status < 300, (work.status, ask)
        found.append(work)
    return min(found[1:], key=cost)


async def _answered(app: ASGIApp, ask: Ask, work: Work, counting: "Counting") -> None:
    path, _, query = ask.path.partition("?")
    sent = [b"" if ask.body is None else json.dumps(ask.body).encode()]
    headers = {"host": "127.0.0.1", "content-type": "application/json", "content-length": str(len(sent[0]))}
    scope = {
        "type": "http",
        "asgi": {"version": "3.0", "spec_version": "2.3"},
        "http_version": "1.1",
        "method": ask.method,
        "scheme": "http",
        "path": path,
        "raw_path": path.encode(),
        "root_path": "",
        "query_string": query.encode(),
        "headers": [(name.lower().encode(), value.encode()) for name, value in (headers | ask.headers).items()],
        "client": in_process.CLIENT_ADDRESS,
        "server": ("127.0.0.1", 80),
        "state": {},
    }

    async def receive() -> Message:
        if sent:
            return {"type": "http.request", "body": sent.pop(), "more_body": False}
        await asyncio.Event().wait()
        raise AssertionError("unreachable")

    async def send(message: Message) -> None:
        if message["type"] == "http.response.start":
            work.status = message["status"]
            at_start()

    with counting(work) as at_start:
        _OF_REQUEST.set(True)  # seen by the tasks and greenlets that the request begins
        await app(scope, receive, send)


type Counting = Callable[[Work], contextlib.AbstractContextManager[Callable[[], None]]]
"""Counts into the work until the end. Gives what is called when the answer begins."""


@contextlib.contextmanager
def statements_sent(counts: Callable[[], bool] = lambda: True) -> Iterator[list[str]]:
    """The statements that this process sends meanwhile to any database, but for those that begin a transaction.
    `counts` says, at each of them, whether it is one of them."""
    sent: list[str] = []

    def hear(_: Any, __: Any, sql: str, *___: Any) -> None:
        if counts() and not sql.startswith(("BEGIN", "PRAGMA")):
            sent.append(" ".join(sql.split()))

    event.listen(Engine, "before_cursor_execute", hear)
    try:
        yield sent
    finally:
        event.remove(Engine, "before_cursor_execute", hear)


@contextlib.contextmanager
def _statements(work: Work) -> Iterator[Callable[[], None]]:
    with statements_sent(_OF_REQUEST.get) as work.statements:
        yield lambda: None


@contextlib.contextmanager
def _calls(work: Work) -> Iterator[Callable[[], None]]:
    counts: Counter[CodeType] = Counter()
    monitoring, tool = sys.monitoring, sys.monitoring.PROFILER_ID

    loop_thread = threading.get_ident()

    def started(code: CodeType, _: int) -> None:
        if _OF_REQUEST.get() or _serves_all(loop_thread):
            counts[code] += 1

    monitoring.use_tool_id(tool, "work")
    monitoring.register_callback(tool, monitoring.events.PY_START, started)
    monitoring.set_events(tool, monitoring.events.PY_START)
    try:
        yield lambda: None
    finally:
        monitoring.set_events(tool, monitoring.events.NO_EVENTS)
        monitoring.register_callback(tool, monitoring.events.PY_START, None)
        monitoring.free_tool_id(tool)
    for code, count in counts.items():
        if code.co_filename != __file__:
            work.calls[_named(code)] += count


def _serves_all(loop_thread: int) -> bool:
    """Whether this code is of a connection: a driver's callback in the loop, or its thread. Neither has a context."""
    if threading.get_ident() == loop_thread:
        return asyncio.current_task() is None
    thread = threading.current_thread()
    return thread is not threading.main_thread() and not POOLED.match(thread.name)


@contextlib.contextmanager
def _memory(work: Work) -> Iterator[Callable[[], None]]:
    tracemalloc.start()
    try:
        before = tracemalloc.take_snapshot()
        tracemalloc.reset_peak()
        began, _ = tracemalloc.get_traced_memory()

        def at_start() -> None:
            work.peak_bytes = tracemalloc.get_traced_memory()[1] - began
            grown = tracemalloc.take_snapshot().compare_to(before, "lineno")
            work.lines = [f"{one.size_diff:>8} bytes at {one.traceback}" for one in grown[:TOP]]

        yield at_start
    finally:
        tracemalloc.stop()


def _named(code: CodeType) -> str:
    """For example `sqlalchemy: sql/elements.py:_compile_w_cache` or `api.kakei: summaries/routes.py:put_weekly`."""
    parts = Path(code.co_filename).parts
    if SITE in parts:
        package, *inside = parts[parts.index(SITE) + 1 :]
    elif "api" in parts:
        folder, *inside = parts[parts.index("api") + 1 :]
        package = f"api.{folder.removesuffix('.py')}"
    else:
        package, inside = "python", list(parts[-2:])
    return f"{package.removesuffix('.py')}: {'/'.join(inside)}:{code.co_qualname}"

"""Many concurrent clients, as patient as phones, and direct access to the database."""

import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import httpx

from tests.actors.person import somewhere

PATIENCE_SECONDS = 60.0


def phones(url: str = "", keep_connections: int = 0) -> httpx.Client:
    """A client whose requests come from different addresses, as from many phones. For use by many threads."""

    def elsewhere(request: httpx.Request) -> None:
        request.headers.update(somewhere())

    limits = httpx.Limits(max_connections=None, max_keepalive_connections=keep_connections)
    return httpx.Client(base_url=url, limits=limits, timeout=PATIENCE_SECONDS, event_hooks={"request": [elsewhere]})


def at_once[T](calls: Sequence[Callable[[], T]]) -> list[T]:
    """The results of the calls, each in its own thread, all started at the same time."""
    ready = threading.Barrier(len(calls))

    def run(call: Callable[[], T]) -> T:
        ready.wait()
        return call()

    with ThreadPoolExecutor(len(calls)) as pool:
        return [future.result() for future in [pool.submit(run, call) for call in calls]]


def patiently(send: Callable[[], httpx.Response]) -> httpx.Response:
    """The first answer other than 503. Between two tries, the client waits as long as `Retry-After` says."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while (answer := send()).status_code == 503 and time.monotonic() < deadline:
        time.sleep(int(answer.headers["Retry-After"]))
    return answer


def week(number: int, month_key: int, week_key: int) -> dict[str, Any]:
    """A weekly summary whose amounts all encode its `number`."""
    return {
        "month_key": month_key,
        "week_key": week_key,
        "total_spent": 10 * number + 0.25,
        "spent_wants": number + 0.25,
        "spent_needs": 2 * number,
        "spent_culture": 3 * number,
        "spent_unexpected": 4 * number,
        "logging_days_count": number % 3,  # the last week of June 2026 has two days
    }

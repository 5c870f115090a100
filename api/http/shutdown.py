"""SIGTERM in two steps: first /health/ready fails, so that a proxy sends no more requests; the service still answers
those that arrive. Then the server stops."""

import asyncio
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

import structlog

log = structlog.get_logger("api.shutdown")


class Shutdown:
    """Whether the process is about to stop."""

    def __init__(self) -> None:
        self.is_announced = False

    @contextmanager
    def announced(self, drain_seconds: float) -> Iterator[None]:
        """Install the SIGTERM handler while the service runs: it announces the end for `drain_seconds`, then calls the
        handler that was there before, which is the server's own. A second SIGTERM, or Ctrl-C, stops immediately."""
        if not drain_seconds or threading.current_thread() is not threading.main_thread():
            yield
            return
        loop = asyncio.get_running_loop()
        stop = signal.getsignal(signal.SIGTERM)

        def leave(number: int, frame: FrameType | None) -> None:
            def stop_now() -> None:
                if callable(stop):
                    stop(number, frame)

            if self.is_announced:
                stop_now()
                return
            self.is_announced = True
            loop.call_soon_threadsafe(loop.call_later, drain_seconds, stop_now)
            log.info("leaving: not ready any more, requests are still answered", seconds=drain_seconds)

        signal.signal(signal.SIGTERM, leave)
        try:
            yield
        finally:
            signal.signal(signal.SIGTERM, stop)

"""Work that goes on after its request was answered."""

import asyncio
from collections.abc import Coroutine
from typing import Any

import structlog

from api.db.failures import MAY_BE_AWAY

log = structlog.get_logger("api.background")


class BackgroundTasks:
    """Keeps tasks until they end, since the event loop does not, and logs those that fail. No request waits for them or
    fails with them.
    """

    def __init__(self) -> None:
        self._tasks: set[asyncio.Task[Any]] = set()

    def start[Result](self, work: Coroutine[Any, Any, Result], failure: str) -> asyncio.Task[Result]:
        """Start `work` now. `failure` is what the log says if it fails."""
        task = asyncio.create_task(work)
        self.keep(task, failure)
        return task

    def keep(self, task: asyncio.Task[Any], failure: str) -> None:
        """Keep a task that runs already."""
        self._tasks.add(task)
        task.add_done_callback(lambda ended: self._ended(ended, failure))

    def _ended(self, task: asyncio.Task[Any], failure: str) -> None:
        self._tasks.discard(task)
        if task.cancelled() or (error := task.exception()) is None:
            return
        if isinstance(error, MAY_BE_AWAY):
            log.warning(failure, why=type(error).__name__)
        else:
            log.error(failure, why=type(error).__name__, exc_info=error)

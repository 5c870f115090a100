"""Is anyone else using the machine? Only Linux tells; elsewhere it passes for calm."""

import os
import time
from collections.abc import Callable
from pathlib import Path

STAT = Path("/proc/stat")
SETTLE_SECONDS = 0.05
"""A server that was just under load closes its connections."""
LOOK_SECONDS = 0.25
BUSY_CORES = 0.3
"""Idle servers use a few hundredths of a core, one process that works uses a whole one."""
PATIENCE_SECONDS = 120.0
"""For all the waits of a run together."""
IDLE = slice(4, 6)
"""Columns of the first line: idle and iowait."""


def busy_cores() -> float:
    """How many cores were in use during a short look, in which this process does nothing."""
    if not STAT.exists():
        return 0.0
    idle, total = _ticks()
    time.sleep(LOOK_SECONDS)
    idle_then, total_then = _ticks()
    share = 1 - (idle_then - idle) / max(total_then - total, 1)
    return share * (os.cpu_count() or 1)


class Calm:
    """Waits for a calm machine before a measurement, and counts those after which it was found busy all the same."""

    def __init__(self) -> None:
        self.measured = 0
        self.disturbed = 0
        self._patience_seconds = PATIENCE_SECONDS

    def measure[T](self, measurement: Callable[[], T]) -> T:
        while busy_cores() > BUSY_CORES and self._patience_seconds > 0:
            self._patience_seconds -= LOOK_SECONDS
        measured = measurement()
        time.sleep(SETTLE_SECONDS)
        self.measured += 1
        self.disturbed += busy_cores() > BUSY_CORES
        return measured


def _ticks() -> tuple[int, int]:
    """Idle and all, since the machine was started, over all cores."""
    with STAT.open() as stat:
        columns = stat.readline().split()
    return sum(map(int, columns[IDLE])), sum(map(int, columns[1:9]))  # what follows is counted in user time already

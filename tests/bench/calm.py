"""Detects load from other processes on this machine. It reads /proc; on systems other than Linux the machine always
counts as calm."""

import os
import time
from collections.abc import Callable
from pathlib import Path

STAT = Path("/proc/stat")
SETTLE_SECONDS = 0.05
"""Seconds of rest before a check, so that a server can close its connections after a load."""
LOOK_SECONDS = 0.25
BUSY_CORES = 0.3
"""In cores. Idle servers use a few hundredths of a core; one busy process uses a whole core."""
PATIENCE_SECONDS = 120.0
"""Longest total waiting time of a run, in seconds."""
IDLE = slice(4, 6)
"""Columns of the first line of /proc/stat: idle and iowait."""


def busy_cores() -> float:
    """The number of busy cores during a short pause of this process."""
    if not STAT.exists():
        return 0.0
    idle, total = _ticks()
    time.sleep(LOOK_SECONDS)
    idle_then, total_then = _ticks()
    share = 1 - (idle_then - idle) / max(total_then - total, 1)
    return share * (os.cpu_count() or 1)


class Calm:
    """Waits for a calm machine before each measurement, and counts the measurements that were disturbed
    nevertheless."""

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
    """Idle ticks and all ticks since the start of the machine, summed over the cores."""
    with STAT.open() as stat:
        columns = stat.readline().split()
    return sum(map(int, columns[IDLE])), sum(map(int, columns[1:9]))  # the later columns are part of user time

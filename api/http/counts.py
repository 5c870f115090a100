"""In-memory rate limit counters of this process: hits of each key within a window, for a bounded number of keys.

When there are too many keys, the least recently hit one is dropped. A client can cause that only with requests from
that many addresses, and each address has its own limit anyway.
"""

import math
import time
from array import array
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass

from limits import RateLimitItem

MOST_KEYS = 50_000
"""About 20 MB."""
MOST_TIMES = 1_000_000
"""For `ExactCounts`, which stores the time of every hit: 8 MB."""
FORGOTTEN_AT_A_HIT = 2
"""Expired keys that each hit removes: more than a hit adds, so that they do not accumulate."""

type Key = tuple[str, int, int]


@dataclass(frozen=True, slots=True)
class Window:
    """What is left of a limit after a request: the remaining requests, and the seconds until the next allowed one."""

    allowed: bool
    remaining: int
    seconds: int


class WeightedCounts:
    """Stores two numbers per key: the hits of this window and of the previous one, weighted by the part of it that is
    within the last `expiry` seconds (the sliding window counter of the library `limits`)."""

    def __init__(self, most_keys: int = MOST_KEYS, now: Callable[[], float] = time.time) -> None:
        self._kept: OrderedDict[Key, tuple[int, int, int]] = OrderedDict()
        """By key: the number of the window, its hits, the hits of the previous window."""
        self._most_keys = most_keys
        self._now = now

    def __len__(self) -> int:
        return len(self._kept)

    def hit(self, item: RateLimitItem, name: str) -> Window:
        """Count one request, unless it is refused."""
        now, expiry, amount = self._now(), item.get_expiry(), item.amount
        key = (name, amount, expiry)
        number = int(now // expiry)
        kept_number, count, before = self._kept.get(key, (number, 0, 0))
        if kept_number != number:
            count, before = 0, count if kept_number == number - 1 else 0
        share = 1 - (now - number * expiry) / expiry  # of the previous window that still counts
        weighted = math.floor(before * share + count)
        allowed = weighted < amount
        self._kept[key] = (number, count + allowed, before)
        self._kept.move_to_end(key)
        self._forget(now)
        if allowed:
            return Window(True, amount - weighted - 1, max(1, math.ceil(share * expiry)))
        wait = share * expiry if count >= amount else expiry * (share - (amount - count) / before)
        return Window(False, 0, max(1, math.ceil(wait)))

    def forget(self, item: RateLimitItem, name: str) -> None:
        """Begin to count anew."""
        self._kept.pop((name, item.amount, item.get_expiry()), None)

    def _forget(self, now: float) -> None:
        for _ in range(FORGOTTEN_AT_A_HIT):
            oldest = next(iter(self._kept))
            expiry = oldest[2]
            if len(self._kept) <= self._most_keys and (self._kept[oldest][0] + 2) * expiry > now:
                return
            del self._kept[oldest]


class ExactCounts:
    """Stores the time of every hit, so that no window, wherever it starts, holds more than the limit."""

    def __init__(
        self, most_keys: int = MOST_KEYS, most_times: int = MOST_TIMES, now: Callable[[], float] = time.time
    ) -> None:
        self._kept: OrderedDict[Key, array[float]] = OrderedDict()
        self._most_keys = most_keys
        self._most_times = most_times
        self._times = 0
        self._now = now

    def __len__(self) -> int:
        return len(self._kept)

    def hit(self, item: RateLimitItem, name: str) -> Window:
        """Count one request, unless it is refused."""
        now, expiry, amount = self._now(), item.get_expiry(), item.amount
        key = (name, amount, expiry)
        times = self._kept.setdefault(key, array("d"))
        old = 0
        while old < len(times) and times[old] <= now - expiry:
            old += 1
        del times[:old]
        allowed = len(times) < amount
        if allowed:
            times.append(now)
        self._times += allowed - old
        self._kept.move_to_end(key)
        wait = max(1, math.ceil(times[0] + expiry - now))
        window = Window(allowed, amount - len(times), wait)
        self._forget(now)
        return window

    def forget(self, item: RateLimitItem, name: str) -> None:
        """Begin to count anew."""
        self._drop((name, item.amount, item.get_expiry()))

    def _forget(self, now: float) -> None:
        for _ in range(FORGOTTEN_AT_A_HIT):
            oldest = next(iter(self._kept), None)
            if oldest is None:
                return
            full = len(self._kept) > self._most_keys or self._times > self._most_times
            if not full and self._kept[oldest][-1] + oldest[2] > now:
                return
            self._drop(oldest)

    def _drop(self, key: Key) -> None:
        self._times -= len(self._kept.pop(key, ()))

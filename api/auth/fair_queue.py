"""A bounded queue for slow work, such as hashing a password, with fair turns."""

from asyncio import CancelledError, Future, get_running_loop
from collections import OrderedDict, deque
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

RETRY_SECONDS = 2
"""Said in `Retry-After`: longer than a full queue takes on one core."""

type Waiting = OrderedDict[str, deque[Future[None]]]
"""Waiting work by asker, in order of arrival. The next asker is at the front."""


class QueueFull(Exception):
    """The queue is full; `seconds` says when to try again."""

    seconds = RETRY_SECONDS


class FairQueue:
    """At most `at_once` pieces of work run and at most `waiting` wait, at most `waiting_of_one` of one asker.
    Askers take turns, so that a flood from one delays each other asker by at most one piece of work. A full queue drops
    the latest work of the asker with the most waiting, in favour of one with less. Work in the `reserved` lane has the
    same number of places of its own, and runs first.

    """

    def __init__(self, at_once: int, waiting: int, waiting_of_one: int) -> None:
        self.at_once = at_once
        self.waiting = waiting
        self.waiting_of_one = waiting_of_one
        self.running = 0
        self._lanes: tuple[Waiting, Waiting] = (OrderedDict(), OrderedDict())

    @asynccontextmanager
    async def place(self, asker: str, *, reserved: bool = False) -> AsyncIterator[None]:
        """Wait for a turn and hold it. Raises QueueFull at once, or later if the queue drops this work."""
        if self.running < self.at_once:
            self.running += 1
        else:
            await self._turn(self._lanes[not reserved], asker)
        try:
            yield
        finally:
            self._next()

    def waiting_now(self) -> int:
        """The number of waiting pieces of work in both lanes."""
        return sum(len(queue) for lane in self._lanes for queue in lane.values())

    async def _turn(self, lane: Waiting, asker: str) -> None:
        mine = len(lane.get(asker, ()))
        if mine >= self.waiting_of_one:
            raise QueueFull
        if sum(map(len, lane.values())) >= self.waiting:
            self._drop_one(lane, mine + 1)
        turn: Future[None] = get_running_loop().create_future()
        lane.setdefault(asker, deque()).append(turn)
        try:
            await turn
        except CancelledError:
            if turn.cancelled():
                _forget(lane, asker, turn)
            else:  # the turn was already given
                self._next()
            raise

    def _drop_one(self, lane: Waiting, fewer: int) -> None:
        """Make room for an asker who then has `fewer` waiting. Raises QueueFull if no other asker has more."""
        asker, queue = max(lane.items(), key=lambda item: len(item[1]))
        if len(queue) <= fewer:
            raise QueueFull
        dropped = queue[-1]
        _forget(lane, asker, dropped)
        dropped.set_exception(QueueFull())

    def _next(self) -> None:
        """Give the place of finished work to the next asker."""
        for lane in self._lanes:
            while lane:
                asker, queue = next(iter(lane.items()))
                turn = queue[0]
                _forget(lane, asker, turn)
                if asker in lane:
                    lane.move_to_end(asker)
                if not turn.done():
                    turn.set_result(None)
                    return
        self.running -= 1


def _forget(lane: Waiting, asker: str, turn: Future[None]) -> None:
    queue = lane.get(asker)
    if queue is not None and turn in queue:
        queue.remove(turn)
        if not queue:
            del lane[asker]

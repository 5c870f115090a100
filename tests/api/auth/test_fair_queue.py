"""A bounded queue with fair turns: counted step by step, without a clock."""

import asyncio
from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from api.auth.fair_queue import FairQueue, QueueFull

ASKERS = st.lists(st.tuples(st.integers(0, 12), st.booleans()), max_size=80)


class Work:
    """Pieces of work that end one by one, on request."""

    def __init__(self, queue: FairQueue) -> None:
        self.queue = queue
        self.running: list[tuple[str, asyncio.Event]] = []
        self.begun: list[str] = []
        self.refused: list[str] = []

    async def one(self, asker: str, reserved: bool) -> None:
        try:
            async with self.queue.place(asker, reserved=reserved):
                end = asyncio.Event()
                self.begun.append(asker)
                self.running.append((asker, end))
                await end.wait()
        except QueueFull:
            self.refused.append(asker)

    async def settle(self) -> None:
        for _ in range(6):
            await asyncio.sleep(0)

    async def end_one(self) -> None:
        self.running.pop(0)[1].set()
        await self.settle()


@given(ASKERS)
def test_no_bound_is_passed_and_nothing_is_lost(askers: list[tuple[int, bool]]) -> None:
    async def run() -> None:
        queue = FairQueue(2, 6, 3)
        work = Work(queue)
        tasks = [asyncio.create_task(work.one(f"{number}", reserved)) for number, reserved in askers]
        await work.settle()
        assert len(work.running) == queue.running == min(2, len(askers))
        assert queue.waiting_now() <= 12
        for lane in queue._lanes:
            assert sum(map(len, lane.values())) <= 6
            assert all(0 < len(waiting) <= 3 for waiting in lane.values())
        while work.running:
            await work.end_one()
            assert len(work.running) <= 2
        await asyncio.gather(*tasks)
        assert len(work.begun) + len(work.refused) == len(askers)
        assert (queue.running, queue.waiting_now()) == (0, 0)

    asyncio.run(run())


@given(st.integers(1, 300))
def test_a_flood_from_one_asker_never_keeps_another_out(flood: int) -> None:
    async def run() -> None:
        work = Work(FairQueue(1, 8, 8))
        tasks = [asyncio.create_task(work.one("flood", False)) for _ in range(flood)]
        await work.settle()
        tasks.append(asyncio.create_task(work.one("mine", False)))
        await work.settle()
        assert "mine" not in work.refused
        await work.end_one()
        if "mine" not in work.begun:
            await work.end_one()
        assert "mine" in work.begun, "one piece of the flood's work at most comes before it"
        while work.running:
            await work.end_one()
        await asyncio.gather(*tasks)

    asyncio.run(run())


def test_a_flood_from_as_many_askers_as_there_are_places_leaves_the_reserved_ones() -> None:
    async def run() -> None:
        work = Work(FairQueue(1, 8, 3))
        tasks = [asyncio.create_task(work.one(f"{number}", False)) for number in range(1000)]
        await work.settle()
        tasks.append(asyncio.create_task(work.one("known", True)))
        await work.settle()
        await work.end_one()
        assert work.begun[1] == "known"
        while work.running:
            await work.end_one()
        await asyncio.gather(*tasks)
        assert Counter(work.refused).total() == 1000 - 9

    asyncio.run(run())


@pytest.mark.parametrize("turn_has_come", [False, True])
def test_work_that_is_cancelled_gives_its_place_back(turn_has_come: bool) -> None:
    async def run() -> None:
        queue = FairQueue(1, 8, 8)
        work = Work(queue)
        first = asyncio.create_task(work.one("first", False))
        gone = asyncio.create_task(work.one("gone", False))
        last = asyncio.create_task(work.one("last", False))
        await work.settle()
        if turn_has_come:
            work.running.pop(0)[1].set()
            await asyncio.sleep(0)  # `first` ends; `gone` has its turn but has not begun
        gone.cancel()
        await work.settle()
        while work.running:
            await work.end_one()
        await asyncio.gather(first, gone, last, return_exceptions=True)
        assert work.begun[0] == "first"
        assert work.begun[-1] == "last"
        assert (queue.running, queue.waiting_now()) == (0, 0)

    asyncio.run(run())

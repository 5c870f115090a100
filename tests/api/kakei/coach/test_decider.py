"""Requests that come one at a time are decided at once, those that come together in batches."""

import asyncio
from collections.abc import Awaitable, Callable

import pytest

from api.kakei.coach import decider
from api.kakei.coach.decider import Decider
from api.kakei.coach.schemas import EXAMPLE_CONTEXT
from api.observability.metrics import Metrics
from api.policies import ServedPolicy
from coach_model.budget.coach import CONTRACT, Decisions, decide
from coach_model.budget.context import Contexts
from coach_model.onnx_policy import OnnxPolicy
from coach_model.policy import FallbackReason

CONTEXT = tuple(EXAMPLE_CONTEXT.values())


@pytest.fixture
def batches(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """The sizes of the batches that were decided."""
    sizes: list[int] = []

    def counted(policy: OnnxPolicy | FallbackReason, contexts: Contexts) -> Decisions:
        sizes.append(len(contexts))
        return decide(policy, contexts)

    monkeypatch.setattr(decider, "decide", counted)
    return sizes


def run(work: Callable[[Decider], Awaitable[None]]) -> None:
    async def with_decider() -> None:
        metrics = Metrics()
        policy = ServedPolicy(CONTRACT, None, metrics)
        policy.start()
        await work(Decider(policy, metrics))

    asyncio.run(with_decider())


def is_decided_at_once(one: Decider) -> bool:
    """Whether a decision comes without an iteration of the event loop."""
    asking = one.decision(CONTEXT)
    try:
        asking.send(None)
    except StopIteration:
        return True
    asking.close()
    return False


def test_one_after_the_other_waits_for_nothing(batches: list[int]) -> None:
    async def work(one: Decider) -> None:
        for _ in range(5):
            assert is_decided_at_once(one)
            await asyncio.sleep(0)
        assert batches == [1] * 5

    run(work)


def test_a_crowd_is_decided_in_batches(batches: list[int]) -> None:
    async def work(one: Decider) -> None:
        for _ in range(4):
            decisions = await asyncio.gather(*(one.decision(CONTEXT) for _ in range(16)))
            assert len({decision.policy_id for decision in decisions}) == 1
        assert batches == [1, 15, 16, 16, 16], "the first of a crowd cannot know it"

    run(work)


def test_after_a_crowd_one_after_the_other_waits_for_nothing_again(batches: list[int]) -> None:
    async def work(one: Decider) -> None:
        await asyncio.gather(*(one.decision(CONTEXT) for _ in range(16)))
        for _ in range(3):
            await one.decision(CONTEXT)
            await asyncio.sleep(0)
        assert batches == [1, 15, 1, 1, 1]
        assert is_decided_at_once(one)

    run(work)


def test_each_decision_is_counted_once() -> None:
    metrics = Metrics()
    policy = ServedPolicy(CONTRACT, None, metrics)
    policy.start()

    async def work() -> None:
        one = Decider(policy, metrics)
        await one.decision(CONTEXT)
        await asyncio.gather(*(one.decision(CONTEXT) for _ in range(16)))

    asyncio.run(work())
    assert 'buddy_coach_decisions_total{coach="budget",reason="",source="policy"} 17.0' in metrics.exposed().decode()

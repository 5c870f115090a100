"""Runs the policy for concurrent requests in batches, and monitors its failures and drift."""

import asyncio
import time
from collections import deque
from itertools import repeat

import numpy as np
import structlog

from api.kakei.coach.drift import Drift
from api.observability.metrics import Metrics
from api.policies import ServedPolicy
from coach_model.budget.coach import CONTRACT, Decision, decide
from coach_model.budget.context import Contexts
from coach_model.onnx_policy import OnnxPolicy
from coach_model.policy import FallbackReason, Source

COACH = CONTRACT.coach
COMPLAINT_SECONDS = 10.0
"""Seconds between two log lines about a failing policy."""

BREAKER_WINDOW = 100
"""Length of the breaker's window in decisions."""
BREAKER_FAILURES = 50
"""Failures in the window that open the breaker: a few odd contexts do not, a broken graph soon does."""
DRIFT_EVERY = 256
"""Contexts between two checks of the drift."""
FAILURES = frozenset({FallbackReason.MODEL_ERROR, FallbackReason.INVALID_OUTPUT})

log = structlog.get_logger("api.coach")


class Decider:
    """Decides with the served policy. Requests that arrive within two iterations of the event loop are decided as one
    batch: the cost of a graph depends on its nodes and hardly on its rows. Where requests come one at a time, they are
    decided at once, without a future and two more iterations.
    """

    def __init__(self, served: ServedPolicy, metrics: Metrics) -> None:
        self._served = served
        self._metrics = metrics
        self._waiting: list[tuple[tuple[float, ...], asyncio.Future[Decision]]] = []
        self._one_at_a_time = True
        self._decided_in_this_turn = False
        self._complained_at = -COMPLAINT_SECONDS
        self._failures: deque[bool] = deque(maxlen=BREAKER_WINDOW)
        self._judged: OnnxPolicy | FallbackReason | None = None
        self._drift = Drift({})
        self._unseen: list[Contexts] = []
        self._number_unseen = 0

    async def decision(self, context: tuple[float, ...]) -> Decision:
        """The decision for one valid context."""
        return self._at_once(context) or await self._with_others(context)

    def _at_once(self, context: tuple[float, ...]) -> Decision | None:
        """The decision, if requests come one at a time."""
        if not self._one_at_a_time:
            return None
        if self._decided_in_this_turn:
            self._one_at_a_time = False
            return None
        self._decided_in_this_turn = True
        asyncio.get_running_loop().call_soon(self._end_turn)
        return self.decisions([context])[0]

    def _end_turn(self) -> None:
        self._decided_in_this_turn = False

    def _with_others(self, context: tuple[float, ...]) -> asyncio.Future[Decision]:
        """The decision at the end of the next iteration of the event loop."""
        loop = asyncio.get_running_loop()
        future: asyncio.Future[Decision] = loop.create_future()
        if not self._waiting:  # with 16 clients, the second iteration doubles the batch
            loop.call_soon(loop.call_soon, self._decide_waiting)
        self._waiting.append((context, future))
        return future

    def decisions(self, contexts: list[tuple[float, ...]]) -> list[Decision]:
        """The decisions for valid contexts, immediately, in their order."""
        policy, array = self._served.now, np.array(contexts, dtype=np.float32)
        decisions = decide(policy, array)
        if policy is not self._judged:
            self._judged, self._drift = policy, Drift(policy.card if isinstance(policy, OnnxPolicy) else {})
            self._failures.clear()
            self._unseen, self._number_unseen = [], 0
        self._look_at_drift(array)
        counts: dict[tuple[Source, FallbackReason | None], int] = {}
        for decision in decisions.rows:
            kind = (decision.source, decision.fallback_reason)
            counts[kind] = counts.get(kind, 0) + 1
        for (source, reason), number in counts.items():
            self._metrics.count_decision(COACH, source, reason, number)
        if isinstance(policy, OnnxPolicy):
            self._judge(policy, decisions.rows)
        if decisions.problem is not None and time.monotonic() - self._complained_at >= COMPLAINT_SECONDS:
            self._complained_at = time.monotonic()
            log.error("the policy failed, the rules answer", why=decisions.problem)
        return decisions.rows

    def _judge(self, policy: OnnxPolicy, decisions: list[Decision]) -> None:
        """Open the breaker if the policy fails repeatedly. A context out of support is not a failure, and any client
        could send one."""
        failed = [one.fallback_reason for one in decisions if one.fallback_reason in FAILURES]
        if not failed:
            self._failures.extend(repeat(False, len(decisions)))
            return
        self._failures.extend(decision.fallback_reason in FAILURES for decision in decisions)
        if sum(self._failures) >= BREAKER_FAILURES:
            self._served.open_breaker(policy, failed[-1] or FallbackReason.MODEL_ERROR)

    def _look_at_drift(self, contexts: Contexts) -> None:
        """Count contexts, many at a time: numpy takes as long for one as for some hundred."""
        self._unseen.append(contexts)
        self._number_unseen += len(contexts)
        if self._number_unseen >= DRIFT_EVERY:
            together = np.concatenate(self._unseen)
            self._unseen, self._number_unseen = [], 0
            self._drift.count(together)
            for feature, index in self._drift.index().items():
                self._metrics.drift.labels(COACH, feature).set(index)

    def _decide_waiting(self) -> None:
        waiting, self._waiting = self._waiting, []
        self._one_at_a_time = len(waiting) == 1
        try:
            rows = self.decisions([context for context, _ in waiting])
        except Exception as error:  # noqa: BLE001 - the waiting requests must get the error
            for _, future in waiting:
                if not future.done():
                    future.set_exception(error)
            return
        for (_, future), decision in zip(waiting, rows, strict=True):
            if not future.done():  # a client that disconnected has cancelled it
                future.set_result(decision)

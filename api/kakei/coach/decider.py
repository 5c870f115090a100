"""Who asks the policy: many at once, and with an eye on whether it can still be trusted."""

import asyncio
import time
from collections import deque

import numpy as np
import structlog

from api.kakei.coach.drift import Drift
from api.observability.metrics import Metrics
from api.policies import ServedPolicy
from coach_model.budget.coach import CONTRACT, Decision, decide
from coach_model.budget.context import Contexts
from coach_model.onnx_policy import OnnxPolicy
from coach_model.policy import FallbackReason

COACH = CONTRACT.coach
COMPLAINT_SECONDS = 10.0
"""A policy that fails is logged at most this often."""

BREAKER_WINDOW = 100
"""Decisions that the breaker looks back on."""
BREAKER_FAILURES = 50
"""So many failures among them open it: no single odd context does, a graph that is broken does at once in a crowd."""
DRIFT_EVERY = 256
"""Contexts between two looks at the drift."""
FAILURES = frozenset({FallbackReason.MODEL_ERROR, FallbackReason.INVALID_OUTPUT})

log = structlog.get_logger("api.coach")


class Decider:
    """Decides with the policy that is served. What arrives within one turn of the event loop is decided together: a
    graph costs by its nodes and hardly by its rows, so a crowd is served faster and a single request waits for nobody.
    """

    def __init__(self, served: ServedPolicy, metrics: Metrics) -> None:
        self._served = served
        self._metrics = metrics
        self._waiting: list[tuple[tuple[float, ...], asyncio.Future[Decision]]] = []
        self._complained_at = -COMPLAINT_SECONDS
        self._failures: deque[bool] = deque(maxlen=BREAKER_WINDOW)
        self._judged: OnnxPolicy | FallbackReason | None = None
        self._drift = Drift({})
        self._unseen = 0

    def decision(self, context: tuple[float, ...]) -> asyncio.Future[Decision]:
        """The decision for one valid context, at the end of this turn of the event loop."""
        loop = asyncio.get_running_loop()
        future: asyncio.Future[Decision] = loop.create_future()
        if not self._waiting:
            loop.call_soon(self._decide_waiting)
        self._waiting.append((context, future))
        return future

    def decisions(self, contexts: list[tuple[float, ...]]) -> list[Decision]:
        """The decisions for valid contexts, at once, in their order."""
        policy, array = self._served.now, np.array(contexts, dtype=np.float32)
        decisions = decide(policy, array)
        if policy is not self._judged:
            self._judged, self._drift = policy, Drift(policy.card if isinstance(policy, OnnxPolicy) else {})
            self._failures.clear()
        self._look_at_drift(array)
        if isinstance(policy, OnnxPolicy):
            self._judge(policy, decisions.rows)
        for decision in decisions.rows:
            self._metrics.count_decision(COACH, decision.source, decision.fallback_reason)
        if decisions.problem is not None and time.monotonic() - self._complained_at >= COMPLAINT_SECONDS:
            self._complained_at = time.monotonic()
            log.error("the policy failed, the rules answer", why=decisions.problem)
        return decisions.rows

    def _judge(self, policy: OnnxPolicy, decisions: list[Decision]) -> None:
        """Open the breaker where the policy keeps failing. What is out of its support is no failure of its own, and
        anybody could provoke it."""
        self._failures.extend(decision.fallback_reason in FAILURES for decision in decisions)
        if sum(self._failures) >= BREAKER_FAILURES:
            reasons = [one.fallback_reason for one in decisions if one.fallback_reason in FAILURES]
            self._served.open_breaker(policy, reasons[-1] if reasons else FallbackReason.MODEL_ERROR)

    def _look_at_drift(self, contexts: Contexts) -> None:
        self._drift.count(contexts)
        self._unseen += len(contexts)
        if self._unseen >= DRIFT_EVERY:
            self._unseen = 0
            for feature, index in self._drift.index().items():
                self._metrics.drift.labels(COACH, feature).set(index)

    def _decide_waiting(self) -> None:
        waiting, self._waiting = self._waiting, []
        try:
            rows = self.decisions([context for context, _ in waiting])
        except Exception as error:  # noqa: BLE001 - whoever waits must hear of it
            for _, future in waiting:
                if not future.done():
                    future.set_exception(error)
            return
        for (_, future), decision in zip(waiting, rows, strict=True):
            if not future.done():  # a client that went away has cancelled it
                future.set_result(decision)

"""Which policy is being served: loads artifacts, watches their folder, and changes over without a dropped request."""

import asyncio
import time
from collections import deque
from importlib import resources
from pathlib import Path

import numpy as np
import structlog

from api.kakei.coach.drift import Drift
from api.telemetry import Metrics
from coach_model.budget.coach import CONTRACT, Decision, decide
from coach_model.budget.context import Contexts
from coach_model.onnx_policy import CARD_FILE, GRAPH_FILE, ArtifactMissing, ArtifactRefused, OnnxPolicy, load_policy
from coach_model.policy import FallbackReason

COACH = CONTRACT.coach
CHALLENGER = "budget-challenger"
"""Folder beside the coach's own: who decides in the shadow."""
PROMOTED = Path("var/models")
POLL_SECONDS = 0.25
"""How often the folder is looked at. A pair is loaded once it has stood still for one look, since its two files cannot
be replaced at one instant."""

COMPLAINT_SECONDS = 10.0
"""A policy that fails is logged at most this often."""

BREAKER_WINDOW = 100
"""Decisions that the breaker looks back on."""
BREAKER_FAILURES = 50
"""So many failures among them open it: no single odd context does, a graph that is broken does at once in a crowd."""
DRIFT_EVERY = 256
"""Contexts between two looks at the drift."""

type Signature = tuple[tuple[str, int, int, int] | None, ...]

FAILURES = frozenset({FallbackReason.MODEL_ERROR, FallbackReason.INVALID_OUTPUT})

log = structlog.get_logger("api.coach")


class ServedPolicy:
    """The policy that answers now, or why there is none. Only `look`, `start` and `open_breaker` change it, between
    requests."""

    def __init__(self, model_dir: Path | None, metrics: Metrics, name: str = COACH) -> None:
        self.now: OnnxPolicy | FallbackReason = FallbackReason.MODEL_UNAVAILABLE
        self.name = name
        self.drift = Drift({})
        self._model_dir = model_dir
        self._metrics = metrics
        self._tried: Signature = ()
        self._seen: Signature = ()

    def start(self) -> None:
        """Load what is there at once."""
        self._seen = self._signature()
        self._load()

    async def watch(self) -> None:
        """Look for a new artifact until cancelled."""
        while True:
            await asyncio.sleep(POLL_SECONDS)
            try:
                await asyncio.to_thread(self.look)
            except Exception as error:  # noqa: BLE001 - whatever lies in the folder, the watch goes on
                log.error("the folder of artifacts cannot be looked at", why=f"{type(error).__name__}: {error}")

    def look(self) -> None:
        """Load the artifact if it is new and has stood still since the last look."""
        signature = self._signature()
        still, self._seen = signature == self._seen, signature
        if still and signature != self._tried:
            self._load()

    def folder(self) -> Path:
        """Where to look now: in the configured folder, else in var/models if it holds any, else in the package."""
        if self._model_dir is not None:
            return self._model_dir / self.name
        promoted = PROMOTED / self.name
        if (promoted / GRAPH_FILE).exists() or (promoted / CARD_FILE).exists():
            return promoted
        return Path(str(resources.files("coach_model"))) / "artifacts" / self.name

    def open_breaker(self, policy: OnnxPolicy, reason: FallbackReason) -> None:
        """A policy keeps failing: the rules answer from now on, until there is another artifact."""
        if self.now is policy:  # it may have been replaced meanwhile
            log.error("breaker open, the rules answer until there is another artifact", policy_id=policy.policy_id)
            self._metrics.policy.labels(self.name, policy.policy_id).set(0)
            self._metrics.breaker.labels(self.name).set(1)
            self.now = reason

    def _load(self) -> None:
        self._tried = self._seen
        folder = self.folder()
        try:
            policy = load_policy(folder, CONTRACT)
        except ArtifactMissing as error:
            self._failed(FallbackReason.MODEL_UNAVAILABLE, error)
        except ArtifactRefused as error:
            self._failed(FallbackReason.MODEL_REFUSED, error)
        else:
            if isinstance(self.now, OnnxPolicy):
                self._metrics.policy.labels(self.name, self.now.policy_id).set(0)
            self._metrics.policy.labels(self.name, policy.policy_id).set(1)
            self._metrics.breaker.labels(self.name).set(0)
            self._metrics.loads.labels(self.name, "served").inc()
            self.now, self.drift = policy, Drift(policy.card)
            log.info("policy served", coach=self.name, policy_id=policy.policy_id, folder=str(folder))

    def _failed(self, reason: FallbackReason, error: Exception) -> None:
        self._metrics.loads.labels(self.name, reason).inc()
        if self.name == CHALLENGER:
            if isinstance(self.now, OnnxPolicy) or reason is not FallbackReason.MODEL_UNAVAILABLE:
                log.warning("no challenger decides in the shadow", why=str(error))
            if isinstance(self.now, OnnxPolicy):
                self._metrics.policy.labels(self.name, self.now.policy_id).set(0)
            self.now = reason
        elif isinstance(self.now, OnnxPolicy):
            log.warning("artifact refused, the policy before it goes on", why=str(error), policy_id=self.now.policy_id)
        else:
            self.now = reason
            log.warning("no policy, the rules answer", why=str(error), reason=reason)

    def _signature(self) -> Signature:
        return tuple(_file_signature(self.folder() / name) for name in (GRAPH_FILE, CARD_FILE))


def _file_signature(path: Path) -> tuple[str, int, int, int] | None:
    try:
        stat = path.stat()
    except OSError:
        return None
    return (str(path), stat.st_mtime_ns, stat.st_size, stat.st_ino)


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
        if policy is not self._judged:
            self._judged = policy
            self._failures.clear()
        self._failures.extend(decision.fallback_reason in FAILURES for decision in decisions)
        if sum(self._failures) >= BREAKER_FAILURES:
            reasons = [one.fallback_reason for one in decisions if one.fallback_reason in FAILURES]
            self._served.open_breaker(policy, reasons[-1] if reasons else FallbackReason.MODEL_ERROR)

    def _look_at_drift(self, contexts: Contexts) -> None:
        self._served.drift.count(contexts)
        self._unseen += len(contexts)
        if self._unseen >= DRIFT_EVERY:
            self._unseen = 0
            for feature, index in self._served.drift.index().items():
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

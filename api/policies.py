"""The policy that a coach serves: loads artifacts, watches their folder, and reloads without a dropped request."""

import asyncio
from collections.abc import Sequence
from importlib import resources
from pathlib import Path

import structlog

from api.observability.metrics import Metrics
from coach_model.onnx_policy import (
    CARD_FILE,
    CHALLENGER,
    GRAPH_FILE,
    PROMOTED,
    ArtifactMissing,
    ArtifactRefused,
    Contract,
    OnnxPolicy,
    load_policy,
)
from coach_model.policy import FallbackReason

POLL_SECONDS = 0.25
"""Seconds between two checks of the folder. A pair of files is loaded once it is unchanged since the last check, since
two files cannot be replaced at the same instant."""

type Signature = tuple[tuple[str, int, int, int] | None, ...]

log = structlog.get_logger("api.coach")


class ServedPolicy:
    """The policy that answers now, or why there is none. Only `look`, `start` and `open_breaker` change it, between
    requests."""

    def __init__(self, contract: Contract, model_dir: Path | None, metrics: Metrics, *, shadow: bool = False) -> None:
        self.now: OnnxPolicy | FallbackReason = FallbackReason.MODEL_UNAVAILABLE
        self.name = contract.coach + (CHALLENGER if shadow else "")
        self._contract = contract
        self._shadow = shadow
        self._model_dir = model_dir
        self._metrics = metrics
        self._tried: Signature = ()
        self._seen: Signature = ()

    def start(self) -> None:
        """Load the current artifact immediately."""
        self._seen = self._signature()
        self._load()

    def look(self) -> None:
        """Load the artifact if it is new and unchanged since the last check."""
        signature = self._signature()
        still, self._seen = signature == self._seen, signature
        if still and signature != self._tried:
            self._load()

    def folder(self) -> Path:
        """The current folder: the configured one, else var/models if it holds an artifact, else the package's."""
        if self._model_dir is not None:
            return self._model_dir / self.name
        promoted = PROMOTED / self.name
        if (promoted / GRAPH_FILE).exists() or (promoted / CARD_FILE).exists():
            return promoted
        return Path(str(resources.files("coach_model"))) / "artifacts" / self.name

    def open_breaker(self, policy: OnnxPolicy, reason: FallbackReason) -> None:
        """Stop a policy that fails repeatedly: the rules answer until there is a new artifact."""
        if self.now is policy:  # it may have been replaced in the meantime
            log.error("breaker open, the rules answer until there is another artifact", policy_id=policy.policy_id)
            self._metrics.policy.labels(self.name, policy.policy_id).set(0)
            self._metrics.breaker.labels(self.name).set(1)
            self.now = reason

    def _load(self) -> None:
        self._tried = self._seen
        folder = self.folder()
        try:
            policy = load_policy(folder, self._contract)
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
            self.now = policy
            log.info("policy served", coach=self.name, policy_id=policy.policy_id, folder=str(folder))

    def _failed(self, reason: FallbackReason, error: Exception) -> None:
        self._metrics.loads.labels(self.name, reason).inc()
        if self._shadow:
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


async def watch(policies: Sequence[ServedPolicy]) -> None:
    """Check for new artifacts until cancelled. One thread looks for all of them, since each takes the interpreter from
    the requests for a moment."""
    while True:
        await asyncio.sleep(POLL_SECONDS)
        await asyncio.to_thread(_look, policies)


def _look(policies: Sequence[ServedPolicy]) -> None:
    for policy in policies:
        try:
            policy.look()
        except Exception as error:  # noqa: BLE001 - no content of the folder may stop the watch
            log.error("the folder of artifacts cannot be looked at", why=f"{type(error).__name__}: {error}")


def _file_signature(path: Path) -> tuple[str, int, int, int] | None:
    try:
        stat = path.stat()
    except OSError:
        return None
    return (str(path), stat.st_mtime_ns, stat.st_size, stat.st_ino)

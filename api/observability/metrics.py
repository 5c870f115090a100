"""The id, the log line and the metrics of every request. Routes are named by their template, never by path."""

import os
import re
import secrets
import time
from typing import Any

import structlog
from prometheus_client import (
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    PlatformCollector,
    ProcessCollector,
    generate_latest,
)
from prometheus_client.multiprocess import MultiProcessCollector
from starlette.requests import ClientDisconnect
from starlette.types import ASGIApp, Message, Receive, Scope, Send

REQUEST_ID = re.compile(rb"[A-Za-z0-9._-]{1,64}")
UNMATCHED = "(unmatched)"
CLIENT_WENT_AWAY = 499
"""Not an HTTP status; nginx and its logs use it for clients that closed the request."""
SHARED = "PROMETHEUS_MULTIPROC_DIR"
"""The variable with the library's folder for counts of several workers; `buddy serve` sets it before they start."""
LATENCY_BUCKETS = (0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5)
"""Seconds."""


class Metrics:
    """The service's Prometheus metrics in their own registry; with several workers, of all workers (`SHARED`)."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        if SHARED not in os.environ:  # these describe one process
            ProcessCollector(registry=self.registry)
            PlatformCollector(registry=self.registry)
        self.requests = Histogram(
            "buddy_request_seconds",
            "Time to answer a request",
            ("method", "route", "status"),
            buckets=LATENCY_BUCKETS,
            registry=self.registry,
        )
        self.decisions = Counter(
            "buddy_coach_decisions",
            "Decisions of a coach by source and fallback reason",
            ("coach", "source", "reason"),
            registry=self.registry,
        )
        self.drawn = Counter(
            "buddy_study_decisions",
            "Decisions that a study drew and a user received, by phase and component",
            ("phase", "component"),
            registry=self.registry,
        )
        self.policy = Gauge(
            "buddy_coach_policy",
            "1 for the policy that is served, 0 for earlier ones",
            ("coach", "policy_id"),
            registry=self.registry,
            multiprocess_mode="livemax",
        )
        self.loads = Counter(
            "buddy_coach_policy_loads",
            "Attempts to load an artifact, by outcome",
            ("coach", "outcome"),
            registry=self.registry,
        )
        self.breaker = Gauge(
            "buddy_coach_breaker_open",
            "1 if a policy failed repeatedly, so that the rules answer until there is a new artifact",
            ("coach",),
            registry=self.registry,
            multiprocess_mode="livemax",
        )
        self.drift = Gauge(
            "buddy_coach_context_psi",
            "Population stability index of the requested contexts against those of the training",
            ("coach", "feature"),
            registry=self.registry,
            multiprocess_mode="livemax",
        )
        self._counters: dict[tuple[str, str, str | None], Any] = {}

    def gathered(self) -> CollectorRegistry:
        """The metrics of all processes."""
        if SHARED not in os.environ:
            return self.registry
        together = CollectorRegistry()
        MultiProcessCollector(together)  # type: ignore[no-untyped-call]
        return together

    def exposed(self) -> bytes:
        """The metrics in Prometheus' text format."""
        return generate_latest(self.gathered())

    def count_decision(self, coach: str, source: str, reason: str | None) -> None:
        """Count a decision; `reason` is None if the policy took it."""
        key = (coach, source, reason)
        if key not in self._counters:
            self._counters[key] = self.decisions.labels(coach, source, reason or "")
        self._counters[key].inc()


class TelemetryMiddleware:
    """Outermost ASGI middleware: gives the request an id, returns it in the answer, logs and measures.

    It removes a trailing slash from the path, since a redirect would lose the body.
    """

    def __init__(self, app: ASGIApp, metrics: Metrics) -> None:
        self.app = app
        self.metrics = metrics
        self.log = structlog.get_logger("api.request").bind()  # bound once: a lazy logger would be bound at every call
        self._timers: dict[tuple[str, str, int], Any] = {}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        started = time.perf_counter()
        request_id = _request_id(scope)
        scope["request_id"] = request_id
        path = scope["path"]
        if len(path) > 1 and path.endswith("/"):
            scope["path"] = path.rstrip("/") or "/"
        status = 500

        async def send_with_id(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                message["headers"] = [*message.get("headers", ()), (b"x-request-id", request_id.encode())]
            await send(message)

        try:
            await self.app(scope, receive, send_with_id)
        except ClientDisconnect:  # the client disconnected while it sent its request; there is no one to answer
            status = CLIENT_WENT_AWAY
        finally:
            seconds = time.perf_counter() - started
            route = getattr(scope.get("route"), "path", UNMATCHED)
            if route != UNMATCHED:
                route = scope.get("root_path", "") + route  # where a sub-app is mounted
            method = scope["method"] if route != UNMATCHED else "*"
            self._timer(method, route, status).observe(seconds)
            milliseconds = round(seconds * 1000, 2)
            self.log.info("request", method=method, route=route, status=status, ms=milliseconds, request_id=request_id)

    def _timer(self, method: str, route: str, status: int) -> Any:
        key = (method, route, status)
        if key not in self._timers:
            self._timers[key] = self.metrics.requests.labels(method, route, status)
        return self._timers[key]


def _request_id(scope: Scope) -> str:
    for name, value in scope["headers"]:
        if name == b"x-request-id" and REQUEST_ID.fullmatch(value):
            return str(value.decode())
    return secrets.token_hex(16)

"""What is known of every request: its id, its log line, its metrics. Routes are named by template, never by path."""

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
"""No status of HTTP's, but the one that logs use for it since nginx."""
SHARED = "PROMETHEUS_MULTIPROC_DIR"
"""Where the library keeps what several workers count; `buddy serve` sets it before they start."""
LATENCY_BUCKETS = (0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5)
"""Seconds."""


class Metrics:
    """The service's Prometheus metrics, in a registry of their own; of several workers those of all (`SHARED`)."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        if SHARED not in os.environ:  # they tell of one process
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
            "Decisions of a coach by who took them and why",
            ("coach", "source", "reason"),
            registry=self.registry,
        )
        self.drawn = Counter(
            "buddy_study_decisions",
            "Decisions that a study drew and somebody was told, by phase and component",
            ("phase", "component"),
            registry=self.registry,
        )
        self.policy = Gauge(
            "buddy_coach_policy",
            "1 for the policy that is served, 0 for those that were",
            ("coach", "policy_id"),
            registry=self.registry,
            multiprocess_mode="livemax",
        )
        self.loads = Counter(
            "buddy_coach_policy_loads",
            "Artifacts that were tried, by outcome",
            ("coach", "outcome"),
            registry=self.registry,
        )
        self.breaker = Gauge(
            "buddy_coach_breaker_open",
            "1 where a policy kept failing, so that the rules answer until there is another artifact",
            ("coach",),
            registry=self.registry,
            multiprocess_mode="livemax",
        )
        self.drift = Gauge(
            "buddy_coach_context_psi",
            "Population stability index of the contexts that are asked about against those of the training",
            ("coach", "feature"),
            registry=self.registry,
            multiprocess_mode="livemax",
        )
        self._counters: dict[tuple[str, str, str | None], Any] = {}

    def gathered(self) -> CollectorRegistry:
        """All of it, of all processes."""
        if SHARED not in os.environ:
            return self.registry
        together = CollectorRegistry()
        MultiProcessCollector(together)  # type: ignore[no-untyped-call]
        return together

    def exposed(self) -> bytes:
        """All of it, in Prometheus' text format."""
        return generate_latest(self.gathered())

    def count_decision(self, coach: str, source: str, reason: str | None) -> None:
        """One more decision; `reason` is None where the policy took it."""
        key = (coach, source, reason)
        if key not in self._counters:
            self._counters[key] = self.decisions.labels(coach, source, reason or "")
        self._counters[key].inc()


class TelemetryMiddleware:
    """ASGI middleware, outermost: gives the request its id, answers with it, logs and measures.

    A path with a trailing slash is the same as the path without, and no redirect loses a body.
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
        except ClientDisconnect:  # a phone that went away while it was sending; nobody is left to be answered
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

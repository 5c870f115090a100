"""The metrics of the service. Routes are named by their template, never by path."""

import os
from typing import Any

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

    def count_decision(self, coach: str, source: str, reason: str | None, number: int = 1) -> None:
        """Count `number` equal decisions; `reason` is None if the policy took them."""
        key = (coach, source, reason)
        if key not in self._counters:
            self._counters[key] = self.decisions.labels(coach, source, reason or "")
        self._counters[key].inc(number)

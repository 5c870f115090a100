"""What the coach's answers need of the running service."""

import asyncio
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field

from starlette.requests import HTTPConnection

from api.app_state import part_of
from api.background import BackgroundTasks
from api.clock import Clock
from api.db.engine import Database
from api.kakei.coach.decider import Decider
from api.kakei.studies.candidates import FrozenCandidates
from api.observability.metrics import Metrics
from api.policies import ServedPolicy


def _one_thread() -> ThreadPoolExecutor:
    return ThreadPoolExecutor(max_workers=1, thread_name_prefix="coach-batch")


@dataclass(frozen=True, slots=True)
class CoachServices:
    """`shadow` is the challenger, whose decisions are only logged. `batches` is the thread that decides for batches,
    `batches_waiting` are those that it has not answered.
    """

    database: Database
    clock: Clock
    metrics: Metrics
    background: BackgroundTasks
    shadow: ServedPolicy
    decider: Decider
    candidates: FrozenCandidates = field(default_factory=FrozenCandidates)
    batches: ThreadPoolExecutor = field(default_factory=_one_thread)
    batches_waiting: set[asyncio.Future[bytes]] = field(default_factory=set)


def coach_of(connection: HTTPConnection) -> CoachServices:
    """The same, for a request."""
    return part_of(connection.app, CoachServices)

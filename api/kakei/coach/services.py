"""The coach's own part of the running service."""

import asyncio
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field

from starlette.requests import HTTPConnection

from api.kakei.coach.decider import Decider
from api.kakei.studies.candidates import FrozenCandidates
from api.services import part_of


def _one_thread() -> ThreadPoolExecutor:
    return ThreadPoolExecutor(max_workers=1, thread_name_prefix="coach-batch")


@dataclass(frozen=True, slots=True)
class CoachServices:
    """`batches` is the thread that decides for batches, `batches_waiting` are those that it has not answered."""

    decider: Decider
    candidates: FrozenCandidates = field(default_factory=FrozenCandidates)
    batches: ThreadPoolExecutor = field(default_factory=_one_thread)
    batches_waiting: set[asyncio.Future[bytes]] = field(default_factory=set)


def coach_of(connection: HTTPConnection) -> CoachServices:
    """The coach's part, for a request."""
    return part_of(connection.app, CoachServices)

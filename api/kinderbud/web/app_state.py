"""The pages' own part of the running service."""

import asyncio
from dataclasses import dataclass, field
from datetime import date

from starlette.requests import HTTPConnection

from api.app_state import part_of
from api.kinderbud.today.actions import Prepared


@dataclass(frozen=True, slots=True)
class PageServices:
    """`choosing` has the days that are chosen beside their page, by household and day."""

    choosing: dict[tuple[int, date], asyncio.Task[Prepared]] = field(default_factory=dict)
    taking_along: asyncio.Lock = field(default_factory=asyncio.Lock)
    """One export of a family at a time: ten years take tens of megabytes."""


def pages_of(connection: HTTPConnection) -> PageServices:
    """The pages' part, for a request."""
    return part_of(connection.app, PageServices)

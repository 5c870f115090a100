"""Chooses days in advance, so that no family waits for Claude in the morning: by command, or every morning
(`CURATE_AT`) in one process of the service.
"""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from datetime import date, time, timedelta

import structlog

from api.db.failures import MAY_BE_AWAY
from api.db.leases import hold, new_holder, release
from api.kinderbud.auth import Caller
from api.kinderbud.households.queries import users_of, with_a_claude_key
from api.kinderbud.today import queries
from api.kinderbud.today.app_state import DayServices
from api.kinderbud.today.curation import selected_day
from api.models import Household
from api.time_zones import local_date, zone_of

LEASE = "choosing ahead"
LASTING = timedelta(minutes=3)
LOOK_SECONDS = 60.0
"""How often the service checks where it is morning."""
AT_ONCE = 4
"""How many days Claude chooses in parallel."""

log = structlog.get_logger("api.kinderbud")


@dataclass(frozen=True)
class Ahead:
    """A chosen day: who chose it, and whether just now. Without a source there were no candidates."""

    household_id: int
    day: date
    source: str | None
    is_new: bool


async def choose_ahead(services: DayServices, households: Sequence[Household]) -> AsyncIterator[Ahead]:
    """Choose today for each household, a few in parallel. A day that is already chosen stays."""
    slots = asyncio.Semaphore(AT_ONCE)

    async def choose(household: Household) -> Ahead | None:
        async with slots:
            try:
                async with services.database.read() as session:
                    users = await users_of(session, household.id)
                if not users:  # the household was deleted meanwhile
                    return None
                caller = Caller(users[0], household, services.clock())
                prepared = await selected_day(services, caller)
            except Exception as error:  # noqa: BLE001 - an error with one family must not stop the others
                log.error("a day could not be chosen ahead", household=household.id, why=type(error).__name__)
                return None
        source = prepared.selection.source if prepared.selection else None
        return Ahead(household.id, caller.today, source, prepared.fresh)

    for chosen in asyncio.as_completed([choose(one) for one in households]):
        ahead = await chosen
        if ahead is not None:
            yield ahead


async def keep_choosing(services: DayServices, at: time) -> None:
    """Run every morning from `at` on, in each household's time zone, until it is cancelled."""
    holder = new_holder()
    idle: set[tuple[int, date]] = set()
    """Households without candidates on a day; they are not checked again."""
    try:
        while True:
            try:
                if await hold(services.database, LEASE, holder, services.clock(), LASTING):
                    idle = await _look(services, at, holder, idle)
            except Exception as error:  # noqa: BLE001 - the database may be unavailable; the next round tries again
                log.warning("no day is chosen ahead for now", why=type(error).__name__)
            await asyncio.sleep(LOOK_SECONDS)
    finally:
        with contextlib.suppress(*MAY_BE_AWAY):
            await asyncio.shield(release(services.database, LEASE, holder, services.clock()))


async def _look(services: DayServices, at: time, holder: str, idle: set[tuple[int, date]]) -> set[tuple[int, date]]:
    """Choose for households where it is morning. Returns those without candidates."""
    now = services.clock()
    async with services.database.read() as session:
        households = await with_a_claude_key(session)
        since = now.date() - timedelta(days=1)  # in no time zone does the day start earlier
        chosen = await queries.chosen_since(session, since)
    idle = {(household_id, day) for household_id, day in idle if day >= since}
    waiting = [
        one
        for one in households
        if now.astimezone(zone_of(one.time_zone)).time() >= at
        and (one.id, local_date(now, one.time_zone)) not in chosen | idle
    ]
    async for ahead in choose_ahead(services, waiting):
        if ahead.source is None:
            idle.add((ahead.household_id, ahead.day))
        elif ahead.is_new:
            log.info("a day is chosen ahead", household=ahead.household_id, source=ahead.source)
        await hold(services.database, LEASE, holder, services.clock(), LASTING)
    return idle

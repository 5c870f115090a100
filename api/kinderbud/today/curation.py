"""Chooses a day, with Claude if the household has a key. A short transaction claims the day, none is open while Claude
answers, and a second short one stores the result. If anything fails, the policy or the rules choose.
"""

import asyncio
from datetime import date, timedelta

import structlog
from sqlalchemy.ext.asyncio import AsyncSession

from api.kinderbud.auth import Caller
from api.kinderbud.claude.client import Curation, curate, prompt
from api.kinderbud.claude.failures import ClaudeFailed
from api.kinderbud.claude.keys import key_of
from api.kinderbud.claude.prompt_data import RECENT_DAYS, fenced, told_of
from api.kinderbud.claude.replies import Usage
from api.kinderbud.history.queries import actions_between
from api.kinderbud.today import queries
from api.kinderbud.today.actions import Curated, Offer, Prepared, fix_day, offer_day, prepare_day
from api.kinderbud.today.app_state import DayServices
from api.kinderbud.today.curation_prompt import day_to_choose
from coach_model.daily.slate import broken_constraint

GRACE_SECONDS = 5.0
"""How much longer than Claude's time limit a request keeps its claim on the day."""
MOST_TRIGGERS = 5
"""The most requests to Claude about one day, including failures and crashes."""
LOOK_SECONDS = 0.25
"""How often waiting requests check whether the day is chosen."""

log = structlog.get_logger("api.kinderbud")


async def selected_day(services: DayServices, caller: Caller) -> Prepared:
    """The day's selection, made now if it is missing. Concurrent requests wait for it."""
    key = key_of(services.keyring, caller.household)
    if key is None:
        async with services.database.write() as session:
            return await prepare_day(session, caller, services.daily.now, services.metrics)
    lease = timedelta(seconds=services.settings.claude_seconds + GRACE_SECONDS)
    deadline = asyncio.get_running_loop().time() + lease.total_seconds()
    while asyncio.get_running_loop().time() < deadline:
        async with services.database.write() as session:
            prepared = await offer_day(session, caller, services.daily.now)
            if prepared.offer is None:
                return prepared
            now = services.clock()
            free = await queries.lease(session, caller.household.id, caller.today, now, now + lease, MOST_TRIGGERS)
            if free is False:
                return await fix_day(session, caller, prepared.offer, services.metrics)
            family = await _family(session, caller, prepared.offer) if free else ""
        if free:
            return await _ask(services, caller, key, family, prepared.offer)
        await _wait(services, caller, deadline)
    async with services.database.write() as session:
        return await prepare_day(session, caller, services.daily.now, services.metrics)


async def _wait(services: DayServices, caller: Caller, deadline: float) -> None:
    """Wait until another request has chosen the day, or its claim has expired."""
    while asyncio.get_running_loop().time() < deadline:
        await asyncio.sleep(LOOK_SECONDS)
        async with services.database.read() as session:
            if await queries.selection_of(session, caller.household.id, caller.today) is not None:
                return
            claimed = await queries.claim_of(session, caller.household.id, caller.today)
            if claimed is None or claimed.leased_until <= services.clock():
                return


async def _ask(services: DayServices, caller: Caller, key: str, family: str, asked: Offer) -> Prepared:
    """Ask Claude, and store its choice or the policy's. `asked` are Claude's candidates; they may have changed when the
    choice is stored.
    """
    said: tuple[Curation, Usage] | None = None
    try:
        said = await curate(key, services.settings, family)
    except ClaudeFailed as failed:
        log.warning("Claude did not choose, the coach does", household=caller.household.id, cause=failed.cause)
    async with services.database.write() as session:
        prepared = await offer_day(session, caller, services.daily.now)
        if prepared.offer is None:
            return prepared
        curated = _curated(asked, prepared.offer, caller, *said) if said else None
        return await fix_day(session, caller, prepared.offer, services.metrics, curated)


def _curated(asked: Offer, offer: Offer, caller: Caller, curation: Curation, usage: Usage) -> Curated | None:
    """Claude's choice, if it uses only the candidates and meets the constraints."""
    numbered = {number: seen.todo.id for number, seen in enumerate(asked.eligible, 1)}
    places = {seen.todo.id: place for place, seen in enumerate(offer.eligible)}
    chosen = [places.get(numbered.get(number, 0)) for number in curation.ids]
    known = tuple(place for place in chosen if place is not None)
    problem = "an id outside the candidates" if len(known) < len(chosen) else None
    problem = problem or broken_constraint(offer.candidates, known, caller.household.daily_task_count)
    if problem is not None:
        log.warning("Claude's choice is dropped", household=caller.household.id, why=problem)
        return None
    return Curated(known, curation.note, prompt("curate").version, usage.input, usage.output)


async def _family(session: AsyncSession, caller: Caller, offer: Offer) -> str:
    household, today = caller.household, caller.today
    first: date = today - timedelta(days=RECENT_DAYS)
    recent = await actions_between(session, household.id, first, today)
    told = await told_of(session, household)
    return fenced(day_to_choose(today, household.daily_task_count, told, offer, recent))

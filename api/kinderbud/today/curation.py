"""The day, with Claude where the household has a key: a short transaction claims it, nobody holds one while Claude
thinks, and a second short one stores what came of it. Whatever goes wrong, the policy or the rules choose."""

import asyncio
from datetime import date, timedelta
from typing import Any

import structlog

from api.kinderbud.caller import Caller
from api.kinderbud.claude.client import LONGEST_NOTE, ClaudeFailed, Curation, Usage, curate, prompt
from api.kinderbud.claude.family import RECENT_DAYS, day_to_choose, fenced, people_of, recent_of
from api.kinderbud.claude.keys import key_of
from api.kinderbud.history.queries import actions_between
from api.kinderbud.households.queries import participants_of
from api.kinderbud.today import queries
from api.kinderbud.today.actions import Curated, Offer, Prepared, fix_day, offer_day, prepare_day
from coach_model.daily.slate import broken_constraint

GRACE_SECONDS = 5.0
"""For how much longer than Claude has whoever asks it has the day to themselves."""
MOST_TRIGGERS = 5
"""How often Claude is asked about one day, however often that fails or the service dies."""
LOOK_SECONDS = 0.25
"""How often those who wait look whether the day is there."""

log = structlog.get_logger("api.kinderbud")


async def selected_day(state: Any, caller: Caller) -> Prepared:
    """The day's selection, made now if it is not there. `state` is the service's. Others who ask meanwhile wait for
    it."""
    key = key_of(state.keyring, caller.household)
    if key is None:
        async with state.database.write() as session:
            return await prepare_day(session, caller, state.daily.now, state.metrics)
    lease = timedelta(seconds=state.settings.claude_seconds + GRACE_SECONDS)
    deadline = asyncio.get_running_loop().time() + lease.total_seconds()
    while asyncio.get_running_loop().time() < deadline:
        async with state.database.write() as session:
            prepared = await offer_day(session, caller, state.daily.now)
            if prepared.offer is None:
                return prepared
            now = state.clock()
            free = await queries.lease(session, caller.household.id, caller.today, now, now + lease, MOST_TRIGGERS)
            if free is False:
                return await fix_day(session, caller, prepared.offer, state.metrics)
            family = await _family(session, caller, prepared.offer) if free else ""
        if free:
            return await _ask(state, caller, key, family)
        await _wait(state, caller, deadline)
    async with state.database.write() as session:
        return await prepare_day(session, caller, state.daily.now, state.metrics)


async def _wait(state: Any, caller: Caller, deadline: float) -> None:
    """Until somebody else has chosen, or has had the day for long enough."""
    while asyncio.get_running_loop().time() < deadline:
        await asyncio.sleep(LOOK_SECONDS)
        async with state.database.read() as session:
            if await queries.selection_of(session, caller.household.id, caller.today) is not None:
                return
            claimed = await queries.claim_of(session, caller.household.id, caller.today)
            if claimed is None or claimed.leased_until <= state.clock():
                return


async def _ask(state: Any, caller: Caller, key: str, family: str) -> Prepared:
    """Ask Claude, and store its choice or the policy's."""
    said: tuple[Curation, Usage] | None = None
    try:
        said = await curate(key, state.settings, family)
    except ClaudeFailed as failed:
        log.warning("Claude did not choose, the coach does", household=caller.household.id, cause=failed.cause)
    async with state.database.write() as session:
        prepared = await offer_day(session, caller, state.daily.now)
        if prepared.offer is None:
            return prepared
        curated = _curated(prepared.offer, caller, *said) if said else None
        return await fix_day(session, caller, prepared.offer, state.metrics, curated)


def _curated(offer: Offer, caller: Caller, curation: Curation, usage: Usage) -> Curated | None:
    """What Claude chose, if it keeps to the candidates and to the constraints."""
    places = {seen.todo.id: place for place, seen in enumerate(offer.eligible)}
    strangers = [todo_id for todo_id in curation.ids if todo_id not in places]
    problem = "an id that was not offered" if strangers else None
    chosen = tuple(places[todo_id] for todo_id in curation.ids if todo_id in places)
    problem = problem or broken_constraint(offer.candidates, chosen, caller.household.daily_task_count)
    if problem is not None:
        log.warning("Claude's choice is dropped", household=caller.household.id, why=problem)
        return None
    note = " ".join(curation.note.split())[:LONGEST_NOTE]
    return Curated(chosen, note, prompt("curate").version, usage.input, usage.output)


async def _family(session: Any, caller: Caller, offer: Offer) -> str:
    household, today = caller.household, caller.today
    first: date = today - timedelta(days=RECENT_DAYS)
    recent = recent_of(await actions_between(session, household.id, first, today))
    people = people_of(await participants_of(session, household.id), today)
    return fenced(day_to_choose(today, household.daily_task_count, people, offer, recent))

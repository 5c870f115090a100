"""The content of a day, for the API and the page. The day is chosen first if necessary."""

from dataclasses import dataclass

from sqlalchemy.ext.asyncio import AsyncSession

from api.kinderbud.auth import Caller
from api.kinderbud.guides.queries import plans_of
from api.kinderbud.today import actions, queries
from api.kinderbud.today.app_state import DayServices
from api.kinderbud.today.curation import selected_day
from api.kinderbud.today.rules import NO_PLANS, NOTHING_DUE
from api.kinderbud.todos.queries import Seen, listed_on
from api.kinderbud.todos.rules import Status
from data.catalog.guides import Category

RULES = "rules"
"""The source of a day without candidates."""


@dataclass(frozen=True)
class ShownDay:
    """A day: `source` says who chose, `cached` whether it was requested before."""

    note: str
    source: str
    cached: bool
    activities: list[Seen]
    milestones: list[Seen]
    own: list[Seen]


async def day_of(services: DayServices, session: AsyncSession, caller: Caller, stages: dict[int, int]) -> ShownDay:
    """The household's day. `stages` are the current ones by plan. `session` reads. It is closed if the day must be
    chosen.
    """
    household, today = caller.household, caller.today
    selection = await queries.selection_of(session, household.id, today)
    listed = await listed_on(session, household.id, stages, today)
    acted = listed.acted
    entered = {seen.todo.id for seen in listed.shown}
    fresh = False
    if selection is None or any(
        seen.todo.id not in entered for seen in listed.current if actions.is_own_of_today(seen, acted, today)
    ):
        await session.close()  # releases its connection: many requests that need a second one would wait for each other
        prepared = await selected_day(services, caller)
        selection, fresh = prepared.selection, prepared.fresh
        listed = await listed_on(session, household.id, stages, today)
    if selection is not None:
        note = selection.daily_note
    else:
        note = NOTHING_DUE if await plans_of(session, household.id) else NO_PLANS
    return ShownDay(
        note=note,
        source=selection.source if selection is not None else RULES,
        cached=selection is not None and not fresh,
        activities=[
            seen
            for seen in listed.shown
            if seen.category is Category.ACTIVITY
            and seen.item is not None
            and not (seen.rests and seen.status(today) is Status.PENDING)
        ],
        milestones=[
            seen for seen in listed.current if seen.category is Category.MILESTONE and _stays(seen, acted, caller)
        ],
        own=[seen for seen in listed.shown if seen.item is None],
    )


def _stays(seen: Seen, acted: set[int], caller: Caller) -> bool:
    """Whether a todo stays on its day: a milestone while it fits the age, a snoozed or dismissed todo until the end of
    the day.
    """
    put_off = seen.status(caller.today) in {Status.SNOOZED, Status.SKIPPED}
    return not put_off or seen.todo.id in acted

"""The day: what the coach chose, the milestones of this age, and the family's own todos."""

from fastapi import APIRouter, Request

from api.database import ReadSession
from api.kinderbud.caller import Reader
from api.kinderbud.errors import failures, not_found
from api.kinderbud.guides.queries import plans_of
from api.kinderbud.households.queries import participant_in
from api.kinderbud.stages import Stages
from api.kinderbud.today import actions, queries
from api.kinderbud.today.curation import selected_day
from api.kinderbud.today.rules import NO_PLANS, NOTHING_DUE
from api.kinderbud.today.schemas import SelectedBy, Today
from api.kinderbud.todos.queries import Seen, current_todos, shown_on
from api.kinderbud.todos.rules import Status
from api.kinderbud.todos.schemas import shown
from api.kinderbud.wire import Answer, OfParticipant
from data.guides import Category

router = APIRouter(tags=["today"])


@router.get("/today", operation_id="get_today", summary="Today's selection", responses=failures(401, 404))
async def get_today(
    request: Request, caller: Reader, session: ReadSession, stages: Stages, participant_id: OfParticipant = None
) -> Answer[Today]:
    """The first call of the household's day chooses; all later ones are answered with the same choice."""
    household, today, state = caller.household, caller.today, request.app.state
    if participant_id is not None and await participant_in(session, household.id, participant_id) is None:
        raise not_found("participant")
    selection = await queries.selection_of(session, household.id, today)
    todos = await current_todos(session, household.id, stages, today)
    day = await shown_on(session, household.id, today)
    acted = await queries.acted_on(session, household.id, today)
    entered = {seen.todo.id for seen in day}
    fresh = False
    if selection is None or any(
        seen.todo.id not in entered for seen in todos if actions.is_own_of_today(seen, acted, today)
    ):
        await session.close()  # gives its connection back: a crowd that all need a second one would wait for each other
        prepared = await selected_day(state, caller)
        selection, fresh = prepared.selection, prepared.fresh
        todos = await current_todos(session, household.id, stages, today)
        day = await shown_on(session, household.id, today)

    def mine(seen: Seen) -> bool:
        return participant_id in {None, seen.participant.id}

    milestones = [seen for seen in todos if seen.category is Category.MILESTONE and _stays(seen, acted, caller)]
    activities = [
        seen
        for seen in day
        if seen.category is Category.ACTIVITY
        and seen.item is not None
        and not (seen.rests and seen.status(today) is Status.PENDING)
    ]
    if selection is not None:
        note = selection.daily_note
    else:
        note = NOTHING_DUE if await plans_of(session, household.id) else NO_PLANS
    answer = Today(
        date=today,
        daily_note=note,
        source=SelectedBy(selection.source) if selection is not None else SelectedBy.RULES,
        cached=selection is not None and not fresh,
        activities=[shown(seen, today) for seen in activities if mine(seen)],
        milestones=[shown(seen, today) for seen in milestones if mine(seen)],
        custom_todos=[shown(seen, today) for seen in day if seen.item is None and mine(seen)],
    )
    return Answer(data=answer)


def _stays(seen: Seen, acted: set[int], caller: Reader) -> bool:
    """A milestone stays while it is of this age; what was put off or away is there for the rest of that day."""
    put_off = seen.status(caller.today) in {Status.SNOOZED, Status.SKIPPED}
    return not put_off or seen.todo.id in acted

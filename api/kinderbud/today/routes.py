"""Route of the day: the coach's choice, the milestones of this age, and the family's own todos."""

from fastapi import APIRouter, Request

from api.dependencies import ReadSession
from api.kinderbud.auth import Reader
from api.kinderbud.dependencies import Stages
from api.kinderbud.envelope import Answer, OfParticipant
from api.kinderbud.errors import failures, not_found
from api.kinderbud.households.queries import participant_in
from api.kinderbud.today.app_state import days_of
from api.kinderbud.today.schemas import SelectedBy, Today
from api.kinderbud.today.view import day_of
from api.kinderbud.todos.queries import Seen
from api.kinderbud.todos.schemas import TodoOut, shown

router = APIRouter(tags=["today"])


@router.get("/today", operation_id="get_today", summary="Today's selection", responses=failures(401, 404))
async def get_today(
    request: Request, caller: Reader, session: ReadSession, stages: Stages, participant_id: OfParticipant = None
) -> Answer[Today]:
    """The first call of the household's day chooses. Later calls return the same choice."""
    if participant_id is not None and await participant_in(session, caller.household.id, participant_id) is None:
        raise not_found("participant")
    day = await day_of(days_of(request), session, caller, stages)

    def mine(todos: list[Seen]) -> list[TodoOut]:
        return [shown(seen, caller.today) for seen in todos if participant_id in {None, seen.participant.id}]

    answer = Today(
        date=caller.today,
        daily_note=day.note,
        source=SelectedBy(day.source),
        cached=day.cached,
        activities=mine(day.activities),
        milestones=mine(day.milestones),
        custom_todos=mine(day.own),
    )
    return Answer(data=answer)

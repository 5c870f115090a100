"""History: a picture of the weeks, totals, and the list of actions with their undo buttons."""

from datetime import timedelta
from itertools import groupby
from typing import Annotated

from fastapi import APIRouter, Query, Request, Response

from api.dependencies import ReadSession
from api.kinderbud.envelope import local
from api.kinderbud.history.queries import (
    actions_between,
    completions_by_day,
    completions_by_participant,
    latest_run,
)
from api.kinderbud.households.queries import participants_of
from api.kinderbud.streaks.rules import streak
from api.kinderbud.web.history.garden import WEEKS, garden
from api.kinderbud.web.rendering import page
from api.kinderbud.web.sessions import Member
from data.calendar_weeks import monday_of

LEFT = "a former member"
PERIODS = (7, 30, 90)

router = APIRouter()


@router.get("/history")
async def history_page(
    request: Request, caller: Member, session: ReadSession, days: Annotated[int, Query()] = 7
) -> Response:
    """The last days. `days` is one of `PERIODS`, else the first of them."""
    household, today = caller.household, caller.today
    days = days if days in PERIODS else PERIODS[0]
    monday = monday_of(today) - timedelta(weeks=WEEKS - 1)
    counts = await completions_by_day(session, household.id, monday, today)
    entries = await actions_between(session, household.id, today - timedelta(days=days - 1), today)
    by_person = await completions_by_participant(session, household.id, today - timedelta(days=days - 1), today)
    return page(
        request,
        "history.html",
        garden=garden(counts, monday, today),
        streak=streak(await latest_run(session, household.id, today), today),
        this_week=sum(count for day, count in counts.items() if day >= monday_of(today)),
        by_person=[(one.name, by_person.get(one.id, 0)) for one in await participants_of(session, household.id)],
        days=days,
        periods=PERIODS,
        entries=[
            (
                day,
                [
                    {
                        "id": action.id,
                        "todo_id": todo.id,
                        "title": item.title if item else todo.title or "",
                        "type": action.action_type,
                        "by": user.display_name if user else action.former_name or LEFT,
                        "notes": action.notes or action.reason,
                        "at": f"{local(action.created_at, household.time_zone):%H:%M}",
                    }
                    for action, todo, item, user in rows
                ],
            )
            for day, rows in groupby(entries, key=lambda row: row[0].action_date)
        ],
    )

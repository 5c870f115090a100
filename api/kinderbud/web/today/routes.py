"""Today: the coach's choice, milestones, and the family's own todos, with done, later and undo."""

import asyncio

from fastapi import APIRouter, Request, Response
from sqlalchemy.ext.asyncio import AsyncSession

from api.app_state import services_of
from api.dependencies import ReadSession, WriteSession
from api.kinderbud.auth import Caller
from api.kinderbud.claude.keys import key_of
from api.kinderbud.envelope import PathId, local
from api.kinderbud.guides.actions import caught_up
from api.kinderbud.households.queries import locked, participant_in, participants_of
from api.kinderbud.today.app_state import days_of
from api.kinderbud.today.curation import selected_day
from api.kinderbud.today.queries import selection_of
from api.kinderbud.today.rules import NO_PLANS
from api.kinderbud.today.view import day_of
from api.kinderbud.todos import actions
from api.kinderbud.todos.queries import Seen, latest_of_day, same_own, todo_in
from api.kinderbud.web.app_state import pages_of
from api.kinderbud.web.errors import NotHere
from api.kinderbud.web.forms import Text, number
from api.kinderbud.web.rendering import go, page
from api.kinderbud.web.sessions import Member
from api.kinderbud.web.today.cards import EVERY, cards, greeting
from data.catalog.guides import Frequency

LONGEST_TITLE, LONGEST_REASON, LONGEST_NOTES = 200, 500, 2000
LATER_DAYS = range(1, 91)
CLAUDE_SECONDS = 1.0
"""How long a page waits for Claude before it shows the waiting page."""
BACK = {"today": "/today", "history": "/history"}
"""The pages to which an action returns."""

router = APIRouter()


@router.get("/today")
async def today(request: Request, caller: Member, session: ReadSession) -> Response:
    """The day. While Claude chooses, a page that says so and reloads."""
    if await selection_of(session, caller.household.id, caller.today) is None:
        await session.close()  # no connection is held while Claude answers
        if await _claude_thinks(request, caller):
            return page(request, "waiting.html")
    stages = await caught_up(services_of(request).database, session, caller.household.id, caller.today)
    day = await day_of(days_of(request), session, caller, stages)
    done = await latest_of_day(session, caller.household.id, caller.today)
    people = await participants_of(session, caller.household.id)
    return page(
        request,
        "today.html",
        today=caller.today,
        greeting=greeting(local(caller.now, caller.household.time_zone).hour, caller.user.display_name),
        note=day.note,
        source=day.source,
        activities=cards(day.activities, done, caller.today, people),
        milestones=cards(day.milestones, done, caller.today, people),
        own=cards(day.own, done, caller.today, people),
        people=people,
        follows=day.note != NO_PLANS,
        frequencies=EVERY,
    )


@router.get("/todos/{todo_id}")
async def todo_page(request: Request, todo_id: PathId, caller: Member, session: ReadSession) -> Response:
    """A todo's page: how to do it, and why."""
    seen = await _seen(session, caller, todo_id)
    done = await latest_of_day(session, caller.household.id, caller.today)
    (group,) = cards([seen], done, caller.today, [seen.participant])
    return page(request, "todo.html", card=group.cards[0], person=group.person, today=caller.today)


@router.post("/todos")
async def add_todo(
    caller: Member, session: WriteSession, title: Text = "", frequency: Text = "once", participant_id: Text = ""
) -> Response:
    """Add a todo of the family's own. A repeat on the same day, as after a double click, is the same todo."""
    title = " ".join(title.split())[:LONGEST_TITLE]
    await locked(session, caller.household.id)
    person = await participant_in(session, caller.household.id, number(participant_id))
    if person is None or frequency not in set(Frequency):
        raise NotHere
    if title and await same_own(session, person.id, title, caller.today) is None:
        try:
            await actions.add_own(session, caller, person, title, None, Frequency(frequency))
        except actions.TooManyTodos:
            return go("/today", "too-many", "own")
    return go("/today", "added" if title else None, "own")


@router.post("/todos/{todo_id}/complete")
async def complete(
    todo_id: PathId, caller: Member, session: WriteSession, notes: Text = "", back: Text = "today"
) -> Response:
    """Mark a todo as done."""
    seen = await _seen(session, caller, todo_id)
    try:
        await actions.complete(session, caller, seen, notes.strip()[:LONGEST_NOTES] or None)
    except actions.PutAway:
        return _back(back, todo_id, "put-away")
    return _back(back, todo_id)


@router.post("/todos/{todo_id}/snooze")
async def snooze(
    todo_id: PathId, caller: Member, session: WriteSession, days: Text = "1", reason: Text = "", back: Text = "today"
) -> Response:
    """Snooze a todo, or dismiss it (`days` is `never`)."""
    seen = await _seen(session, caller, todo_id)
    why = reason.strip()[:LONGEST_REASON] or None
    if days == "never":
        await actions.dismiss(session, caller, seen, why)
    else:
        count = number(days)
        await actions.snooze(session, caller, seen, count if count in LATER_DAYS else None, why)
    return _back(back, todo_id)


@router.post("/todos/{todo_id}/undo")
async def undo(
    todo_id: PathId, caller: Member, session: WriteSession, action_id: Text = "", back: Text = "today"
) -> Response:
    """Undo an action. An action that is undone already stays undone."""
    seen = await _seen(session, caller, todo_id, deleted=True)
    await actions.undo(session, caller, seen, number(action_id))
    return _back(back, todo_id, "undone")


async def _claude_thinks(request: Request, caller: Caller) -> bool:
    """Whether Claude is choosing the day and needs longer than a page waits. The choice goes on in the background if
    the user leaves, once in each process.
    """
    services, choosing = services_of(request), pages_of(request).choosing
    if key_of(services.keyring, caller.household) is None:
        return False
    day = (caller.household.id, caller.today)
    task = choosing.get(day)
    if task is None:
        work = selected_day(days_of(request), caller)
        task = choosing[day] = services.background.start(work, "a day was not chosen beside its page")
        task.add_done_callback(lambda _: choosing.pop(day, None))
    await asyncio.wait({task}, timeout=CLAUDE_SECONDS)
    return not task.done()


async def _seen(session: AsyncSession, caller: Caller, todo_id: int, *, deleted: bool = False) -> Seen:
    seen = await todo_in(session, caller.household.id, todo_id, deleted=deleted)
    if seen is None:
        raise NotHere
    return seen


def _back(back: str, todo_id: int, said: str | None = None) -> Response:
    if back == "todo":
        return go(f"/todos/{todo_id}", said)
    return go(BACK.get(back, "/today"), said, f"todo-{todo_id}" if back != "history" else None)

"""The people of the family: children with their birthdays, and users."""

from typing import Any

from fastapi import APIRouter, Request, Response
from sqlalchemy.ext.asyncio import AsyncSession

from api.app_state import services_of
from api.dependencies import ReadSession, WriteSession
from api.kinderbud.auth import Caller
from api.kinderbud.envelope import PathId
from api.kinderbud.guides.actions import current_stages
from api.kinderbud.guides.queries import plans_of
from api.kinderbud.households import actions
from api.kinderbud.households.queries import locked, participant_in, participants_of, users_of
from api.kinderbud.households.rules import InvalidHousehold
from api.kinderbud.web.errors import NotHere
from api.kinderbud.web.forms import Text, day
from api.kinderbud.web.rendering import INVALID, go, page, sentence
from api.kinderbud.web.sessions import Member
from api.models import HouseholdParticipant

router = APIRouter(prefix="/people")


@router.get("")
async def people_page(request: Request, caller: Member, session: ReadSession) -> Response:
    """All people, their guides, and a form for one more child."""
    return await _people(request, caller, session)


@router.post("")
async def add_child(request: Request, caller: Member, name: Text = "", birthday: Text = "") -> Response:
    """Add a child. A repeat, as after a double click, is the same child."""
    database = services_of(request).database
    try:
        child = actions.Child(name, day(birthday))
        async with database.write() as session:
            await locked(session, caller.household.id)
            await actions.add_child_once(session, caller.household, child, caller.now)
    except InvalidHousehold as error:
        async with database.read() as session:
            typed = {"name": name, "birthday": birthday, "error": sentence(error)}
            return await _people(request, caller, session, INVALID, **typed)
    return go("/guides", "added")


@router.get("/{participant_id}")
async def child_page(request: Request, participant_id: PathId, caller: Member, session: ReadSession) -> Response:
    """A child's name and birthday."""
    child = await _child(session, caller, participant_id)
    typed: dict[str, Any] = {"name": child.name, "birthday": child.birthday, "error": None}
    return page(request, "child.html", child=child, today=caller.today, **typed)


@router.post("/{participant_id}")
async def change_child(
    request: Request, participant_id: PathId, caller: Member, name: Text = "", birthday: Text = ""
) -> Response:
    """Change a child's name or birthday."""
    async with services_of(request).database.read() as session:
        child = await _child(session, caller, participant_id)
    try:
        changed = actions.Child(name, day(birthday))
        async with services_of(request).database.write() as session:
            await locked(session, caller.household.id)
            kept = await _child(session, caller, participant_id)
            await actions.change_child(session, caller.household, kept, changed, caller.now)
    except InvalidHousehold as error:
        typed = {"name": name, "birthday": birthday, "error": sentence(error)}
        return page(request, "child.html", INVALID, child=child, today=caller.today, **typed)
    return go("/people", "saved")


@router.get("/{participant_id}/remove")
async def remove_page(request: Request, participant_id: PathId, caller: Member, session: ReadSession) -> Response:
    """What is deleted with a child, or with the rest of a removed member."""
    return page(request, "remove.html", child=await _removable(session, caller, participant_id))


@router.post("/{participant_id}/remove")
async def remove_child(participant_id: PathId, caller: Member, session: WriteSession) -> Response:
    """Remove a child with plans, todos and history, or the rest of a removed member."""
    await locked(session, caller.household.id)
    await actions.remove_participant(session, await _removable(session, caller, participant_id))
    return go("/people", "removed")


async def _people(request: Request, caller: Caller, session: AsyncSession, status: int = 200, **typed: Any) -> Response:
    plans = await plans_of(session, caller.household.id)
    return page(
        request,
        "people.html",
        status,
        today=caller.today,
        people=await participants_of(session, caller.household.id),
        users={one.participant_id for one in await users_of(session, caller.household.id)},
        plans=plans,
        stages=await current_stages(session, plans, caller.today),
        **({"name": "", "birthday": "", "error": None} | typed),
    )


async def _removable(session: AsyncSession, caller: Caller, participant_id: int) -> HouseholdParticipant:
    """A child of this household, or an adult who is no longer a user. Users leave, or an admin removes them."""
    found = await participant_in(session, caller.household.id, participant_id)
    users = {one.participant_id for one in await users_of(session, caller.household.id)}
    if found is None or found.id in users:
        raise NotHere
    return found


async def _child(session: AsyncSession, caller: Caller, participant_id: int) -> HouseholdParticipant:
    """A child of this household. Adults are users, who leave themselves."""
    found = await participant_in(session, caller.household.id, participant_id)
    if found is None or found.is_adult:
        raise NotHere
    return found

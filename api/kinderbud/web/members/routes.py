"""What an admin decides about another member: role, handing over the household, and removal."""

from collections.abc import Awaitable, Callable
from typing import Any

from fastapi import APIRouter, Request, Response
from sqlalchemy.ext.asyncio import AsyncSession

from api.app_state import services_of
from api.dependencies import ReadSession
from api.kinderbud.auth import Caller
from api.kinderbud.envelope import PathId
from api.kinderbud.households import queries
from api.kinderbud.members import actions
from api.kinderbud.members.actions import MemberUnchanged
from api.kinderbud.web.errors import NotHere
from api.kinderbud.web.forms import Text
from api.kinderbud.web.rendering import INVALID, go, page, sentence
from api.kinderbud.web.sessions import Admin, shows_password, still_admin
from api.models import HouseholdUser

WRONG = "That is not your password."

router = APIRouter(prefix="/access/members")


@router.get("/{user_id}")
async def member_page(request: Request, user_id: PathId, caller: Admin, session: ReadSession) -> Response:
    """A member, and the forms that change them."""
    return await _member(request, caller, session, user_id)


@router.post("/{user_id}/role")
async def change_role(request: Request, user_id: PathId, caller: Admin, role: Text = "") -> Response:
    """Make the member an admin or a member."""

    async def change(session: AsyncSession, user: HouseholdUser) -> None:
        await actions.change_role(session, user, role, caller.now)

    return await _act(request, caller, user_id, change, "saved", role_error=True)


@router.post("/{user_id}/hand-over")
async def hand_over(request: Request, user_id: PathId, caller: Admin, password: Text = "") -> Response:
    """Make the member the only admin of the household. The caller becomes a member."""

    async def change(session: AsyncSession, user: HouseholdUser) -> None:
        await actions.hand_over(session, user, caller.now)

    if not await shows_password(request, caller, password):
        return await _refused(request, caller, user_id, hand_over_error=WRONG)
    return await _act(request, caller, user_id, change, "handed-over", hand_over_error=True)


@router.post("/{user_id}/remove")
async def remove(
    request: Request, user_id: PathId, caller: Admin, password: Text = "", keep_name: Text = ""
) -> Response:
    """Remove the member. The history stays, with or without their name."""

    async def change(session: AsyncSession, user: HouseholdUser) -> None:
        await actions.remove_member(session, user, caller.now, keep_name=keep_name == "yes")

    if not await shows_password(request, caller, password):
        return await _refused(request, caller, user_id, remove_error=WRONG)
    return await _act(request, caller, user_id, change, "removed", remove_error=True)


async def _act(
    request: Request,
    caller: Caller,
    user_id: int,
    change: Callable[[AsyncSession, HouseholdUser], Awaitable[None]],
    said: str,
    **error: bool,
) -> Response:
    """Change a member, after a check that the caller is still an admin. `error` names the form that shows a refusal."""
    try:
        async with services_of(request).database.write() as session:
            user = await actions.member_in(session, caller.household.id, user_id)
            await still_admin(request, session)
            if user is None:
                raise NotHere
            await change(session, user)
    except MemberUnchanged as refused:
        return await _refused(request, caller, user_id, **dict.fromkeys(error, sentence(refused)))
    return go("/access", said)


async def _refused(request: Request, caller: Caller, user_id: int, **errors: str) -> Response:
    async with services_of(request).database.read() as session:
        return await _member(request, caller, session, user_id, INVALID, **errors)


async def _member(
    request: Request, caller: Caller, session: AsyncSession, user_id: int, status: int = 200, **errors: str
) -> Response:
    users = {one.id: one for one in await queries.users_of(session, caller.household.id)}
    if user_id not in users:
        raise NotHere
    none: dict[str, Any] = {"role_error": None, "hand_over_error": None, "remove_error": None}
    return page(request, "member.html", status, user=users[user_id], roles=actions.ROLES, **(none | errors))

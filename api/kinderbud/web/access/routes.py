"""Logins: users, invitations for a second parent, and the tokens of devices and assistants."""

from typing import Any

from fastapi import APIRouter, Request, Response
from sqlalchemy.ext.asyncio import AsyncSession

from api.app_state import services_of
from api.dependencies import ReadSession, WriteSession
from api.kinderbud.auth import ADMIN, Caller
from api.kinderbud.envelope import PathId, local
from api.kinderbud.households import actions, queries
from api.kinderbud.households.rules import InvalidHousehold
from api.kinderbud.web.errors import NotHere
from api.kinderbud.web.forms import Text
from api.kinderbud.web.rendering import INVALID, address, go, page, sentence
from api.kinderbud.web.sessions import Admin, Member, still_admin, still_logged_in

router = APIRouter(prefix="/access")


@router.get("")
async def access_page(request: Request, caller: Member, session: ReadSession) -> Response:
    """Users, invitations and tokens."""
    return await _access(request, caller, session)


@router.post("/tokens")
async def make_token(request: Request, caller: Member, name: Text = "") -> Response:
    """Create a token and show it once."""
    database = services_of(request).database
    try:
        async with database.write() as session:
            await queries.locked(session, caller.household.id)
            user = await still_logged_in(request, session)
            secret = await actions.make_named_token(session, user, name, caller.now)
    except (InvalidHousehold, actions.TokenRefused) as error:
        async with database.read() as session:
            return await _access(request, caller, session, INVALID, name=name, token_error=sentence(error))
    async with database.read() as session:
        return await _access(request, caller, session, new_token=secret)


@router.post("/tokens/{token_id}/revoke")
async def revoke_token(token_id: PathId, caller: Member, session: WriteSession) -> Response:
    """Revoke one's own token. An admin may revoke all tokens of the household."""
    users = [one.id for one, in_charge in await _users(session, caller) if in_charge]
    if not await queries.revoke(session, token_id, caller.now, users):
        raise NotHere
    return go("/access", "revoked", "tokens")


@router.post("/invitations")
async def invite(request: Request, caller: Admin) -> Response:
    """Create an invitation for one person and show its link once."""
    database = services_of(request).database
    try:
        async with database.write() as session:
            await queries.locked(session, caller.household.id)
            secret = await actions.invite(session, await still_admin(request, session), caller.now)
    except actions.TooManyInvitations:
        return go("/access", "too-many-invitations", "invitations")
    link = address(request, f"/join/{secret}")
    async with database.read() as session:
        return await _access(request, caller, session, new_link=link)


@router.post("/invitations/{link_id}/revoke")
async def take_invitation_back(link_id: PathId, caller: Admin, session: WriteSession) -> Response:
    """End an invitation."""
    if not await queries.end_invitation(session, caller.household.id, link_id, caller.now):
        raise NotHere
    return go("/access", "revoked", "invitations")


async def _users(session: AsyncSession, caller: Caller) -> list[tuple[Any, bool]]:
    """The household's users, and whether the caller may manage their tokens."""
    users = await queries.users_of(session, caller.household.id)
    return [(one, one.id == caller.user.id or caller.user.role == ADMIN) for one in users]


async def _tokens(session: AsyncSession, caller: Caller) -> list[tuple[Any, Any]]:
    found = await queries.tokens_of(session, caller.household.id)
    return [(kept, user) for kept, user in found if kept.revoked_at is None]


async def _access(request: Request, caller: Caller, session: AsyncSession, status: int = 200, **typed: Any) -> Response:
    zone = caller.household.time_zone
    users = await _users(session, caller)
    in_charge = {one.id for one, mine in users if mine}
    return page(
        request,
        "access.html",
        status,
        users=[one for one, _ in users],
        tokens=[
            {
                "id": kept.id,
                "name": kept.name,
                "whose": user.display_name,
                "used": local(kept.last_used_at, zone).date() if kept.last_used_at else None,
                "made": local(kept.created_at, zone).date(),
                "mine": user.id in in_charge,
            }
            for kept, user in await _tokens(session, caller)
        ],
        invitations=[
            {"id": one.id, "until": local(one.expires_at, zone).date()}
            for one in await queries.invitations(session, caller.household.id, caller.now)
        ],
        is_admin=caller.user.role == ADMIN,
        **({"name": "", "token_error": None, "new_token": None, "new_link": None} | typed),
    )

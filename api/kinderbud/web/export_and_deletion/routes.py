"""Export and deletion: a member leaves alone; an admin deletes the whole household."""

import asyncio

import msgspec
from fastapi import APIRouter, Request, Response
from limits import parse

from api.app_state import services_of
from api.db.personal_data import plain, rows_of
from api.dependencies import ReadSession, is_plain
from api.kinderbud.auth import ADMIN, Caller
from api.kinderbud.households import actions, queries
from api.kinderbud.web.app_state import pages_of
from api.kinderbud.web.forms import Text
from api.kinderbud.web.rendering import INVALID, go, page
from api.kinderbud.web.sessions import COOKIE, Member, TooOften, shows_password, still_logged_in
from api.models import Base

EXPORTS = parse("10/hour")
HOUSEHOLDS = Base.metadata.tables["households"]
HIDDEN = {"digest", "password_hash", "claude_key"}
"""Columns with secrets or their digests: the export only says whether there is a value."""
WRONG = "That is not your password."

router = APIRouter()


@router.get("/export")
async def export(request: Request, caller: Member, session: ReadSession) -> Response:
    """All data about the household, as a file. For keys, passwords and tokens it only says that they exist."""
    household = caller.household
    wait = await services_of(request).attempts.limits.seconds_to_wait(EXPORTS, f"family/export/{household.id}")
    if wait is not None:
        raise TooOften(wait)
    told = {column.name: plain(getattr(household, column.name)) for column in HOUSEHOLDS.columns}
    told["claude_key"] = household.claude_key is not None
    async with pages_of(request).taking_along:
        found = {"household": told} | await rows_of(session, HOUSEHOLDS, household.id, HIDDEN)
        body = await asyncio.to_thread(lambda: msgspec.json.format(msgspec.json.encode(found), indent=1))
    return Response(
        body,
        media_type="application/json",
        headers={"Content-Disposition": f'attachment; filename="kinderbud-{caller.today}.json"'},
    )


@router.get("/leave")
async def leave_page(request: Request, caller: Member, session: ReadSession) -> Response:
    """The form for leaving, with a list of what is deleted."""
    return await _leaving(request, caller, session)


@router.post("/leave")
async def leave(request: Request, caller: Member, password: Text = "", everything: Text = "") -> Response:
    """Delete permanently, after the password is checked."""
    database = services_of(request).database
    if not await shows_password(request, caller, password):
        async with database.read() as session:
            return await _leaving(request, caller, session, INVALID, WRONG)
    async with database.write() as session:
        await queries.locked(session, caller.household.id)
        user = await still_logged_in(request, session)  # another admin may have changed the role meanwhile
        if not await actions.leave(session, user, everything=everything == "yes"):
            return go("/leave")
    response = go("/login", "goodbye")
    COOKIE.take(response, is_plain=is_plain(request))
    return response


async def _leaving(
    request: Request, caller: Caller, session: ReadSession, status: int = 200, error: str | None = None
) -> Response:
    people = await queries.participants_of(session, caller.household.id)
    return page(request, "leave.html", status, people=people, is_admin=caller.user.role == ADMIN, error=error)

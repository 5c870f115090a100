"""Settings: the household's name and day, Claude, learning, and one's own password."""

from typing import Any

from fastapi import APIRouter, Request, Response
from sqlalchemy.ext.asyncio import AsyncSession

from api.app_state import services_of
from api.auth.login_throttle import Attempt
from api.auth.passwords import PasswordRefused, checked_password
from api.dependencies import WriteSession
from api.http.rate_limits import address_of
from api.kinderbud.auth import Caller
from api.kinderbud.claude.client import check
from api.kinderbud.claude.failures import ClaudeFailed
from api.kinderbud.claude.keys import key_of, set_key
from api.kinderbud.households import actions, queries
from api.kinderbud.households.rules import DAILY_TASKS, InvalidHousehold
from api.kinderbud.households.zones import time_zones
from api.kinderbud.web.auth import actions as auth
from api.kinderbud.web.forms import Text, number
from api.kinderbud.web.rendering import INVALID, go, page, sentence
from api.kinderbud.web.sessions import (
    Admin,
    Member,
    TooOften,
    asking_session,
    enter,
    shows_password,
    still_admin,
)
from api.models import Household

LONGEST_KEY = 300
NOT_THE_OLD_ONE = "That is not your current password."
NO_KEY = "That is not a key. A key has only letters, digits and signs, and no spaces."

router = APIRouter(prefix="/settings")


@router.get("")
async def settings_page(request: Request, caller: Member) -> Response:
    """All settings. Members see those of admins read-only."""
    return _settings(request, caller)


@router.post("/household")
async def change_household(
    request: Request, caller: Admin, name: Text = "", time_zone: Text = "", daily_tasks: Text = ""
) -> Response:
    """Change name, time zone, and the number of activities a day."""
    typed = {"name": name, "time_zone": time_zone, "daily_tasks": daily_tasks}
    try:
        async with services_of(request).database.write() as session:
            kept = await _own_household(request, session, caller)
            count = number(daily_tasks)
            actions.change(kept, caller.now, name=name, time_zone=time_zone, daily_task_count=count)
    except InvalidHousehold as error:
        return _settings(request, caller, INVALID, household_error=sentence(error), **typed)
    return go("/settings", "saved")


@router.post("/learning")
async def change_learning(request: Request, caller: Admin, session: WriteSession, learning: Text = "") -> Response:
    """Start or stop taking part in learning."""
    kept = await _own_household(request, session, caller)
    actions.change(kept, caller.now, learning=learning == "yes")
    return go("/settings", "saved", "learning")


@router.post("/claude")
async def change_key(request: Request, caller: Admin, key: Text = "", remove: Text = "") -> Response:
    """Set a Claude key, which is tested before it is stored; or remove it."""
    services, key = services_of(request), key.strip()
    if not remove:
        tried = Attempt("family/claude", str(caller.household.id), address_of(request.scope), "household")
        refused = await services.attempts.count(tried)
        if refused is not None:
            raise TooOften(refused.seconds)
        if not key.isascii() or not key.isprintable() or " " in key or not 0 < len(key) <= LONGEST_KEY:
            return _settings(request, caller, INVALID, key_error=NO_KEY)
        try:
            await check(key, services.settings)
        except ClaudeFailed as failed:
            return _settings(request, caller, INVALID, key_error=str(failed))
    async with services.database.write() as session:
        kept = await _own_household(request, session, caller)
        set_key(services.keyring, kept, None if remove else key)
    return go("/settings", "no-key" if remove else "key", "claude")


@router.post("/password")
async def change_password(request: Request, caller: Member, present: Text = "", password: Text = "") -> Response:
    """Change the password with the current one. Every other browser is logged out and forgotten, and every token ends.
    This browser gets a new session.
    """
    services, user = services_of(request), caller.user
    if not await shows_password(request, caller, present):
        return _settings(request, caller, INVALID, password_error=NOT_THE_OLD_ONE)
    try:
        checked_password(password, not_like=(user.email, user.display_name, caller.household.name))
    except PasswordRefused as error:
        return _settings(request, caller, INVALID, password_error=sentence(error))
    hashed = await services.passwords.hashed(password, f"known/{asking_session(request)}", known=True)
    try:
        async with services.database.write() as session:
            await auth.change_password(session, user, hashed, caller.now)
            entry = await enter(request, session, user.id, caller.now)
    except auth.PasswordChanged:
        return _settings(request, caller, INVALID, password_error=NOT_THE_OLD_ONE)
    response = go("/settings", "password")
    entry.give(request, response)
    return response


async def _own_household(request: Request, session: AsyncSession, caller: Caller) -> Household:
    """The household, after a check that the caller is still an admin: testing a key takes so long that the caller may
    be removed meanwhile. Raises LoginNeeded, AdminNeeded.
    """
    await queries.locked(session, caller.household.id)
    await still_admin(request, session)
    return await session.get_one(Household, caller.household.id)


def _settings(request: Request, caller: Caller, status: int = 200, **typed: Any) -> Response:
    household = caller.household
    fields = {
        "name": household.name,
        "time_zone": household.time_zone,
        "daily_tasks": str(household.daily_task_count),
        "household_error": None,
        "key_error": None,
        "password_error": None,
    }
    return page(
        request,
        "settings.html",
        status,
        household=household,
        has_key=key_of(services_of(request).keyring, household) is not None,
        model=services_of(request).settings.claude_model,
        counts=DAILY_TASKS,
        zones=time_zones(),
        **(fields | typed),
    )

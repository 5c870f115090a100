"""Sign-up, login, logout, and single-use links: a new password, an invitation."""

import re
from contextlib import suppress
from datetime import datetime
from typing import Any

from fastapi import APIRouter, Request, Response
from limits import parse
from sqlalchemy.ext.asyncio import AsyncSession

from api.app_state import services_of
from api.auth.login_throttle import Attempt, network_of
from api.auth.passwords import PasswordRefused, checked_password
from api.dependencies import Now, ReadSession, is_plain
from api.http.rate_limits import address_of
from api.kinderbud.households import actions, queries, rules
from api.kinderbud.households.actions import EmailTaken, Person
from api.kinderbud.households.rules import InvalidHousehold
from api.kinderbud.households.zones import time_zones
from api.kinderbud.web.auth.actions import LinkUsed, PasswordChanged, reset_password, with_checked_password
from api.kinderbud.web.auth.mails import ask_for_reset, mail_signup, signup
from api.kinderbud.web.errors import NotHere
from api.kinderbud.web.forms import Text
from api.kinderbud.web.rendering import INVALID, go, page, sentence
from api.kinderbud.web.sessions import (
    BROWSERS,
    COOKIE,
    DOOR,
    SESSIONS,
    Entry,
    TooOften,
    Visiting,
    enter,
    is_password,
    shown_browsers,
)
from api.models import Household, HouseholdUser

NEW_PER_ADDRESS = parse("20/hour")
"""Enough for a playgroup that signs up together; too few for a script that fills the database."""
NEW_WITHOUT_MAIL = parse("10/hour")
"""From one network. Without mail, sign-up says that an address is taken, so it needs a limit."""
ASKED_PER_ADDRESS = parse("10/hour")
LOCAL = re.compile(r"/[A-Za-z0-9/_-]*")
WRONG = "This address and this password do not match."
REFUSED = (InvalidHousehold, EmailTaken, PasswordRefused)

router = APIRouter()


@router.get("/signup")
async def signup_page(request: Request, visit: Visiting) -> Response:
    """The form for a new family."""
    return go("/today") if visit.caller else _signup(request)


@router.post("/signup")
async def sign_up(
    request: Request,
    _: Visiting,
    now: Now,
    family: Text = "",
    name: Text = "",
    email: Text = "",
    password: Text = "",
    time_zone: Text = "UTC",
) -> Response:
    """Create a household with its first user and log them in. With a mail server the address is verified first, and the
    answer is the same for known and unknown addresses.
    """
    await _may_sign_up(request)
    services = services_of(request)
    typed = {"family": family, "name": name, "email": email, "time_zone": time_zone}
    try:
        person = Person(rules.checked_name(name), rules.checked_email(email))
        if services.mailer.is_on:
            family, time_zone = rules.checked_name(family), rules.checked_time_zone(time_zone)
            await mail_signup(request, signup(person.email, person.name, now, family=family, time_zone=time_zone))
            return go("/login", "mailed")
        checked_password(password, not_like=(email, name, family))
        hashed = await services.passwords.hashed(password, network_of(address_of(request.scope)))
        async with services.database.write() as session:
            user = await actions.found_family(session, family, person, time_zone, hashed, now)
            entry = await enter(request, session, user.id, now)
    except REFUSED as error:
        return _signup(request, INVALID, error=sentence(error), **typed)
    return logged_in(request, entry, "/people", "welcome")


@router.get("/login")
async def login_page(request: Request, visit: Visiting) -> Response:
    """The login form."""
    onward = request.query_params.get("next", "")
    return go("/today") if visit.caller else page(request, "login.html", error=None, email="", onward=onward)


@router.post("/login")
async def log_in(
    request: Request, _: Visiting, now: Now, email: Text = "", password: Text = "", onward: Text = ""
) -> Response:
    """The answer has the same text and time for known and unknown addresses."""
    try:
        wanted = rules.checked_email(email)
    except InvalidHousehold:
        wanted = ""
    known = BROWSERS.working(shown_browsers(request), now)
    async with services_of(request).database.read() as session:
        user, digest = await queries.user_in_browser(session, wanted, known)
    attempt = Attempt(DOOR, email, address_of(request.scope), digest[:32] if digest else None)
    if not await is_password(request, attempt, user.password_hash if user else None, password) or user is None:
        return page(request, "login.html", 403, error=WRONG, email=email, onward=onward)
    try:
        async with services_of(request).database.write() as session:
            kept = await with_checked_password(session, user)
            entry = await enter(request, session, kept.id, now)
    except PasswordChanged:
        return page(request, "login.html", 403, error=WRONG, email=email, onward=onward)
    return logged_in(request, entry, onward if LOCAL.fullmatch(onward) else "/today")


@router.post("/logout")
async def log_out(request: Request, visit: Visiting) -> Response:
    """End this browser's session. No copy of its cookie works any more."""
    async with services_of(request).database.write() as session:
        await SESSIONS.end(session, visit.secret)
    response = go("/login")
    COOKIE.take(response, is_plain=is_plain(request))
    return response


@router.get("/forgot")
async def forgot_page(request: Request, _: Visiting) -> Response:
    """The form for a forgotten password."""
    return page(request, "forgot.html")


@router.post("/forgot")
async def forgot(request: Request, _: Visiting, now: Now, email: Text = "") -> Response:
    """Mail a link, or record the request, if the address is known. The answer and its time are always the same."""
    await _bounded(request, ASKED_PER_ADDRESS, "forgot")
    with suppress(InvalidHousehold):
        ask_for_reset(request, rules.checked_email(email), now)
    return go("/login", "asked-by-mail" if services_of(request).mailer.is_on else "asked")


@router.get("/reset/{secret}")
async def reset_page(request: Request, secret: str, _: Visiting, now: Now, session: ReadSession) -> Response:
    """The form for a new password. Opening it does not use the link, since messengers open links too."""
    user, _household = await _of_link(session, secret, now)
    if user is None:
        raise NotHere
    return page(request, "reset.html", error=None, secret=secret, email=user.email)


@router.post("/reset/{secret}")
async def reset(request: Request, secret: str, _: Visiting, now: Now, password: Text = "") -> Response:
    """Set a new password, once. Every other browser is logged out and forgotten, and every token ends."""
    services = services_of(request)
    async with services.database.read() as session:
        user, _household = await _of_link(session, secret, now)
    if user is None:
        raise NotHere
    try:
        checked_password(password, not_like=(user.email, user.display_name))
    except PasswordRefused as error:
        return page(request, "reset.html", INVALID, error=sentence(error), secret=secret, email=user.email)
    hashed = await services.passwords.hashed(password, network_of(address_of(request.scope)))
    try:
        async with services.database.write() as session:
            await reset_password(session, user, secret, hashed, now)
            entry = await enter(request, session, user.id, now)
    except LinkUsed as used:
        raise NotHere from used
    return logged_in(request, entry, "/today", "password")


@router.get("/join/{secret}")
async def join_page(request: Request, secret: str, _: Visiting, now: Now, session: ReadSession) -> Response:
    """The form behind an invitation."""
    user, household = await _of_link(session, secret, now)
    if user is not None or household is None:
        raise NotHere
    return page(request, "join.html", error=None, secret=secret, household=household.name, name="", email="")


@router.post("/join/{secret}")
async def join(
    request: Request, secret: str, _: Visiting, now: Now, name: Text = "", email: Text = "", password: Text = ""
) -> Response:
    """Add a user to the household, once for each invitation. With a mail server the address is verified first."""
    await _may_sign_up(request)
    services = services_of(request)
    async with services.database.read() as session:
        user, household = await _of_link(session, secret, now)
    if user is not None or household is None:
        raise NotHere
    try:
        person = Person(rules.checked_name(name), rules.checked_email(email))
        if services.mailer.is_on:
            await mail_signup(request, signup(person.email, person.name, now, invitation=secret))
            return go("/login", "mailed")
        checked_password(password, not_like=(email, name, household.name))
        hashed = await services.passwords.hashed(password, network_of(address_of(request.scope)))
        async with services.database.write() as session:
            joined = await actions.join_family(session, secret, person, hashed, now)
            entry = await enter(request, session, joined.id, now)
    except REFUSED as error:  # the transaction is rolled back, so that the invitation stays valid
        typed = {"name": name, "email": email, "household": household.name}
        return page(request, "join.html", INVALID, error=sentence(error), secret=secret, **typed)
    return logged_in(request, entry, "/today", "joined")


def _signup(request: Request, status: int = 200, **typed: Any) -> Response:
    fields = {"family": "", "name": "", "email": "", "time_zone": "", "error": None} | typed
    return page(request, "signup.html", status, zones=time_zones(), **fields)


def logged_in(request: Request, entry: Entry, path: str, said: str | None = None) -> Response:
    """Redirect to a page, with the cookies of a login."""
    response = go(path, said)
    entry.give(request, response)
    return response


async def _may_sign_up(request: Request) -> None:
    """Check the limits of sign-ups. Raises TooOften."""
    await _bounded(request, NEW_PER_ADDRESS, "signup")
    if not services_of(request).mailer.is_on:
        key = f"family/signup-from/{network_of(address_of(request.scope))}"
        wait = await services_of(request).attempts.limits.seconds_to_wait(NEW_WITHOUT_MAIL, key)
        if wait is not None:
            raise TooOften(wait)


async def _bounded(request: Request, limit: Any, what: str) -> None:
    wait = await services_of(request).attempts.limits.seconds_to_wait(
        limit, f"family/{what}/{address_of(request.scope)}"
    )
    if wait is not None:
        raise TooOften(wait)


async def _of_link(session: AsyncSession, secret: str, now: datetime) -> tuple[HouseholdUser | None, Household | None]:
    """The user whose password a link sets, and the household to which it invites; None for both if it is invalid."""
    link = await queries.link_with(session, secret, now)
    if link is None:
        return None, None
    user = await session.get(HouseholdUser, link.user_id) if link.user_id is not None else None
    return user, await queries.household_of(session, link.household_id)

"""The page behind a mail's link. It proves access to the address's mail and asks for a password."""

from typing import Any

from fastapi import APIRouter, Request, Response

from api.app_state import services_of
from api.auth.login_throttle import network_of
from api.auth.passwords import checked_password
from api.dependencies import Now
from api.http.rate_limits import address_of
from api.kinderbud.households import actions
from api.kinderbud.households.actions import Person
from api.kinderbud.web.auth.mails import Signup, signup_in
from api.kinderbud.web.auth.routes import REFUSED, logged_in
from api.kinderbud.web.errors import NotHere
from api.kinderbud.web.forms import Text
from api.kinderbud.web.rendering import INVALID, page, sentence
from api.kinderbud.web.sessions import Visiting, enter

router = APIRouter(prefix="/confirm")


@router.get("/{secret}")
async def confirm_page(request: Request, secret: str, _: Visiting, now: Now) -> Response:
    """Ask for a password. Opening the page does not use the link."""
    return _page(request, secret, _wanted(request, secret, now))


@router.post("/{secret}")
async def confirm(request: Request, secret: str, _: Visiting, now: Now, password: Text = "") -> Response:
    """Create the account, once: its address is unique."""
    wanted, services = _wanted(request, secret, now), services_of(request)
    person = Person(wanted.name, wanted.email)
    try:
        checked_password(password, not_like=(wanted.email, wanted.name, wanted.family))
        hashed = await services.passwords.hashed(password, network_of(address_of(request.scope)))
        async with services.database.write() as session:
            if wanted.invitation is None:
                user = await actions.found_family(session, wanted.family, person, wanted.time_zone, hashed, now)
            else:
                user = await actions.join_family(session, wanted.invitation, person, hashed, now)
            entry = await enter(request, session, user.id, now)
    except REFUSED as error:
        return _page(request, secret, wanted, INVALID, error=sentence(error))
    return logged_in(request, entry, *(("/people", "welcome") if wanted.invitation is None else ("/today", "joined")))


def _wanted(request: Request, link: str, now: Any) -> Signup:
    found = signup_in(services_of(request).keyring, link + "=" * (-len(link) % 4), now)
    if found is None:
        raise NotHere
    return found


def _page(request: Request, link: str, wanted: Signup, status: int = 200, error: str | None = None) -> Response:
    return page(request, "confirm.html", status, link=link, wanted=wanted, error=error)

"""A link that makes one browser known, so that wrong passwords elsewhere do not block its owner."""

from fastapi import APIRouter, Request, Response

from api.app_state import services_of
from api.dependencies import Now, ReadSession, is_plain
from api.kinderbud.web.errors import NotHere
from api.kinderbud.web.rendering import go, page
from api.kinderbud.web.sessions import BROWSERS, Visiting, shown_browsers

router = APIRouter(prefix="/browser")


@router.get("/{secret}")
async def browser_page(request: Request, secret: str, _: Visiting, now: Now, session: ReadSession) -> Response:
    """Ask first. Opening the page does not use the link, since messengers open links too."""
    if not await BROWSERS.is_link(session, secret, now):
        raise NotHere
    return page(request, "browser.html", secret=secret)


@router.post("/{secret}")
async def make_known(request: Request, secret: str, _: Visiting, now: Now) -> Response:
    """Make this browser known. The password is still needed."""
    async with services_of(request).database.write() as session:
        cookie = await BROWSERS.claim_link(session, secret, shown_browsers(request), now)
    if cookie is None:
        raise NotHere
    response = go("/login", "known")
    BROWSERS.cookie.give(response, cookie, is_plain=is_plain(request))
    return response

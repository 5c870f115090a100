"""Sessions of the pages: the cookie, its session, and the form token that must match it."""

import hashlib
import hmac
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Annotated

from fastapi import Depends, Request, Response
from limits import parse
from sqlalchemy.ext.asyncio import AsyncSession

from api.app_state import services_of
from api.auth.cookies import Cookie, new_secret, secret_digest
from api.auth.csrf import is_cross_site
from api.auth.known_browsers import KNOWN_FOR, KnownBrowsers
from api.auth.login_throttle import Attempt
from api.auth.sessions import Sessions
from api.dependencies import Now, is_plain
from api.http.rate_limits import REQUESTS_PER_ADDRESS, address_of
from api.http.request_values import RequestValue
from api.kinderbud.auth import ADMIN, Caller
from api.kinderbud.households.queries import end_access_of
from api.kinderbud.web import queries
from api.models import HouseholdBrowser, HouseholdSession, HouseholdUser

IDLE = timedelta(days=30)
"""A family's own phone stays logged in while it is used."""
LONGEST = timedelta(days=180)
SESSIONS = Sessions(HouseholdSession, IDLE, LONGEST, noted_every=timedelta(hours=1))
DOOR = "family"
WRITES = parse("60/minute")
"""Requests of one session, as with a token."""
COOKIE = Cookie("kinderbud", "/family", int(LONGEST.total_seconds()))
BROWSERS = KnownBrowsers(HouseholdBrowser, Cookie("kinderbud-browser", "/family", int(KNOWN_FOR.total_seconds())))


class LoginNeeded(Exception):
    """There is no logged-in user."""


class AdminNeeded(Exception):
    """Only an admin of the household may do this."""


class FormRefused(Exception):
    """We did not give this form to this browser, or it came without its cookie."""


class TooOften(Exception):
    """There were too many tries; `seconds` says when the next one is allowed. With `unknown_only` they were in browsers
    that the account does not know, and known ones may continue.
    """

    def __init__(self, seconds: int, *, unknown_only: bool = False) -> None:
        super().__init__()
        self.seconds = seconds
        self.unknown_only = unknown_only


@dataclass(frozen=True)
class Visit:
    """A browser: the secret of its cookie, and its user if logged in."""

    secret: str
    is_new: bool
    caller: Caller | None

    @property
    def form_token(self) -> str:
        """The form token. Only this browser's pages have it, and it does not reveal the cookie."""
        return hashlib.sha256(b"form/" + self.secret.encode()).hexdigest()


VISIT = RequestValue[Visit]("visit")


async def _visit(request: Request, now: Now) -> Visit:
    key = f"family/address/{address_of(request.scope)}"
    wait = await services_of(request).page_limits.seconds_to_wait(REQUESTS_PER_ADDRESS, key)
    if wait is not None:
        raise TooOften(wait)
    secret = COOKIE.of(request, is_plain=is_plain(request))
    caller = await _logged_in(request, secret, now) if secret else None
    visit = Visit(secret or new_secret(), secret is None, caller)
    VISIT.leave(request, visit)
    return visit


async def checked_form(request: Request, visit: Annotated[Visit, Depends(_visit)]) -> None:
    """Checks every form of every page. Raises FormRefused for a form from elsewhere."""
    if request.method in {"GET", "HEAD"}:
        return
    sent = (await request.form()).get("form_token")
    fits = isinstance(sent, str) and hmac.compare_digest(sent.encode(errors="replace"), visit.form_token.encode())
    if visit.is_new or is_cross_site(request) or not fits:
        raise FormRefused
    who = f"user/{visit.caller.user.id}" if visit.caller else f"address/{address_of(request.scope)}"
    wait = await services_of(request).attempts.limits.seconds_to_wait(WRITES, f"family/writes/{who}")
    if wait is not None:
        raise TooOften(wait)


async def _member(visit: Annotated[Visit, Depends(_visit)]) -> Caller:
    if visit.caller is None:
        raise LoginNeeded
    return visit.caller


async def _admin(caller: Annotated[Caller, Depends(_member)]) -> Caller:
    if caller.user.role != ADMIN:
        raise AdminNeeded
    return caller


Visiting = Annotated[Visit, Depends(_visit)]
"""A browser, logged in or not."""
Member = Annotated[Caller, Depends(_member)]
"""A logged-in user."""
Admin = Annotated[Caller, Depends(_admin)]
"""A logged-in admin of the household."""


async def still_logged_in(request: Request, session: AsyncSession) -> HouseholdUser:
    """Reload the user once the household is locked: meanwhile a new password may have ended the session, or an admin
    may have changed the role. Raises LoginNeeded.
    """
    working = SESSIONS.working(VISIT.of(request).secret, services_of(request).clock())
    found = await queries.user_of_session(session, working)
    if found is None:
        raise LoginNeeded
    return found


async def still_admin(request: Request, session: AsyncSession) -> HouseholdUser:
    """The same for admins only. Raises LoginNeeded, AdminNeeded."""
    user = await still_logged_in(request, session)
    if user.role != ADMIN:
        raise AdminNeeded
    return user


async def is_password(request: Request, attempt: Attempt, stored: str | None, password: str) -> bool:
    """Whether the password matches the `stored` hash, with the same work if there is none. Raises TooOften,
    QueueFull.
    """
    services = services_of(request)
    refused = await services.attempts.count(attempt)
    if refused is not None:
        raise TooOften(refused.seconds, unknown_only=refused.unknown_only)
    if not await services.passwords.match(stored, password, attempt.asker, known=attempt.known is not None):
        return False
    await services.attempts.succeeded(attempt)
    return True


async def shows_password(request: Request, caller: Caller, password: str) -> bool:
    """Whether a logged-in user gives their correct password, before an action that cannot be undone. The session has
    its own tries, so that tries from elsewhere do not block it. Raises TooOften, QueueFull.
    """
    attempt = Attempt(DOOR, caller.user.email, address_of(request.scope), asking_session(request))
    return await is_password(request, attempt, caller.user.password_hash, password)


def asking_session(request: Request) -> str:
    """The session's key for login tries and the password queue."""
    return secret_digest(VISIT.of(request).secret)[:32]


@dataclass(frozen=True)
class Entry:
    """The cookies of a login: the session, and the one that makes the browser known."""

    session: str
    browser: str

    def give(self, request: Request, response: Response) -> None:
        """Set both cookies."""
        COOKIE.give(response, self.session, is_plain=is_plain(request))
        BROWSERS.cookie.give(response, self.browser, is_plain=is_plain(request))


async def enter(request: Request, session: AsyncSession, user_id: int, now: datetime) -> Entry:
    """Log a user in with a new session, and make the browser known."""
    await SESSIONS.end(session, VISIT.of(request).secret)
    secret = await SESSIONS.begin(session, user_id, now)
    return Entry(secret, await BROWSERS.remember(session, user_id, shown_browsers(request), now))


def shown_browsers(request: Request) -> list[str]:
    """The secrets by which accounts know this browser."""
    return BROWSERS.shown(request, is_plain=is_plain(request))


async def set_password(session: AsyncSession, user: HouseholdUser, hashed: str, now: datetime) -> None:
    """Set a new password and end the access of the old one: sessions, tokens, links, invitations, and known
    browsers.
    """
    user.password_hash, user.reset_asked_at = hashed, None
    await end_access_of(session, user.id, now)
    await SESSIONS.end_all_of(session, user.id)
    await BROWSERS.forget_all_of(session, user.id)


async def _logged_in(request: Request, secret: str, now: datetime) -> Caller | None:
    services = services_of(request)
    async with services.database.read() as session:
        found = await queries.logged_in(session, SESSIONS.working(secret, now))
    if found is None:
        return None
    kept, user, household = found
    if SESSIONS.is_news(kept, now):
        services.background.start(SESSIONS.note(services.database, kept, now), "a visit was not noted")
    return Caller(user, household, now)

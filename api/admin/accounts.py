"""The admin's account and the browsers in which it is logged in. `ADMIN_PASSWORD` is the only source of its
password.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta

import structlog
from sqlalchemy.ext.asyncio import AsyncSession

from api.admin import queries
from api.auth.cookies import Cookie
from api.auth.known_browsers import KNOWN_FOR, KnownBrowsers
from api.auth.passwords import Passwords
from api.auth.sessions import Sessions
from api.clock import utc_now
from api.db.engine import Database
from api.models import OperatorBrowser, OperatorSession
from api.settings import Settings

NAME = "admin"
HERE = "this machine"
"""The admin's key in the password queue."""
IDLE = timedelta(minutes=30)
LONGEST = timedelta(hours=8)
"""A working day."""
BROWSERS = KnownBrowsers(OperatorBrowser, Cookie("buddy-admin-browser", "/admin", int(KNOWN_FOR.total_seconds())))
SESSIONS = Sessions(OperatorSession, IDLE, LONGEST, noted_every=timedelta(minutes=1))

log = structlog.get_logger("api.admin")


@dataclass(frozen=True)
class LoggedIn:
    """A logged-in operator."""

    id: int
    name: str


async def seed_operator(database: Database, settings: Settings) -> None:
    """Update the account from the settings. A new password ends every session and forgets every known browser. Without
    a password, logins are disabled.
    """
    password = settings.admin_password.get_secret_value() if settings.admin_password else None
    passwords = Passwords()
    async with database.read() as session:
        kept = await queries.operator_named(session, NAME)
    is_same = password is not None and kept is not None and await passwords.match(kept.password_hash, password, HERE)
    if password is None:
        log.warning("no one can log in to /admin: ADMIN_PASSWORD is not set")
    if is_same:
        return
    hashed = await passwords.hashed(password, HERE) if password is not None else None
    async with database.write() as session:
        await queries.set_password(session, NAME, hashed, utc_now())


async def make_browser_link(session: AsyncSession, now: datetime) -> tuple[str, datetime] | None:
    """Make a link that makes one browser known. Returns its secret and expiry; None without an account."""
    account = await queries.operator_named(session, NAME, for_update=True)
    return await BROWSERS.make_link(session, account.id, now) if account is not None else None


async def logged_in(database: Database, secret: str, now: datetime) -> LoggedIn | None:
    """The operator whose session has that secret."""
    async with database.read() as session:
        found = await queries.operator_of(session, SESSIONS.working(secret, now))
    if found is None:
        return None
    kept, operator = found
    if SESSIONS.is_news(kept, now):
        await SESSIONS.note(database, kept, now)
    return LoggedIn(operator.id, operator.name)

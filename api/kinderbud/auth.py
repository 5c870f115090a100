"""Authentication: turns a bearer token into a user of a household."""

import re
import secrets
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Annotated

from fastapi import Depends, Request, Security
from fastapi.security import HTTPBearer
from sqlalchemy.ext.asyncio import AsyncSession

from api.app_state import services_of
from api.auth.cookies import secret_digest
from api.db.engine import Database
from api.dependencies import Now, ReadSession, WriteSession
from api.kinderbud import queries
from api.kinderbud.errors import Code, Refused
from api.models import Household, HouseholdToken, HouseholdUser
from api.models.households import HOUSEHOLD_ADMIN
from api.time_zones import local_date

PREFIX = "kb_live_"
TOKEN = re.compile(PREFIX + r"[0-9a-f]{32}")
SEEN_EVERY = timedelta(minutes=1)
"""How often `last_used_at` is written at most."""
ADMIN, MEMBER = HOUSEHOLD_ADMIN, "member"


@dataclass(frozen=True)
class Caller:
    """A user, their household, and the moment of the request, from a token or a session."""

    user: HouseholdUser
    household: Household
    now: datetime

    @property
    def today(self) -> date:
        """Today's date in the household's time zone."""
        return local_date(self.now, self.household.time_zone)


@dataclass(frozen=True)
class TokenCaller(Caller):
    """A caller who sent a token."""

    token: HouseholdToken


def new_token() -> str:
    """A token: 128 random bits. It is shown once."""
    return PREFIX + secrets.token_hex(16)


def shown_token(authorization: str | None) -> str | None:
    """The token in an `Authorization` header. None if there is none of the right form."""
    scheme, _, token = (authorization or "").partition(" ")
    token = token.strip()
    return token if scheme.casefold() == "bearer" and TOKEN.fullmatch(token) else None


async def _caller(request: Request, session: AsyncSession, now: datetime) -> TokenCaller:
    token = shown_token(request.headers.get("authorization"))
    found = None
    if token is not None:
        found = await queries.owner_of_token(session, secret_digest(token))
    if found is None:
        said = "This token is not known, or was revoked." if token else "Send `Authorization: Bearer kb_live_…`."
        raise Refused(401, Code.UNAUTHORIZED, said, {"WWW-Authenticate": "Bearer"})
    shown, user, household = found
    if shown.last_used_at is None or now - shown.last_used_at >= SEEN_EVERY:
        services = services_of(request)
        services.background.start(_note_use(services.database, shown.id, now), "the use of a token was not noted")
    return TokenCaller(user, household, now, shown)


async def recognise(request: Request) -> TokenCaller:
    """The caller, for routes without a database session. Raises Refused for unknown callers."""
    services = services_of(request)
    async with services.database.read() as session:
        return await _caller(request, session, services.clock())


async def _note_use(database: Database, token_id: int, now: datetime) -> None:
    async with database.write() as session:
        await queries.note_use(session, token_id, now, now - SEEN_EVERY)


BEARER = HTTPBearer(auto_error=False, description="A token, `kb_live_` and 32 hex digits.")
"""For /docs and the schema; `_caller` reads the header itself."""


async def _reading(
    request: Request, session: ReadSession, now: Now, _: Annotated[object, Security(BEARER)]
) -> TokenCaller:
    return await _caller(request, session, now)


async def _writing(
    request: Request, session: WriteSession, now: Now, _: Annotated[object, Security(BEARER)]
) -> TokenCaller:
    return await _caller(request, session, now)


Reader = Annotated[Caller, Depends(_reading, scope="function")]
"""The caller, in the request's read session."""
Writer = Annotated[Caller, Depends(_writing, scope="function")]
"""The caller, in the request's write session."""
TokenWriter = Annotated[TokenCaller, Depends(_writing, scope="function")]
"""The same, with the token."""

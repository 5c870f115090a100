"""Browsers in which an account logged in before (OWASP calls their cookie a device cookie).
Such a browser has its own password tries, so that a flood of tries from elsewhere does not block the owner. The cookie
holds one random secret for each account, at most `MOST_ACCOUNTS`. The database holds only their digests. The cookie
alone does not log in: the password is still needed.
"""

import re
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy.ext.asyncio import AsyncSession
from starlette.requests import HTTPConnection

from api.auth import queries
from api.auth.cookies import Cookie, new_secret, secret_digest
from api.models.sessions import KnownBrowser

KNOWN_FOR = timedelta(days=180)
"""Time since the last login there; equals the longest session of a family."""
LINK_WORKS_FOR = timedelta(days=1)
MOST_ACCOUNTS = 5
"""The most accounts that know one browser: a family that shares a tablet."""
MOST_BROWSERS = 20
"""The most browsers that one account knows; the least recently used one is forgotten first."""
SECRET = re.compile(r"[A-Za-z0-9_-]{43}")
"""The format of `new_secret`."""


@dataclass(frozen=True)
class KnownBrowsers:
    """The known browsers in a table, and their cookie."""

    table: type[KnownBrowser]
    cookie: Cookie

    def shown(self, connection: HTTPConnection, *, is_plain: bool) -> list[str]:
        """The secrets in the browser's cookie, newest first."""
        secrets = (self.cookie.of(connection, is_plain=is_plain) or "").split(".")
        return [one for one in secrets if SECRET.fullmatch(one)][:MOST_ACCOUNTS]

    def working(self, secrets: list[str], now: datetime) -> queries.Conditions:
        """The conditions for rows of known browsers with one of these secrets."""
        return queries.known_browser(self.table, [secret_digest(one) for one in secrets], now - KNOWN_FOR)

    async def remember(self, session: AsyncSession, owner_id: int, secrets: list[str], now: datetime) -> str:
        """Record a login of the owner in the browser that sent `secrets`. Returns the new value of its cookie. An
        account keeps its secret in one browser, and no account gets the secret of another.
        """
        digests = await queries.note_login(session, self.table, owner_id, self.working(secrets, now), now)
        kept = [one for one in secrets if secret_digest(one) in digests]
        if not kept:
            kept = [await self._add(session, owner_id, now)]
        others = [one for one in secrets if one not in kept]
        return ".".join([*kept, *others][:MOST_ACCOUNTS])

    async def forget_all_of(self, session: AsyncSession, owner_id: int) -> None:
        """Forget all browsers of this owner, links included."""
        await queries.delete_all_of(session, self.table, owner_id)

    async def make_link(self, session: AsyncSession, owner_id: int, now: datetime) -> tuple[str, datetime]:
        """Make a single-use link that makes one browser known. Returns its secret and expiry. Earlier links end."""
        await queries.delete_links(session, self.table, owner_id)
        return await self._add(session, owner_id, now, now + LINK_WORKS_FOR), now + LINK_WORKS_FOR

    async def is_link(self, session: AsyncSession, secret: str, now: datetime) -> bool:
        """Whether the secret is that of a valid link."""
        return await queries.is_valid_link(session, self.table, secret_digest(secret), now)

    async def claim_link(self, session: AsyncSession, secret: str, secrets: list[str], now: datetime) -> str | None:
        """Use a link to make the browser that sent `secrets` known. Returns its cookie; None if the link is invalid or
        used.
        """
        fresh = new_secret()
        if not await queries.claim_link(session, self.table, secret_digest(secret), secret_digest(fresh), now):
            return None
        return ".".join([fresh, *secrets][:MOST_ACCOUNTS])

    async def _add(
        self, session: AsyncSession, owner_id: int, now: datetime, link_until: datetime | None = None
    ) -> str:
        secret = new_secret()
        row = self.table(
            owner_id=owner_id, digest=secret_digest(secret), created_at=now, seen_at=now, link_until=link_until
        )
        await queries.add_and_keep_newest(session, row, MOST_BROWSERS)
        return secret

"""Browsers in which an account logged in before (OWASP calls their cookie a device cookie).

Such a browser has tries of a password of its own, so that no flood of tries from elsewhere keeps its owner out. The
cookie holds one random secret for each account, at most `MOST_ACCOUNTS`; the database holds only their digests. It lets
nobody in by itself: the password is still needed.
"""

import re
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, delete, select, update
from sqlalchemy.ext.asyncio import AsyncSession
from starlette.requests import HTTPConnection

from api.auth.cookies import Cookie, new_secret, secret_digest
from api.models.sessions import KnownBrowser

KNOWN_FOR = timedelta(days=180)
"""Since the last login there: as long as a session of a family lasts at most."""
LINK_WORKS_FOR = timedelta(days=1)
MOST_ACCOUNTS = 5
"""Accounts that one browser is known to: a family that shares a tablet."""
MOST_BROWSERS = 20
"""Browsers that one account knows; the one that was away longest is forgotten first."""
SECRET = re.compile(r"[A-Za-z0-9_-]{43}")
"""As `new_secret` makes them."""


@dataclass(frozen=True)
class KnownBrowsers:
    """The known browsers of a table, and their cookie."""

    table: type[KnownBrowser]
    cookie: Cookie

    def shown(self, connection: HTTPConnection) -> list[str]:
        """The secrets that the browser showed, the newest first."""
        secrets = (self.cookie.of(connection) or "").split(".")
        return [one for one in secrets if SECRET.fullmatch(one)][:MOST_ACCOUNTS]

    def working(self, secrets: list[str], now: datetime) -> tuple[ColumnElement[bool], ...]:
        """Which rows are browsers with one of these secrets, while they are known."""
        return (
            self.table.digest.in_([secret_digest(one) for one in secrets]),
            self.table.link_until.is_(None),
            self.table.seen_at > now - KNOWN_FOR,
        )

    async def remember(self, session: AsyncSession, owner_id: int, secrets: list[str], now: datetime) -> str:
        """Note that the owner logged in, in the browser that showed `secrets`. Returns what its cookie holds from now
        on: an account's secret stays the same in one browser, and nobody else's becomes the account's."""
        mine = (self.table.owner_id == owner_id, *self.working(secrets, now))
        digests = set(
            await session.scalars(update(self.table).where(*mine).values(seen_at=now).returning(self.table.digest))
        )
        kept = [one for one in secrets if secret_digest(one) in digests]
        if not kept:
            kept = [await self._add(session, owner_id, now)]
        others = [one for one in secrets if one not in kept]
        return ".".join([*kept, *others][:MOST_ACCOUNTS])

    async def forget_all_of(self, session: AsyncSession, owner_id: int) -> None:
        """Know no browser of this owner any more, links included."""
        await session.execute(delete(self.table).where(self.table.owner_id == owner_id))

    async def make_link(self, session: AsyncSession, owner_id: int, now: datetime) -> tuple[str, datetime]:
        """The secret of a link that makes one browser known, once, and until when it works. Earlier ones end."""
        await session.execute(
            delete(self.table).where(self.table.owner_id == owner_id, self.table.link_until.is_not(None))
        )
        return await self._add(session, owner_id, now, now + LINK_WORKS_FOR), now + LINK_WORKS_FOR

    async def is_link(self, session: AsyncSession, secret: str, now: datetime) -> bool:
        """Whether it is the secret of a link that works."""
        return await session.scalar(select(self.table.id).where(*self._link(secret, now))) is not None

    async def claim_link(self, session: AsyncSession, secret: str, secrets: list[str], now: datetime) -> str | None:
        """Make the browser that showed `secrets` known, by a link. Returns its cookie; None where the link does not
        work, which it does once."""
        fresh = new_secret()
        claimed = (
            update(self.table)
            .where(*self._link(secret, now))
            .values(digest=secret_digest(fresh), link_until=None, seen_at=now)
        )
        if await session.scalar(claimed.returning(self.table.id)) is None:
            return None
        return ".".join([fresh, *secrets][:MOST_ACCOUNTS])

    def _link(self, secret: str, now: datetime) -> tuple[ColumnElement[bool], ...]:
        return self.table.digest == secret_digest(secret), self.table.link_until > now

    async def _add(
        self, session: AsyncSession, owner_id: int, now: datetime, link_until: datetime | None = None
    ) -> str:
        secret = new_secret()
        row = self.table(
            owner_id=owner_id, digest=secret_digest(secret), created_at=now, seen_at=now, link_until=link_until
        )
        session.add(row)
        await session.flush()
        theirs = self.table.owner_id == owner_id
        newest = select(self.table.id).where(theirs).order_by(self.table.seen_at.desc(), self.table.id.desc())
        kept = newest.limit(MOST_BROWSERS).scalar_subquery()
        await session.execute(delete(self.table).where(theirs, self.table.id.not_in(kept)))
        return secret

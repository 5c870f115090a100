"""Logging in and out, for families and operators alike: sessions are rows, so that a logout holds for every copy of the
cookie, in every process."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, delete, or_, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from api.auth.cookies import new_secret, secret_digest
from api.db.engine import Database
from api.models.sessions import BrowserSession


@dataclass(frozen=True)
class Sessions:
    """The sessions of a table. One ends after `idle` without a visit, and `longest` after its beginning; a visit is
    written once in `noted_every`."""

    table: type[BrowserSession]
    idle: timedelta
    longest: timedelta
    noted_every: timedelta
    most: int = 50
    """Of one owner; the one that was away longest ends first."""

    async def begin(self, session: AsyncSession, owner_id: int, now: datetime) -> str:
        """Log the owner in. Returns the secret for their browser, which is always a new one. Sessions that have run out
        are deleted, and so are the owner's oldest ones beyond `most`."""
        over = or_(self.table.seen_at <= now - self.idle, self.table.created_at <= now - self.longest)
        await session.execute(delete(self.table).where(over))
        secret = new_secret()
        session.add(self.table(owner_id=owner_id, digest=secret_digest(secret), created_at=now, seen_at=now))
        await session.flush()
        theirs = self.table.owner_id == owner_id
        newest = select(self.table.id).where(theirs).order_by(self.table.seen_at.desc(), self.table.id.desc())
        kept = newest.limit(self.most).scalar_subquery()
        await session.execute(delete(self.table).where(theirs, self.table.id.not_in(kept)))
        return secret

    async def end(self, session: AsyncSession, secret: str) -> None:
        """Log a browser out, for good."""
        await session.execute(delete(self.table).where(self.table.digest == secret_digest(secret)))

    async def end_all_of(self, session: AsyncSession, owner_id: int) -> None:
        """Log somebody out in every browser."""
        await session.execute(delete(self.table).where(self.table.owner_id == owner_id))

    def working(self, secret: str, now: datetime) -> tuple[ColumnElement[bool], ...]:
        """Which row is the session with that secret, while it works."""
        return (
            self.table.digest == secret_digest(secret),
            self.table.seen_at > now - self.idle,
            self.table.created_at > now - self.longest,
        )

    def is_news(self, kept: BrowserSession, now: datetime) -> bool:
        """Whether it is time to note that somebody came."""
        return now - kept.seen_at >= self.noted_every

    async def note(self, database: Database, kept: BrowserSession, now: datetime) -> None:
        """Write that somebody came."""
        async with database.write() as session:
            await session.execute(update(self.table).where(self.table.id == kept.id).values(seen_at=now))

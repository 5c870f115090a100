"""Login sessions of families and operators. Sessions are rows, so that a logout is valid for every copy of the cookie,
in every process.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, delete, or_, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from api.auth.cookies import new_secret, secret_digest
from api.db.engine import Database
from api.models.sessions import BrowserSession


@dataclass(frozen=True)
class Sessions:
    """The sessions in a table. A session ends after `idle` without a visit, and `longest` after its start. A visit is
    recorded once in `noted_every`.
    """

    table: type[BrowserSession]
    idle: timedelta
    longest: timedelta
    noted_every: timedelta
    most: int = 50
    """The most sessions of one owner; the least recently used one ends first."""

    async def begin(self, session: AsyncSession, owner_id: int, now: datetime) -> str:
        """Log the owner in. Returns a new secret for their browser. Expired sessions are deleted, and so are the
        owner's oldest ones beyond `most`.
        """
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
        """Log a browser out: delete its session."""
        await session.execute(delete(self.table).where(self.table.digest == secret_digest(secret)))

    async def end_all_of(self, session: AsyncSession, owner_id: int) -> None:
        """Delete all sessions of an owner."""
        await session.execute(delete(self.table).where(self.table.owner_id == owner_id))

    def working(self, secret: str, now: datetime) -> tuple[ColumnElement[bool], ...]:
        """The condition for the row of a valid session with that secret."""
        return (
            self.table.digest == secret_digest(secret),
            self.table.seen_at > now - self.idle,
            self.table.created_at > now - self.longest,
        )

    def is_news(self, kept: BrowserSession, now: datetime) -> bool:
        """Whether it is time to record a visit."""
        return now - kept.seen_at >= self.noted_every

    async def note(self, database: Database, kept: BrowserSession, now: datetime) -> None:
        """Record a visit."""
        async with database.write() as session:
            await session.execute(update(self.table).where(self.table.id == kept.id).values(seen_at=now))

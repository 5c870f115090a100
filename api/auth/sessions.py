"""Login sessions of families and operators. Sessions are rows, so that a logout is valid for every copy of the cookie,
in every process.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy.ext.asyncio import AsyncSession

from api.auth import queries
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
        await queries.delete_expired_sessions(session, self.table, now - self.idle, now - self.longest)
        secret = new_secret()
        row = self.table(owner_id=owner_id, digest=secret_digest(secret), created_at=now, seen_at=now)
        await queries.add_and_keep_newest(session, row, self.most)
        return secret

    async def end(self, session: AsyncSession, secret: str) -> None:
        """Log a browser out: delete its session."""
        await queries.delete_session(session, self.table, secret_digest(secret))

    async def end_all_of(self, session: AsyncSession, owner_id: int) -> None:
        """Delete all sessions of an owner."""
        await queries.delete_all_of(session, self.table, owner_id)

    def working(self, secret: str, now: datetime) -> queries.Conditions:
        """The conditions for the row of a valid session with that secret."""
        return queries.valid_session(self.table, secret_digest(secret), now - self.idle, now - self.longest)

    def is_news(self, kept: BrowserSession, now: datetime) -> bool:
        """Whether it is time to record a visit."""
        return now - kept.seen_at >= self.noted_every

    async def note(self, database: Database, kept: BrowserSession, now: datetime) -> None:
        """Record a visit."""
        async with database.write() as session:
            await queries.note_visit(session, self.table, kept.id, now)

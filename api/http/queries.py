"""SQL of stored answers. `kept` is the table of one app."""

from datetime import datetime

from sqlalchemy import delete, func, select
from sqlalchemy.ext.asyncio import AsyncSession

from api.models.requests import KeptAnswer


class KeyLocked(Exception):
    """Another transaction is at work on the request with this key."""


async def forget_answers(session: AsyncSession, kept: type[KeptAnswer], before: datetime) -> None:
    """Delete the answers that were stored before that time."""
    await session.execute(delete(kept).where(kept.created_at < before))


async def find_or_lock(
    session: AsyncSession, kept: type[KeptAnswer], owner_id: int, route: str, key: str
) -> KeptAnswer | None:
    """The stored answer to the sender's request with this key. Without one the key is locked until the transaction
    ends; SQLite has one writer at a time, which is lock enough. Raises KeyLocked.
    """
    query = select(kept).where(kept.owner_id == owner_id, kept.route == route, kept.key == key)
    stored = await session.scalar(query)
    if stored is None and session.get_bind().dialect.name == "postgresql":
        name = f"{kept.__tablename__} {owner_id} {route} {key}"
        if not await session.scalar(select(func.pg_try_advisory_xact_lock(func.hashtextextended(name, 0)))):
            raise KeyLocked
        stored = await session.scalar(query)  # the first request may just have ended
    return stored

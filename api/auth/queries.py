"""SQL of sessions, known browsers and encrypted columns. Families and operators have tables of their own, so each
function gets the table.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Table, delete, or_, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from api.models.sessions import BrowserSession, KnownBrowser

type Conditions = tuple[ColumnElement[bool], ...]


def valid_session(
    table: type[BrowserSession], digest: str, seen_after: datetime, created_after: datetime
) -> Conditions:
    """The conditions for the row of a valid session."""
    return table.digest == digest, table.seen_at > seen_after, table.created_at > created_after


async def delete_expired_sessions(
    session: AsyncSession, table: type[BrowserSession], seen_after: datetime, created_after: datetime
) -> None:
    """Delete the sessions of all owners that are not valid any more."""
    over = or_(table.seen_at <= seen_after, table.created_at <= created_after)
    await session.execute(delete(table).where(over))


async def delete_session(session: AsyncSession, table: type[BrowserSession], digest: str) -> None:
    await session.execute(delete(table).where(table.digest == digest))


async def note_visit(session: AsyncSession, table: type[BrowserSession], row_id: int, now: datetime) -> None:
    """Record when the session was last used."""
    await session.execute(update(table).where(table.id == row_id).values(seen_at=now))


def known_browser(table: type[KnownBrowser], digests: Sequence[str], seen_after: datetime) -> Conditions:
    """The conditions for the rows of known browsers with one of these digests."""
    return table.digest.in_(digests), table.link_until.is_(None), table.seen_at > seen_after


async def note_login(
    session: AsyncSession, table: type[KnownBrowser], owner_id: int, known: Conditions, now: datetime
) -> set[str]:
    """Record a login of the owner in the known browsers that meet the conditions. Returns their digests."""
    mine = update(table).where(table.owner_id == owner_id, *known)
    return set(await session.scalars(mine.values(seen_at=now).returning(table.digest)))


async def delete_links(session: AsyncSession, table: type[KnownBrowser], owner_id: int) -> None:
    """Delete the owner's links that make a browser known."""
    await session.execute(delete(table).where(table.owner_id == owner_id, table.link_until.is_not(None)))


async def is_valid_link(session: AsyncSession, table: type[KnownBrowser], digest: str, now: datetime) -> bool:
    """Whether there is a link with this digest that has not ended."""
    return await session.scalar(select(table.id).where(table.digest == digest, table.link_until > now)) is not None


async def claim_link(
    session: AsyncSession, table: type[KnownBrowser], digest: str, new_digest: str, now: datetime
) -> bool:
    """Turn a valid link into a known browser with the new digest; False if there is no such link."""
    link = update(table).where(table.digest == digest, table.link_until > now)
    claimed = link.values(digest=new_digest, link_until=None, seen_at=now).returning(table.id)
    return await session.scalar(claimed) is not None


async def delete_all_of(session: AsyncSession, table: type[BrowserSession] | type[KnownBrowser], owner_id: int) -> None:
    """Delete all rows of an owner."""
    await session.execute(delete(table).where(table.owner_id == owner_id))


async def add_and_keep_newest(session: AsyncSession, row: BrowserSession | KnownBrowser, most: int) -> None:
    """Add a row, and delete its owner's least recently used ones beyond `most`."""
    session.add(row)
    await session.flush()
    table = type(row)
    theirs = table.owner_id == row.owner_id
    newest = select(table.id).where(theirs).order_by(table.seen_at.desc(), table.id.desc())
    await session.execute(delete(table).where(theirs, table.id.not_in(newest.limit(most).scalar_subquery())))


async def encrypted_values(
    session: AsyncSession, table: Table, column: str, after_id: int, limit: int
) -> list[tuple[int, str]]:
    """The next rows that have a value in the column, by id: their id and the value."""
    given = (table.c[column].is_not(None), table.c.id > after_id)
    query = select(table.c.id, table.c[column]).where(*given).order_by(table.c.id).limit(limit)
    return [(row[0], row[1]) for row in await session.execute(query)]


async def replace_value(session: AsyncSession, table: Table, column: str, row_id: int, old: str, new: str) -> bool:
    """Set a value that is still the old one; False if it has changed meanwhile."""
    same = update(table).where(table.c.id == row_id, table.c[column] == old)
    changed: Any = await session.execute(same.values({column: new}))
    return bool(changed.rowcount)

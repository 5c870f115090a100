"""Queries on tokens, for authentication and rate limits."""

from datetime import datetime

from sqlalchemy import bindparam, or_, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from api.models import Household, HouseholdToken, HouseholdUser

_TOKEN = select(HouseholdToken.id).where(
    HouseholdToken.digest == bindparam("digest"), HouseholdToken.revoked_at.is_(None)
)
_OWNER = (
    _TOKEN.with_only_columns(HouseholdToken, HouseholdUser, Household)
    .join(HouseholdUser, HouseholdUser.id == HouseholdToken.user_id)
    .join(Household, Household.id == HouseholdUser.household_id)
)


async def owner_of_token(session: AsyncSession, digest: str) -> tuple[HouseholdToken, HouseholdUser, Household] | None:
    """A token that works, with its user and household."""
    found = (await session.execute(_OWNER, {"digest": digest})).one_or_none()
    return (found[0], found[1], found[2]) if found is not None else None


async def is_token(session: AsyncSession, digest: str) -> bool:
    """Whether there is a token that works."""
    return await session.scalar(_TOKEN, {"digest": digest}) is not None


async def note_use(session: AsyncSession, token_id: int, now: datetime, unless_since: datetime) -> None:
    """Write that a token was used, unless that was written after `unless_since`."""
    stale = or_(HouseholdToken.last_used_at.is_(None), HouseholdToken.last_used_at <= unless_since)
    await session.execute(update(HouseholdToken).where(HouseholdToken.id == token_id, stale).values(last_used_at=now))

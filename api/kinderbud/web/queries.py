"""Queries on the sessions of browsers."""

from collections.abc import Sequence

from sqlalchemy import ColumnElement, select
from sqlalchemy.ext.asyncio import AsyncSession

from api.models import Household, HouseholdSession, HouseholdUser


async def logged_in(
    session: AsyncSession, working: Sequence[ColumnElement[bool]]
) -> tuple[HouseholdSession, HouseholdUser, Household] | None:
    """The session that meets the condition, with its user and household."""
    query = (
        select(HouseholdSession, HouseholdUser, Household)
        .join(HouseholdUser, HouseholdUser.id == HouseholdSession.owner_id)
        .join(Household, Household.id == HouseholdUser.household_id)
        .where(*working)
    )
    found = (await session.execute(query)).one_or_none()
    return (found[0], found[1], found[2]) if found is not None else None


async def user_of_session(session: AsyncSession, working: Sequence[ColumnElement[bool]]) -> HouseholdUser | None:
    """The user of the session that meets the condition."""
    query = select(HouseholdUser).join(HouseholdSession, HouseholdSession.owner_id == HouseholdUser.id)
    return await session.scalar(query.where(*working))

"""Households, their people and their tokens."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import select, update
from sqlalchemy.ext.asyncio import AsyncSession

from api.models import Household, HouseholdParticipant, HouseholdToken, HouseholdUser


async def household_of(session: AsyncSession, household_id: int) -> Household | None:
    """The household with that id."""
    return await session.get(Household, household_id)


async def locked(session: AsyncSession, household_id: int) -> None:
    """Wait until nobody else writes for the household, and hold them back until the end of the transaction."""
    await session.execute(select(Household.id).where(Household.id == household_id).with_for_update())


async def participants_of(session: AsyncSession, household_id: int) -> Sequence[HouseholdParticipant]:
    """Children first, then adults, each in the order in which they came."""
    mine = HouseholdParticipant.household_id == household_id
    query = select(HouseholdParticipant).where(mine).order_by(HouseholdParticipant.is_adult, HouseholdParticipant.id)
    return (await session.scalars(query)).all()


async def participant_in(session: AsyncSession, household_id: int, participant_id: int) -> HouseholdParticipant | None:
    """A participant, if they live there."""
    found = await session.get(HouseholdParticipant, participant_id)
    return found if found is not None and found.household_id == household_id else None


async def user_with_email(session: AsyncSession, email: str) -> HouseholdUser | None:
    """The user with that address, in the form in which it is compared."""
    return await session.scalar(select(HouseholdUser).where(HouseholdUser.email == email))


async def users_of(session: AsyncSession, household_id: int) -> Sequence[HouseholdUser]:
    """Who signs in, the first one first."""
    query = select(HouseholdUser).where(HouseholdUser.household_id == household_id).order_by(HouseholdUser.id)
    return (await session.scalars(query)).all()


async def tokens_of(session: AsyncSession, household_id: int) -> Sequence[tuple[HouseholdToken, HouseholdUser]]:
    """A household's tokens with their users, the oldest first."""
    query = (
        select(HouseholdToken, HouseholdUser)
        .join(HouseholdUser, HouseholdUser.id == HouseholdToken.user_id)
        .where(HouseholdUser.household_id == household_id)
        .order_by(HouseholdToken.id)
    )
    return [(kept, user) for kept, user in await session.execute(query)]


async def revoke(session: AsyncSession, token_id: int, now: datetime) -> bool:
    """Revoke a token; whether there was one that still worked."""
    working = (HouseholdToken.id == token_id, HouseholdToken.revoked_at.is_(None))
    values = {"revoked_at": now}
    found = await session.scalar(update(HouseholdToken).where(*working).values(values).returning(HouseholdToken.id))
    return found is not None


async def households(session: AsyncSession) -> Sequence[Household]:
    """All of them, the oldest first."""
    return (await session.scalars(select(Household).order_by(Household.id))).all()

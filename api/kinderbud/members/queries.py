"""Queries on the members of a household, and on what a removed member leaves."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import ColumnElement, func, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from api.models import HouseholdUser, Plan, Todo, TodoAction


async def member_now(session: AsyncSession, household_id: int, user_id: int) -> HouseholdUser | None:
    """A user of the household, read again."""
    mine = (HouseholdUser.id == user_id, HouseholdUser.household_id == household_id)
    return await session.scalar(select(HouseholdUser).where(*mine).execution_options(populate_existing=True))


async def others_with_role(session: AsyncSession, user: HouseholdUser, role: str) -> Sequence[HouseholdUser]:
    """The other users of the user's household with that role."""
    return (await session.scalars(select(HouseholdUser).where(*_others(user, role)))).all()


async def has_another(session: AsyncSession, user: HouseholdUser, role: str) -> bool:
    """Whether another user of the household has that role."""
    return bool(await session.scalar(select(func.count()).select_from(HouseholdUser).where(*_others(user, role))))


async def end_plans_and_todos_of(session: AsyncSession, participant_id: int, now: datetime) -> None:
    """End the plans of a participant and delete their open todos."""
    plans = (Plan.participant_id == participant_id, Plan.active)
    await session.execute(update(Plan).where(*plans).values(active=False, ended_at=now))
    await session.execute(update(Todo).where(Todo.participant_id == participant_id).values(deleted=True))


async def keep_name(session: AsyncSession, user: HouseholdUser) -> None:
    """Write the user's name into their actions, which lose the user."""
    theirs = TodoAction.performed_by == user.id
    await session.execute(update(TodoAction).where(theirs).values(former_name=user.display_name))


def _others(user: HouseholdUser, role: str) -> tuple[ColumnElement[bool], ...]:
    return (HouseholdUser.household_id == user.household_id, HouseholdUser.role == role, HouseholdUser.id != user.id)

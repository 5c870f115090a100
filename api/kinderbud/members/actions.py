"""Changes rights in a household: roles, handing it over, removing a member. Shared by pages and commands.
Each action locks the household, so that two admins who act on each other at once run one after the other.

"""

from datetime import datetime

from sqlalchemy.ext.asyncio import AsyncSession

from api.kinderbud.auth import ADMIN, MEMBER
from api.kinderbud.households import queries as household_queries
from api.kinderbud.members import queries
from api.models import HouseholdParticipant, HouseholdUser
from api.models.households import FORMER_MEMBER

ROLES = (ADMIN, MEMBER)


class MemberUnchanged(ValueError):
    """Nothing was changed; the message says why."""


async def member_in(session: AsyncSession, household_id: int, user_id: int) -> HouseholdUser | None:
    """A user of the household, as they are now. Locks the household."""
    await household_queries.locked(session, household_id)
    return await queries.member_now(session, household_id, user_id)


async def change_role(session: AsyncSession, user: HouseholdUser, role: str, now: datetime) -> None:
    """Make a user an admin or a member. If an admin becomes a member, their invitations end. The household is locked.
    Raises MemberUnchanged.
    """
    if role not in ROLES:
        raise MemberUnchanged(f"a role is {ADMIN} or {MEMBER}")
    if role == MEMBER:
        await _keep_an_admin(session, user)
        await household_queries.end_invitations_by(session, user.id, now)
    user.role = role
    await session.flush()


async def hand_over(session: AsyncSession, to: HouseholdUser, now: datetime) -> None:
    """Make a user the only admin of their household; other admins become members. The household is locked. Raises
    MemberUnchanged.
    """
    before = await queries.others_with_role(session, to, ADMIN)
    if to.role == ADMIN and not before:
        raise MemberUnchanged(f"{to.display_name} is the only admin already")
    await change_role(session, to, ADMIN, now)
    for one in before:
        await change_role(session, one, MEMBER, now)


async def remove_member(session: AsyncSession, user: HouseholdUser, now: datetime, *, keep_name: bool) -> None:
    """Remove a user: their login, sessions, tokens, links and invitations end. The history stays, with or without their
    name. Their own plans and open todos end. The household is locked. Raises MemberUnchanged.
    """
    await _keep_an_admin(session, user)
    adult = await session.get_one(HouseholdParticipant, user.participant_id)
    await queries.end_plans_and_todos_of(session, adult.id, now)
    if keep_name:
        await queries.keep_name(session, user)
    else:
        adult.name = FORMER_MEMBER
    await session.delete(user)
    await session.flush()


async def _keep_an_admin(session: AsyncSession, user: HouseholdUser) -> None:
    """Raises MemberUnchanged for the last admin."""
    if user.role == ADMIN and not await queries.has_another(session, user, ADMIN):
        raise MemberUnchanged(
            f"{user.display_name} is the last admin: make another member an admin first, or hand the household over"
        )

"""What changes a password on the family's pages, each in the transaction of the caller."""

from datetime import datetime

from sqlalchemy.ext.asyncio import AsyncSession

from api.kinderbud.households import queries
from api.kinderbud.web.sessions import set_password
from api.models import HouseholdUser


class PasswordChanged(Exception):
    """The password is not the one that was checked: another browser changed it meanwhile."""


class LinkUsed(Exception):
    """Another request used the link first."""


async def with_checked_password(session: AsyncSession, checked: HouseholdUser) -> HouseholdUser:
    """The locked row of a user whose password was checked before this transaction. Raises PasswordChanged."""
    kept = await session.get(HouseholdUser, checked.id, with_for_update=True)
    if kept is None or kept.password_hash != checked.password_hash:
        raise PasswordChanged
    return kept


async def reset_password(
    session: AsyncSession, user: HouseholdUser, secret: str, password_hash: str, now: datetime
) -> None:
    """Set a new password by a link, once, and end the access of the old one. Raises LinkUsed."""
    await queries.locked(session, user.household_id)
    if await queries.claim_link(session, secret, now) is None:
        raise LinkUsed
    await set_password(session, await session.get_one(HouseholdUser, user.id, with_for_update=True), password_hash, now)


async def change_password(session: AsyncSession, user: HouseholdUser, password_hash: str, now: datetime) -> None:
    """Set a new password for a user who showed the present one, and end its access. Raises PasswordChanged."""
    await queries.locked(session, user.household_id)
    await set_password(session, await with_checked_password(session, user), password_hash, now)

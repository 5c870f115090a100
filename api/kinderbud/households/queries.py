"""Households, their people, their tokens and their links."""

from collections.abc import Sequence
from datetime import date, datetime

from sqlalchemy import ColumnElement, and_, delete, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from api.auth.cookies import secret_digest
from api.kinderbud.action_types import ActionType
from api.models import (
    DaySelection,
    Household,
    HouseholdBrowser,
    HouseholdLink,
    HouseholdParticipant,
    HouseholdToken,
    HouseholdUser,
    Todo,
    TodoAction,
)


async def household_of(session: AsyncSession, household_id: int) -> Household | None:
    """The household with that id."""
    return await session.get(Household, household_id)


async def locked(session: AsyncSession, household_id: int) -> None:
    """Lock the household until the end of the transaction. Other writers wait."""
    await session.execute(select(Household.id).where(Household.id == household_id).with_for_update())


async def participants_of(session: AsyncSession, household_id: int) -> Sequence[HouseholdParticipant]:
    """Children first, then adults, each in the order in which they were added."""
    mine = HouseholdParticipant.household_id == household_id
    query = select(HouseholdParticipant).where(mine).order_by(HouseholdParticipant.is_adult, HouseholdParticipant.id)
    return (await session.scalars(query)).all()


async def participant_in(session: AsyncSession, household_id: int, participant_id: int) -> HouseholdParticipant | None:
    """A participant of the household."""
    found = await session.get(HouseholdParticipant, participant_id)
    return found if found is not None and found.household_id == household_id else None


async def user_with_email(session: AsyncSession, email: str) -> HouseholdUser | None:
    """The user with that normalised address."""
    return await session.scalar(select(HouseholdUser).where(HouseholdUser.email == email))


async def user_in_browser(
    session: AsyncSession, email: str, known: tuple[ColumnElement[bool], ...]
) -> tuple[HouseholdUser | None, str | None]:
    """The user with that address, and the digest of the requesting browser if the user knows it. One statement, so that
    unknown addresses take as long as known ones.
    """
    query = (
        select(HouseholdUser, HouseholdBrowser.digest)
        .outerjoin(HouseholdBrowser, and_(HouseholdBrowser.owner_id == HouseholdUser.id, *known))
        .where(HouseholdUser.email == email)
    )
    found = (await session.execute(query)).first()
    return (found[0], found[1]) if found is not None else (None, None)


async def users_of(session: AsyncSession, household_id: int) -> Sequence[HouseholdUser]:
    """The household's users, the first one first."""
    query = select(HouseholdUser).where(HouseholdUser.household_id == household_id).order_by(HouseholdUser.id)
    return (await session.scalars(query)).all()


async def tokens_of(session: AsyncSession, household_id: int) -> Sequence[tuple[HouseholdToken, HouseholdUser]]:
    """A household's tokens with their users, oldest first."""
    query = (
        select(HouseholdToken, HouseholdUser)
        .join(HouseholdUser, HouseholdUser.id == HouseholdToken.user_id)
        .where(HouseholdUser.household_id == household_id)
        .order_by(HouseholdToken.id)
    )
    return [(kept, user) for kept, user in await session.execute(query)]


async def revoke(session: AsyncSession, token_id: int, now: datetime, user_ids: Sequence[int] | None = None) -> bool:
    """Revoke a token, of one of these users if they are given. Returns whether an active one was revoked."""
    working = [HouseholdToken.id == token_id, HouseholdToken.revoked_at.is_(None)]
    if user_ids is not None:
        working.append(HouseholdToken.user_id.in_(user_ids))
    values = {"revoked_at": now}
    found = await session.scalar(update(HouseholdToken).where(*working).values(values).returning(HouseholdToken.id))
    return found is not None


async def households(session: AsyncSession) -> Sequence[Household]:
    """All households, oldest first."""
    return (await session.scalars(select(Household).order_by(Household.id))).all()


async def days_done_for(session: AsyncSession, participant: HouseholdParticipant) -> list[date]:
    """Days with an action for this participant and for no other member of the household."""
    completed = (
        TodoAction.household_id == participant.household_id,
        TodoAction.action_type == ActionType.COMPLETED,
        TodoAction.undone_at.is_(None),
    )
    theirs = Todo.participant_id == participant.id
    days = select(TodoAction.action_date).join(Todo, Todo.id == TodoAction.todo_id).where(*completed).distinct()
    mine = set(await session.scalars(days.where(theirs)))
    return sorted(mine - set(await session.scalars(days.where(~theirs))))


def _working_links(now: datetime) -> tuple[ColumnElement[bool], ...]:
    return (HouseholdLink.used_at.is_(None), HouseholdLink.expires_at > now)


async def link_with(session: AsyncSession, secret: str, now: datetime) -> HouseholdLink | None:
    """The link with that secret, if it still works."""
    same = HouseholdLink.digest == secret_digest(secret)
    return await session.scalar(select(HouseholdLink).where(same, *_working_links(now)))


async def claim_link(session: AsyncSession, secret: str, now: datetime) -> HouseholdLink | None:
    """Use a link. Only one request can; others get None."""
    same = HouseholdLink.digest == secret_digest(secret)
    claimed = update(HouseholdLink).where(same, *_working_links(now)).values(used_at=now)
    return await session.scalar(claimed.returning(HouseholdLink))


async def end_links_of(session: AsyncSession, user_id: int, now: datetime) -> None:
    """End the links that set this user's password."""
    theirs = (HouseholdLink.user_id == user_id, *_working_links(now))
    await session.execute(update(HouseholdLink).where(*theirs).values(used_at=now))


async def end_access_of(session: AsyncSession, user_id: int, now: datetime) -> None:
    """End the access that a user gave or got: tokens, password links, and invitations that they made."""
    theirs = (HouseholdToken.user_id == user_id, HouseholdToken.revoked_at.is_(None))
    await session.execute(update(HouseholdToken).where(*theirs).values(revoked_at=now))
    await end_links_of(session, user_id, now)
    await end_invitations_by(session, user_id, now)


async def end_invitations_by(session: AsyncSession, user_id: int, now: datetime) -> None:
    """End a user's unused invitations."""
    made = (HouseholdLink.made_by_id == user_id, *_working_links(now))
    await session.execute(update(HouseholdLink).where(*made).values(used_at=now))


async def forget_links(session: AsyncSession, household_id: int, now: datetime) -> None:
    """Delete a household's expired links."""
    mine = (HouseholdLink.household_id == household_id, HouseholdLink.expires_at <= now)
    await session.execute(delete(HouseholdLink).where(*mine))


async def invitations(session: AsyncSession, household_id: int, now: datetime) -> Sequence[HouseholdLink]:
    """Unused invitations."""
    mine = (HouseholdLink.household_id == household_id, HouseholdLink.user_id.is_(None))
    query = select(HouseholdLink).where(*mine, *_working_links(now)).order_by(HouseholdLink.id)
    return (await session.scalars(query)).all()


async def end_invitation(session: AsyncSession, household_id: int, link_id: int, now: datetime) -> bool:
    """End an invitation. Returns whether there was one."""
    mine = (HouseholdLink.id == link_id, HouseholdLink.household_id == household_id, HouseholdLink.user_id.is_(None))
    ended = update(HouseholdLink).where(*mine, *_working_links(now)).values(used_at=now)
    return await session.scalar(ended.returning(HouseholdLink.id)) is not None


async def waiting_for_links(session: AsyncSession) -> Sequence[HouseholdUser]:
    """Users who asked for a new password, longest waiting first."""
    asked = HouseholdUser.reset_asked_at
    return (await session.scalars(select(HouseholdUser).where(asked.is_not(None)).order_by(asked))).all()


async def with_a_claude_key(session: AsyncSession) -> Sequence[Household]:
    """Households with a Claude key, by id."""
    query = select(Household).where(Household.claude_key.is_not(None)).order_by(Household.id)
    return (await session.scalars(query)).all()


async def taking_part(session: AsyncSession) -> Sequence[Household]:
    """Households that take part in learning."""
    return (await session.scalars(select(Household).where(Household.learning_since.is_not(None)))).all()


async def logged_days(session: AsyncSession, household_id: int, since: date, before: date) -> Sequence[DaySelection]:
    """The days whose choice was logged, from `since` on, in their order."""
    logged = (
        DaySelection.household_id == household_id,
        DaySelection.day >= since,
        DaySelection.day < before,
        DaySelection.logged.is_not(None),
    )
    return (await session.scalars(select(DaySelection).where(*logged).order_by(DaySelection.day))).all()


async def completed_between(session: AsyncSession, household_id: int, first: date, last: date) -> set[tuple[date, int]]:
    """The days on which todos were completed, with the todos."""
    completed = (
        TodoAction.household_id == household_id,
        TodoAction.action_date.between(first, last),
        TodoAction.action_type == ActionType.COMPLETED,
        TodoAction.undone_at.is_(None),
    )
    rows = await session.execute(select(TodoAction.action_date, TodoAction.todo_id).where(*completed))
    return {(day, todo_id) for day, todo_id in rows}

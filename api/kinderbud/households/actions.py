"""Creates and changes households, people, tokens and links. Shared by commands and pages."""

import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncSession

from api.auth.cookies import new_secret, secret_digest
from api.kinderbud.auth import ADMIN, MEMBER, new_token
from api.kinderbud.households import queries, rules
from api.kinderbud.streaks.actions import uncount_day
from api.models import Household, HouseholdLink, HouseholdParticipant, HouseholdToken, HouseholdUser
from api.time_zones import local_date

FOLDS = 3
"""A household in the learning data belongs at random, for all exports, to training (1, 2) or evaluation (0)."""


LINK_WORKS_FOR = timedelta(days=7)
"""How long a single-use link works."""
MOST_INVITATIONS = 10
"""Open ones of one household."""
MOST_TOKENS = 50
"""Tokens of one user that work."""


class EmailTaken(ValueError):
    """Another user has this address."""


class InvitationUnknown(Exception):
    """There is no such invitation, or it was used."""


class TooManyInvitations(Exception):
    """The household has the most open invitations."""


class TokenRefused(ValueError):
    """The user has an active token of this name, as after a double submit; or has too many tokens."""


@dataclass(frozen=True)
class Person:
    """A user with a login."""

    name: str
    email: str


@dataclass(frozen=True)
class Child:
    """A child: name and birthday."""

    name: str
    birthday: date


async def create_household(
    session: AsyncSession,
    name: str,
    users: Sequence[Person],
    children: Sequence[Child],
    time_zone: str,
    daily_task_count: int,
    now: datetime,
) -> Household:
    """Create a household; its first user is its admin. Raises InvalidHousehold, EmailTaken."""
    household = Household(
        name=rules.checked_name(name),
        time_zone=rules.checked_time_zone(time_zone),
        daily_task_count=rules.checked_count(daily_task_count),
        created_at=now,
    )
    session.add(household)
    await session.flush()
    for child in children:
        await add_child(session, household, child, now)
    for place, user in enumerate(users):
        await add_user(session, household, user, MEMBER if place else ADMIN, now)
    return household


async def found_family(
    session: AsyncSession, name: str, person: Person, time_zone: str, password_hash: str, now: datetime
) -> HouseholdUser:
    """Create a household for a person who signs up. Returns the person's user. Raises InvalidHousehold, EmailTaken."""
    made = await create_household(session, name, [person], [], time_zone, rules.DEFAULT_DAILY_TASKS, now)
    user = (await queries.users_of(session, made.id))[0]
    user.password_hash = password_hash
    return user


async def join_family(
    session: AsyncSession, secret: str, person: Person, password_hash: str, now: datetime
) -> HouseholdUser:
    """Use an invitation, once. Returns the new user. Raises InvitationUnknown, InvalidHousehold, EmailTaken."""
    link = await queries.claim_link(session, secret, now)
    invites = link is not None and link.user_id is None
    household = await queries.household_of(session, link.household_id) if link is not None and invites else None
    if household is None:
        raise InvitationUnknown
    user = await add_user(session, household, person, MEMBER, now)
    user.password_hash = password_hash
    return user


async def add_child_once(session: AsyncSession, household: Household, child: Child, now: datetime) -> None:
    """Add a child, unless one has this name and birthday. The household is locked. Raises InvalidHousehold."""
    there = await queries.participants_of(session, household.id)
    if (" ".join(child.name.split()), child.birthday) not in {(one.name, one.birthday) for one in there}:
        await add_child(session, household, child, now)


async def add_child(session: AsyncSession, household: Household, child: Child, now: datetime) -> HouseholdParticipant:
    """Add a child to the household. Raises InvalidHousehold."""
    there = await queries.participants_of(session, household.id)
    if sum(not one.is_adult for one in there) >= rules.MOST_CHILDREN:
        raise rules.InvalidHousehold(f"a household has at most {rules.MOST_CHILDREN} children")
    today = local_date(now, household.time_zone)
    birthday = rules.checked_birthday(child.birthday, today)
    name = rules.checked_name(child.name)
    added = HouseholdParticipant(household_id=household.id, name=name, is_adult=False, birthday=birthday)
    session.add(added)
    await session.flush()
    return added


async def change_child(
    session: AsyncSession, household: Household, participant: HouseholdParticipant, child: Child, now: datetime
) -> None:
    """Change a name or birthday. Stages follow the birthday when the day is next requested. Raises InvalidHousehold."""
    today = local_date(now, household.time_zone)
    participant.name = rules.checked_name(child.name)
    participant.birthday = rules.checked_birthday(child.birthday, today)
    await session.flush()


async def remove_participant(session: AsyncSession, participant: HouseholdParticipant) -> None:
    """Remove a participant with their plans, todos and actions. An adult's user is removed too. The household is
    locked.
    """
    days = await queries.days_done_for(session, participant)
    await session.delete(participant)
    await session.flush()
    for day in days:
        await uncount_day(session, participant.household_id, day)


async def add_user(
    session: AsyncSession, household: Household, person: Person, role: str, now: datetime
) -> HouseholdUser:
    """Add a user with a login, and their adult participant. Raises InvalidHousehold, EmailTaken."""
    name, email = rules.checked_name(person.name), rules.checked_email(person.email)
    if await queries.user_with_email(session, email) is not None:
        raise EmailTaken("this e-mail address is already in use")
    adult = HouseholdParticipant(household_id=household.id, name=name, is_adult=True, birthday=None)
    session.add(adult)
    await session.flush()
    user = HouseholdUser(
        household_id=household.id,
        participant_id=adult.id,
        display_name=name,
        email=email,
        role=role,
        created_at=now,
    )
    try:
        async with session.begin_nested():
            session.add(user)
    except IntegrityError as error:  # another request was faster
        raise EmailTaken("this e-mail address is already in use") from error
    return user


async def leave(session: AsyncSession, user: HouseholdUser, *, everything: bool) -> bool:
    """Remove a member with what is theirs; or, for an admin who says so, the whole household. Returns whether anything
    was deleted. The household is locked.
    """
    if user.role == ADMIN:
        if everything:
            await delete_household(session, user.household_id)
        return everything
    await remove_participant(session, await session.get_one(HouseholdParticipant, user.participant_id))
    return True


async def delete_household(session: AsyncSession, household_id: int) -> bool:
    """Delete a household with all its rows. Returns whether there was one."""
    household = await queries.household_of(session, household_id)
    if household is None:
        return False
    await session.delete(household)
    await session.flush()
    return True


async def make_token(
    session: AsyncSession, user: HouseholdUser, name: str, now: datetime
) -> tuple[HouseholdToken, str]:
    """Create a token. Returns the row and the token itself, which is not stored. Raises InvalidHousehold."""
    token = new_token()
    kept = HouseholdToken(user_id=user.id, name=rules.checked_name(name), digest=secret_digest(token), created_at=now)
    session.add(kept)
    await session.flush()
    return kept, token


async def make_named_token(session: AsyncSession, user: HouseholdUser, name: str, now: datetime) -> str:
    """Create a token whose name tells it from the user's others. Returns the token. The household is locked. Raises
    TokenRefused, InvalidHousehold.
    """
    found = await queries.tokens_of(session, user.household_id)
    working = [kept for kept, owner in found if kept.revoked_at is None and owner.id == user.id]
    if rules.checked_name(name) in {kept.name for kept in working}:
        raise TokenRefused("you have a token with this name; choose another name, or revoke that one")
    if len(working) >= MOST_TOKENS:
        raise TokenRefused("you have too many tokens; revoke those that you do not need")
    return (await make_token(session, user, name, now))[1]


async def invite(session: AsyncSession, admin: HouseholdUser, now: datetime) -> str:
    """Invite one person into the admin's household. Returns the link's secret. The household is locked. Raises
    TooManyInvitations.
    """
    waiting = await queries.invitations(session, admin.household_id, now)
    if len(waiting) >= MOST_INVITATIONS:
        raise TooManyInvitations
    return (await make_link(session, admin.household_id, now, made_by=admin))[1]


async def make_link(
    session: AsyncSession,
    household_id: int,
    now: datetime,
    user: HouseholdUser | None = None,
    *,
    made_by: HouseholdUser | None = None,
    works_for: timedelta = LINK_WORKS_FOR,
) -> tuple[HouseholdLink, str]:
    """Create a single-use link and return its secret. With a `user` it sets a new password for them, and earlier links
    end. Without, it invites one person into the household, in the name of the admin who made it.
    """
    if user is not None:
        await queries.end_links_of(session, user.id, now)
        user.reset_asked_at = None
    await queries.forget_links(session, household_id, now)
    secret = new_secret()
    kept = HouseholdLink(
        household_id=household_id,
        user_id=user.id if user else None,
        made_by_id=made_by.id if made_by else None,
        digest=secret_digest(secret),
        created_at=now,
        expires_at=now + works_for,
    )
    session.add(kept)
    await session.flush()
    return kept, secret


async def user_with_id(session: AsyncSession, user_id: int) -> HouseholdUser:
    """A user that must exist."""
    return await session.get_one(HouseholdUser, user_id)


def change(
    household: Household,
    now: datetime,
    *,
    name: str | None = None,
    time_zone: str | None = None,
    daily_task_count: int | None = None,
    learning: bool | None = None,
) -> None:
    """Change the given values. Raises InvalidHousehold."""
    if name is not None:
        household.name = rules.checked_name(name)
    if time_zone is not None:
        household.time_zone = rules.checked_time_zone(time_zone)
    if daily_task_count is not None:
        household.daily_task_count = rules.checked_count(daily_task_count)
    if learning is not None and learning != (household.learning_since is not None):
        household.learning_since = now if learning else None
        if household.learning_fold is None:
            household.learning_fold = secrets.randbelow(FOLDS)

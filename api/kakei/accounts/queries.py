"""Queries on users and profiles."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, ScalarSelect, Select, bindparam, func, or_, select
from sqlalchemy.ext.asyncio import AsyncSession

from api.db.engine import WRITES
from api.db.prepared import Prepared
from api.db.upsert import insert_into
from api.http.user_ids import canonical_id
from api.models import IncomeRange, PointEntry, Profile, User


def _by_lock(query: Select[User]) -> tuple[Select[User], Select[User], Select[User]]:
    """The query without a lock, with one against erasure, and with one against all other writers."""
    return query, query.with_for_update(read=True, key_share=True), query.with_for_update()


_USER = _by_lock(select(User).where(User.uuid == bindparam("uuid")))
_TWIN = _by_lock(
    select(User)
    .where(or_(User.uuid == bindparam("uuid"), User.uuid == bindparam("sent")))
    .order_by(User.uuid != bindparam("sent"))
    .limit(1)
)
"""The user with exactly the sent spelling comes first: earlier versions compared case and could create two."""


def id_of(uuid: ColumnElement[str], sent: ColumnElement[str]) -> ScalarSelect[int]:
    """The id of the user with that id, canonical and as it was sent, as a part of a statement."""
    either = select(User.id).where(or_(User.uuid == uuid, User.uuid == sent))
    return either.order_by(User.uuid != sent).limit(1).scalar_subquery()


async def user_by_uuid(session: AsyncSession, uuid: str, *, for_update: bool = False) -> User | None:
    """The user with that id; UUIDs ignore case. In a writing session the user cannot be erased before it ends, so that
    no row loses its owner. `for_update` also blocks other transactions that write for this user."""
    uuid, sent = canonical_id(uuid), uuid
    plain, kept, only = _USER if uuid == sent else _TWIN
    query = only if for_update else kept if WRITES in session.info else plain
    return await session.scalar(query, {"uuid": uuid} if uuid == sent else {"uuid": uuid, "sent": sent})


@dataclass(frozen=True, slots=True)
class Writer:
    """A user who writes, and what writes need of the profile; None where there is none."""

    id: int
    uuid: str
    time_zone: str | None
    currency: str | None
    coach_style: int | None
    budget_cycle_start_day: int | None


_OF_PROFILE = (Profile.time_zone, Profile.currency, Profile.coach_style, Profile.budget_cycle_start_day)
WRITER = (User.id, User.uuid, *_OF_PROFILE)
"""The columns of a `Writer`."""
_BY_UUID, _BY_EITHER = (
    Prepared(
        lambda _, query=query: (  # type: ignore[misc]
            query.with_only_columns(*WRITER)
            .outerjoin(Profile, Profile.user_id == User.id)
            .with_for_update(read=True, key_share=True, of=User)
        )
    )
    for query in (_USER[0], _TWIN[0])
)


async def writer_by_uuid(session: AsyncSession, uuid: str) -> Writer | None:
    """The same as `user_by_uuid` in a writing session, with the profile. The consent in force is not read here: only a
    later statement sees what a transaction committed for which this one waited."""
    uuid, sent = canonical_id(uuid), uuid
    row = await (_BY_UUID if uuid == sent else _BY_EITHER).row(session, uuid=uuid, sent=sent)
    return None if row is None else Writer(*row)


async def create_user(session: AsyncSession, uuid: str, now: datetime) -> bool:
    """Create the user. Returns True for exactly one of several concurrent calls. `uuid` is canonical."""
    insert = (
        insert_into(session, User).values(uuid=uuid, created_at=now).on_conflict_do_nothing(index_elements=["uuid"])
    )
    return (await session.scalar(insert.returning(User.id))) is not None


async def income_ranges(session: AsyncSession) -> list[IncomeRange]:
    return list(await session.scalars(select(IncomeRange).order_by(IncomeRange.id)))


async def is_income_range(session: AsyncSession, income_range_id: int) -> bool:
    return await session.get(IncomeRange, income_range_id) is not None


async def profile_of(session: AsyncSession, user_id: int) -> Profile | None:
    return await session.get(Profile, user_id)


async def put_profile(session: AsyncSession, user_id: int, values: dict[str, Any]) -> None:
    """Create the profile, or replace it completely."""
    insert = insert_into(session, Profile).values(user_id=user_id, **values)
    await session.execute(insert.on_conflict_do_update(index_elements=["user_id"], set_=values))


async def total_points(session: AsyncSession, user_id: int) -> int:
    total = await session.scalar(
        select(func.coalesce(func.sum(PointEntry.points), 0)).where(PointEntry.user_id == user_id)
    )
    return int(total or 0)

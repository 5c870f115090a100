"""Queries on responses, reflections, events and snapshots."""

from typing import Any

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from api.db.upsert import Latest, Upserted, effective_time_of, insert_into
from api.models import AppEvent, ProgressSnapshot, Reflection, Response

_SNAPSHOTS = Latest(ProgressSnapshot, ("user_id", "month"))


async def add_once(
    session: AsyncSession, table: type[Response] | type[AppEvent] | type[Reflection], values: dict[str, Any]
) -> bool:
    """Add the row. Returns False if the person already has one with the same fingerprint."""
    insert = insert_into(session, table).values(**values)
    insert = insert.on_conflict_do_nothing(index_elements=["user_id", "fingerprint"])
    return await session.scalar(insert.returning(table.id)) is not None


async def put_snapshot(session: AsyncSession, values: dict[str, Any]) -> Upserted[ProgressSnapshot]:
    """Store the snapshot of a month unless a later one is there."""
    return await _SNAPSHOTS.put(session, values)


async def latest_response(
    session: AsyncSession, user_id: int, instrument_key: str, phase: str, period: str
) -> Response | None:
    """The current answers to an instrument in a phase and period: those with the latest effective time; among equal
    times, the last to arrive."""
    same = (Response.instrument_key == instrument_key, Response.phase == phase, Response.period == period)
    query = select(Response).where(Response.user_id == user_id, *same)
    return await session.scalar(query.order_by(effective_time_of(Response).desc(), Response.id.desc()).limit(1))


async def response(session: AsyncSession, user_id: int, fingerprint: str) -> Response:
    """The response with that fingerprint, which must exist."""
    same = (Response.user_id == user_id, Response.fingerprint == fingerprint)
    return (await session.scalars(select(Response).where(*same))).one()


async def reflection(session: AsyncSession, user_id: int, fingerprint: str) -> Reflection:
    """The reflection with that fingerprint, which must exist."""
    same = (Reflection.user_id == user_id, Reflection.fingerprint == fingerprint)
    return (await session.scalars(select(Reflection).where(*same))).one()

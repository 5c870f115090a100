"""Responses, reflections, events and snapshots in the database."""

from typing import Any

from sqlalchemy import func, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from api.kakei.accounts.queries import insert_into
from api.models import AppEvent, ProgressSnapshot, Reflection, Response


async def add_once(
    session: AsyncSession, table: type[Response] | type[AppEvent] | type[Reflection], values: dict[str, Any]
) -> bool:
    """Whether the row is new: one with the same fingerprint of the same person came before."""
    insert = insert_into(session, table).values(**values)
    insert = insert.on_conflict_do_nothing(index_elements=["user_id", "fingerprint"])
    return await session.scalar(insert.returning(table.id)) is not None


async def latest_response(
    session: AsyncSession, user_id: int, instrument_key: str, phase: str, period: str
) -> Response | None:
    """What was last received as answers to an instrument in a phase and period."""
    same = (Response.instrument_key == instrument_key, Response.phase == phase, Response.period == period)
    query = select(Response).where(Response.user_id == user_id, *same)
    return await session.scalar(query.order_by(Response.received_at.desc(), Response.id.desc()).limit(1))


async def response(session: AsyncSession, user_id: int, fingerprint: str) -> Response:
    """The response with that fingerprint, which must be there."""
    same = (Response.user_id == user_id, Response.fingerprint == fingerprint)
    return (await session.scalars(select(Response).where(*same))).one()


async def reflection(session: AsyncSession, user_id: int, fingerprint: str) -> Reflection:
    """The reflection with that fingerprint, which must be there."""
    same = (Reflection.user_id == user_id, Reflection.fingerprint == fingerprint)
    return (await session.scalars(select(Reflection).where(*same))).one()


async def put_snapshot(session: AsyncSession, user_id: int, month: str, values: dict[str, Any]) -> bool:
    """Create the snapshot of a month, or replace it whole unless a later one is there. True where it is new."""
    insert = insert_into(session, ProgressSnapshot).values(user_id=user_id, month=month, **values)
    insert = insert.on_conflict_do_nothing(index_elements=["user_id", "month"])
    if await session.scalar(insert.returning(ProgressSnapshot.id)) is not None:
        return True
    same = (ProgressSnapshot.user_id == user_id, ProgressSnapshot.month == month)
    stored = func.coalesce(ProgressSnapshot.client_timestamp, ProgressSnapshot.received_at)
    sent = values["client_timestamp"] or values["received_at"]
    await session.execute(update(ProgressSnapshot).where(*same, stored <= sent).values(**values))
    return False


async def snapshot(session: AsyncSession, user_id: int, month: str) -> ProgressSnapshot:
    """The snapshot of a month, which must be there."""
    same = (ProgressSnapshot.user_id == user_id, ProgressSnapshot.month == month)
    return (await session.scalars(select(ProgressSnapshot).where(*same))).one()

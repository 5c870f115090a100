"""Queries on summaries."""

from typing import Any

from sqlalchemy import ColumnElement, bindparam, select, tuple_
from sqlalchemy.ext.asyncio import AsyncSession

from api.db.upsert import Latest, Upserted
from api.kakei.challenges.queries import lock_badges
from api.kakei.consent.queries import id_in_force
from api.models import MonthlySummary, WeeklySummary

_CONSENT = {"consent_id": id_in_force(bindparam("user_id"))}
_WEEKS = Latest(WeeklySummary, ("user_id", "month_key", "week_key"), _CONSENT, lock_badges(WeeklySummary.user_id))
_MONTHS = Latest(MonthlySummary, ("user_id", "month_key"), _CONSENT, lock_badges(MonthlySummary.user_id))


async def put_week(session: AsyncSession, values: dict[str, Any]) -> Upserted[WeeklySummary]:
    """Store a weekly summary under the consent in force, unless a later one is there. What follows in the transaction
    sees all badges of transactions before it."""
    return await _WEEKS.put(session, values)


async def put_month(session: AsyncSession, values: dict[str, Any]) -> Upserted[MonthlySummary]:
    """The same for a monthly summary."""
    return await _MONTHS.put(session, values)


async def summary_at[T: (WeeklySummary, MonthlySummary)](
    session: AsyncSession, table: type[T], key: dict[str, int]
) -> T | None:
    return await session.scalar(select(table).where(*(getattr(table, name) == value for name, value in key.items())))


async def page_of[T: (WeeklySummary, MonthlySummary)](
    session: AsyncSession,
    table: type[T],
    user_id: int,
    months: tuple[int | None, int | None],
    before: tuple[int, ...] | None,
    limit: int,
) -> list[T]:
    """At most `limit` summaries before a key, newest first, in a range of months (both ends included)."""
    order: list[ColumnElement[Any]] = [table.month_key]  # type: ignore[list-item]
    if issubclass(table, WeeklySummary):
        order.append(table.week_key)  # type: ignore[arg-type]
    query = select(table).where(table.user_id == user_id)
    if months[0] is not None:
        query = query.where(table.month_key >= months[0])
    if months[1] is not None:
        query = query.where(table.month_key <= months[1])
    if before is not None:
        query = query.where(tuple_(*order) < tuple_(*before))
    return list(await session.scalars(query.order_by(*(column.desc() for column in order)).limit(limit)))

"""Queries on summaries."""

from typing import Any

from sqlalchemy import ColumnElement, select, tuple_
from sqlalchemy.ext.asyncio import AsyncSession

from api.models import MonthlySummary, WeeklySummary


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

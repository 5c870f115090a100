"""Summaries in the database."""

from typing import Any

from sqlalchemy import ColumnElement, func, select, tuple_, update
from sqlalchemy.ext.asyncio import AsyncSession

from api.kakei.accounts.queries import insert_into
from api.models import MonthlySummary, WeeklySummary


async def put_summary[T: (WeeklySummary, MonthlySummary)](
    session: AsyncSession, table: type[T], key: dict[str, int], values: dict[str, Any]
) -> tuple[T, bool]:
    """Create the summary under `key`, or replace it whole unless a later one is there: what is stored then, and whether
    it is new."""
    insert = insert_into(session, table).values(**key, **values).on_conflict_do_nothing(index_elements=list(key))
    created = await session.scalar(insert.returning(table))
    if created is not None:
        return created, True
    same = [getattr(table, name) == value for name, value in key.items()]
    stored = func.coalesce(table.client_timestamp, table.received_at)
    sent = values["client_timestamp"] or values["received_at"]
    replaced = await session.scalar(update(table).where(*same, stored <= sent).values(**values).returning(table))
    return replaced or (await session.scalars(select(table).where(*same))).one(), False


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
    """At most `limit` summaries, newest first, of the months from and to (both included), before a key."""
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

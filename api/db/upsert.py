"""Uploads that replace earlier ones: the latest client time wins; without one, the latest arrival.

The stored columns hold the times as sent and received. The comparison uses the effective time, which is computed from
both (`api.clock.effective_time`). So a row that an earlier version stored with a future time is replaced, too.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, select, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.functions import FunctionElement

from api.clock import CLOCK_TOLERANCE, effective_time
from api.models.base import Moment

TOLERANCE_SECONDS = int(CLOCK_TOLERANCE.total_seconds())
UNTIL_SECONDS = 19
"""Length of a moment in SQLite up to the seconds; the microseconds follow."""


class EffectiveTime(FunctionElement[datetime]):
    """`api.clock.effective_time` in SQL, exact to the microsecond."""

    name = "effective_time"
    inherit_cache = True
    type = Moment()


@compiles(EffectiveTime, "postgresql")
def _on_postgresql(element: EffectiveTime, compiler: SQLCompiler, **options: Any) -> str:
    claimed, received = (compiler.process(clause, **options) for clause in element.clauses)
    bound = f"{received} + INTERVAL '{TOLERANCE_SECONDS} seconds'"
    return f"CASE WHEN {claimed} > {bound} THEN {received} ELSE coalesce({claimed}, {received}) END"


@compiles(EffectiveTime, "sqlite")
def _on_sqlite(element: EffectiveTime, compiler: SQLCompiler, **options: Any) -> str:
    """In SQLite, moments are text of equal length, so that they compare as text."""
    claimed, received = (compiler.process(clause, **options) for clause in element.clauses)
    seconds = f"datetime(substr({received}, 1, {UNTIL_SECONDS}), '+{TOLERANCE_SECONDS} seconds')"
    bound = f"{seconds} || substr({received}, {UNTIL_SECONDS + 1})"
    return f"CASE WHEN {claimed} > {bound} THEN {received} ELSE coalesce({claimed}, {received}) END"


def effective_time_of(table: type[Any]) -> ColumnElement[datetime]:
    """The effective time of a table's rows."""
    return EffectiveTime(table.client_timestamp, table.received_at)


def insert_into(session: AsyncSession, table: Any) -> Any:
    """An INSERT with ON CONFLICT support in the session's dialect."""
    dialect = session.get_bind().dialect.name
    return (sqlite if dialect == "sqlite" else postgresql).insert(table)


@dataclass(frozen=True)
class Upserted[T]:
    """The stored row after an upload; `applied` is false if a later row was already stored."""

    row: T
    new: bool
    applied: bool


async def put_latest[T](
    session: AsyncSession, table: type[T], key: dict[str, Any], values: dict[str, Any]
) -> Upserted[T]:
    """Create the row under `key`, or replace it completely unless the stored one is later. At equal times the later
    arrival wins, so that a repeated upload changes only `received_at`."""
    insert = insert_into(session, table).values(**key, **values).on_conflict_do_nothing(index_elements=list(key))
    created = await session.scalar(insert.returning(table))
    if created is not None:
        return Upserted(created, new=True, applied=True)
    same = [getattr(table, name) == value for name, value in key.items()]
    sent = effective_time(values["client_timestamp"], values["received_at"])
    replace = update(table).where(*same, effective_time_of(table) <= sent).values(**values).returning(table)
    replaced = await session.scalar(replace)
    if replaced is not None:
        return Upserted(replaced, new=False, applied=True)
    return Upserted((await session.scalars(select(table).where(*same))).one(), new=False, applied=False)

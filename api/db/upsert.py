"""Uploads that replace earlier ones: the latest client time wins; without one, the latest arrival.

The stored columns hold the times as sent and received. The comparison uses the effective time, which is computed from
both (`api.clock.effective_time`). So a row that an earlier version stored with a future time is replaced, too.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, bindparam, inspect, select, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.functions import FunctionElement

from api.clock import CLOCK_TOLERANCE, effective_time
from api.db.prepared import Prepared
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
    return insert_for(session.get_bind().dialect.name, table)


def insert_for(dialect: str, table: Any) -> Any:
    """The same in the dialect of that name."""
    return (sqlite if dialect == "sqlite" else postgresql).insert(table)


@dataclass(frozen=True)
class Upserted[T]:
    """The stored row after an upload; `applied` is false if a later row was already stored."""

    row: T
    new: bool
    applied: bool


class Latest[T]:
    """The uploads of one table: of each `key`, the latest is stored.

    `computed` are columns that the database fills in. `also` makes further columns that a new row returns, for a
    dialect. A returned row has the attributes of the table's.
    """

    def __init__(
        self,
        table: type[T],
        key: tuple[str, ...],
        computed: Mapping[str, Any] | None = None,
        also: Callable[[str], list[Any]] = lambda _: [],
    ) -> None:
        columns: Sequence[str] = [name for name in inspect(table).columns.keys() if name != "id"]  # noqa: SIM118
        values = {name: bindparam(name) for name in columns} | dict(computed or {})
        replaced = {name: value for name, value in values.items() if name not in key}
        same = [getattr(table, name) == bindparam(name) for name in key]
        stored = [getattr(table, name) for name in ("id", *columns)]
        self._insert = Prepared(
            lambda dialect: (
                insert_for(dialect, table)
                .values(values)
                .on_conflict_do_nothing(index_elements=list(key))
                .returning(*stored, *also(dialect))
            )
        )
        self._replace = Prepared(
            lambda _: (
                update(table)
                .where(*same, effective_time_of(table) <= bindparam("sent"))
                .values(replaced)
                .returning(*stored)
            )
        )
        self._select = Prepared(lambda _: select(*stored).where(*same))

    async def put(self, session: AsyncSession, values: dict[str, Any]) -> Upserted[T]:
        """Create the row, or replace it completely unless the stored one is later. At equal times the later arrival
        wins, so that a repeated upload changes only `received_at`."""
        created = await self._insert.row(session, **values)
        if created is not None:
            return Upserted(created, new=True, applied=True)
        sent = effective_time(values["client_timestamp"], values["received_at"])
        replaced = await self._replace.row(session, sent=sent, **values)
        if replaced is not None:
            return Upserted(replaced, new=False, applied=True)
        return Upserted(await self._select.row(session, **values), new=False, applied=False)

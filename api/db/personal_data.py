"""Finds all stored data of a person or a household, to read and to erase it.

It follows the foreign keys of the tables, so that new tables are included automatically.
"""

from collections.abc import Collection
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import Column, ColumnElement, ForeignKey, Table, delete, select
from sqlalchemy.ext.asyncio import AsyncSession

from api.clock import timestamp
from api.models import Base

type Rows = list[dict[str, Any]]


def tables_of(root: Table) -> dict[Table, Column[Any]]:
    """All tables whose rows belong to a row of `root`, directly or through another such table, with the column that
    refers to the parent; parents first."""
    found: dict[Table, Column[Any]] = {}
    for table in Base.metadata.sorted_tables:
        keys = [key for column in table.columns for key in column.foreign_keys if key.ondelete == "CASCADE"]
        direct = [key for key in keys if key.column.table is root]
        for key in direct or [key for key in keys if key.column.table in found]:
            found.setdefault(table, key.parent)
    return found


def belonging(root: Table, row_id: int, table: Table) -> ColumnElement[bool]:
    """The condition for rows of `table` that belong to the row of `root` with that id."""
    owner = tables_of(root)[table]
    key: ForeignKey = next(iter(owner.foreign_keys))
    if key.column.table is root:
        return owner == row_id
    return owner.in_(select(key.column).where(belonging(root, row_id, key.column.table)))


async def rows_of(session: AsyncSession, root: Table, row_id: int, hidden: Collection[str] = ()) -> dict[str, Rows]:
    """All rows that belong to a row of `root`, by table, ready for JSON. `hidden` columns only say whether they have a
    value."""
    found: dict[str, Rows] = {}
    for table, owner in tables_of(root).items():
        is_direct = next(iter(owner.foreign_keys)).column.table is root
        query = select(table).where(belonging(root, row_id, table)).order_by(*table.primary_key)
        found[table.name] = [
            {
                name: value is not None if name in hidden else plain(value)
                for name, value in row._mapping.items()
                if not is_direct or name != owner.name
            }
            for row in await session.execute(query)
        ]
    return found


async def delete_rows_of(session: AsyncSession, root: Table, row_id: int) -> dict[str, int]:
    """Delete all rows that belong to a row of `root`. Returns their number by table."""
    counts = {}
    for table in reversed(tables_of(root)):
        gone = await session.execute(delete(table).where(belonging(root, row_id, table)))
        counts[table.name] = int(gone.rowcount)  # type: ignore[attr-defined]
    return counts


def plain(value: Any) -> Any:
    """A column's value as a JSON type."""
    match value:
        case datetime():
            return timestamp(value)
        case date():
            return value.isoformat()
        case Decimal():
            return float(value)
        case bytes():
            return value.decode(errors="replace")
    return value

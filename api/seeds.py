"""Seeds the catalogue from data/catalog: again and again, and never over what an operator has edited."""

import hashlib
import json
from decimal import Decimal
from typing import Any

from sqlalchemy import Connection, Table, insert, select, update

from api.models import Base
from data.catalog import catalogue

SEEDED = ("income_ranges", "badges", "challenge_templates")


def seed(connection: Connection) -> None:
    """Add what is missing, and bring up to date the rows that nobody edited since they were seeded."""
    for name in SEEDED:
        table = Base.metadata.tables[name]
        there = {row.id: dict(row._mapping) for row in connection.execute(select(table))}
        for entry in catalogue(name):
            values = {column: _stored(entry[column]) for column in _columns(table)}
            fresh = values | {"seeded": _digest(values)}
            if entry["id"] not in there:
                connection.execute(insert(table).values(id=entry["id"], **fresh))
                continue
            row = there[entry["id"]]
            untouched = row["seeded"] == _digest({column: row[column] for column in values})
            if untouched and row["seeded"] != fresh["seeded"]:
                connection.execute(update(table).where(table.c.id == entry["id"]).values(**fresh))


def _columns(table: Table) -> list[str]:
    return [column.name for column in table.columns if column.name not in {"id", "seeded"}]


def _stored(value: Any) -> Any:
    return Decimal(str(value)) if isinstance(value, float) else value


def _digest(values: dict[str, Any]) -> str:
    """The same for what a file says and for what a database gives back of it: numbers by value, not by type."""
    plain = {name: f"{value:.2f}" if isinstance(value, Decimal | int) else value for name, value in values.items()}
    return hashlib.sha256(json.dumps(plain, sort_keys=True).encode()).hexdigest()

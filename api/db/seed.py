"""Seeds the catalog from data/catalog. It may run repeatedly, and does not overwrite an operator's edits."""

import hashlib
import json
from decimal import Decimal
from typing import Any

from sqlalchemy import Column, Connection, Table, insert, select, update

from api.models import Base
from api.models.base import Amount
from data.catalog import catalog
from data.catalog.guides import guides

RETIRED = "retired"
"""Replaces the digest of a retired row: if the row returns to the catalog, it is updated."""
SEEDED = ("income_ranges", "badges", "challenge_templates")
OF_ITEM = ("category", "title", "area", "description", "how_to", "frequency", "minutes", "by_months")


def seed(connection: Connection) -> None:
    """Add missing rows, and update rows that were not edited since they were seeded."""
    for name in SEEDED:
        table = Base.metadata.tables[name]
        seeding = _Seeding(connection, table, ("id",))
        for entry in catalog(name):
            values = {column.name: _stored(column, entry[column.name]) for column in _columns(table)}
            seeding.bring({"id": entry["id"]}, values)
    _seed_guides(connection)


def _seed_guides(connection: Connection) -> None:
    tables = Base.metadata.tables
    guide_rows = _Seeding(connection, tables["guides"], ("key",))
    stage_rows = _Seeding(connection, tables["guide_stages"], ("guide_id", "stage_key"))
    item_rows = _Seeding(connection, tables["guide_items"], ("stage_id", "item_key"))
    for guide in guides():
        citations = {source.key: source.citation for source in guide.source}
        told = {name: getattr(guide, name) for name in ("title", "short_title", "description", "color", "for_adults")}
        guide_id = guide_rows.bring({"key": guide.key}, told | {"source_type": "default"})
        for place, stage in enumerate(guide.stages):
            told = {name: getattr(stage, name) for name in ("name", "age_start_months", "age_end_months", "goals")}
            told["retired"] = False
            stage_id = stage_rows.bring({"guide_id": guide_id, "stage_key": stage.key}, told | {"position": place})
            for position, item in enumerate(stage.item):
                told = {name: getattr(item, name) for name in OF_ITEM}
                sources = " ".join(citations[key] for key in item.sources)
                told |= {
                    "retired": False,
                    "evidence_summary": f"{item.evidence_summary} [{sources}]",
                    "position": position,
                }
                item_rows.bring_leaf({"stage_id": stage_id, "item_key": item.key}, told)
    item_rows.insert_leaves()
    for rows in (stage_rows, item_rows):
        rows.retire()
    plans, grown = tables["plans"], {key["stage_id"] for key in item_rows.added}
    connection.execute(update(plans).where(plans.c.stage_id.in_(grown)).values(stage_id=None))  # to get their todos


class _Seeding:
    """Seeds one table whose rows are identified by `key`; it reads the stored rows once."""

    def __init__(self, connection: Connection, table: Table, key: tuple[str, ...]) -> None:
        self._connection, self._table, self._key = connection, table, key
        rows = [dict(row._mapping) for row in connection.execute(select(table))]
        self._there = {tuple(row[name] for name in key): row for row in rows}
        self.added: list[dict[str, Any]] = []
        self._leaves: list[dict[str, Any]] = []
        self._brought: set[tuple[Any, ...]] = set()

    def bring(self, key: dict[str, Any], values: dict[str, Any]) -> int:
        """Add the row, or update it if it was not edited. Returns its id."""
        known, row = self._known(key, values)
        if known is not None:
            return known
        return int(self._connection.execute(insert(self._table).values(**row).returning(self._table.c.id)).scalar_one())

    def bring_leaf(self, key: dict[str, Any], values: dict[str, Any]) -> None:
        """The same for a row that no other row refers to: `insert_leaves` inserts it later."""
        known, row = self._known(key, values)
        if known is None:
            self._leaves.append(row)

    def insert_leaves(self) -> None:
        """Insert all leaves (hundreds) in one statement."""
        if self._leaves:
            self._connection.execute(insert(self._table), self._leaves)

    def _known(self, key: dict[str, Any], values: dict[str, Any]) -> tuple[int | None, dict[str, Any]]:
        """The row's id if it is stored, updated if it was not edited; and the row as it should be."""
        fresh = values | {"seeded": _digest(values)}
        there = self._there.get(tuple(key.values()))
        self._brought.add(tuple(key.values()))
        if there is None:
            self.added.append(key)
            return None, key | fresh
        untouched = there["seeded"] in {RETIRED, _digest({column: there[column] for column in values})}
        if untouched and there["seeded"] != fresh["seeded"]:
            self._connection.execute(update(self._table).where(self._table.c.id == there["id"]).values(**fresh))
        return int(there["id"]), key | fresh

    def retire(self) -> None:
        """Retire the rows that were seeded earlier and are not in the catalog now; they are not offered."""
        gone = [row["id"] for key, row in self._there.items() if row["seeded"] and key not in self._brought]
        retired = update(self._table).where(self._table.c.id.in_(gone)).values(retired=True, seeded=RETIRED)
        self._connection.execute(retired)


def _columns(table: Table) -> list[Column[Any]]:
    return [column for column in table.columns if column.name not in {"id", "seeded"}]


def _stored(column: Column[Any], value: Any) -> Any:
    return Decimal(str(value)) if isinstance(column.type, Amount) else value


def _digest(values: dict[str, Any]) -> str:
    """A digest that is equal for the values of a file and of a database: numbers count by value, not by type."""
    plain = {name: f"{value:.2f}" if isinstance(value, Decimal | int) else value for name, value in values.items()}
    return hashlib.sha256(json.dumps(plain, sort_keys=True).encode()).hexdigest()

"""All that is stored about a person, to read and to erase.

Found by walking the tables' foreign keys, so that no later table can be forgotten.
"""

import hashlib
import json
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import Table, delete, select
from sqlalchemy.ext.asyncio import AsyncSession

from api.models import Base, User

type Rows = list[dict[str, Any]]


def tables_of_a_person() -> dict[Table, str]:
    """Every table with a row for each (or of some) person, and its column that names the person; children first."""
    found = {}
    for table in reversed(Base.metadata.sorted_tables):
        for column in table.columns:
            if any(key.column is User.__table__.c.id for key in column.foreign_keys):
                found[table] = column.name
    return found


async def everything_about(session: AsyncSession, user: User) -> dict[str, Rows]:
    """By table, all rows of the person, ready for JSON."""
    found: dict[str, Rows] = {"users": [{"uuid": user.uuid, "created_at": _plain(user.created_at)}]}
    for table, owner in tables_of_a_person().items():
        rows = await session.execute(select(table).where(table.c[owner] == user.id).order_by(*table.primary_key))
        found[table.name] = [
            {name: _plain(value) for name, value in row._mapping.items() if name != owner} for row in rows
        ]
    return found


async def erase(session: AsyncSession, user: User) -> dict[str, int]:
    """Delete the person and every row of theirs; returns the counts by table."""
    await session.refresh(user, with_for_update=True)  # nothing of theirs can be added any more
    counts = {}
    for table, owner in tables_of_a_person().items():
        gone = await session.execute(delete(table).where(table.c[owner] == user.id))
        counts[table.name] = int(gone.rowcount)  # type: ignore[attr-defined]
    await session.delete(user)
    await session.flush()
    return counts | {"users": 1}


def receipt(uuid: str, counts: dict[str, int], now: datetime) -> dict[str, Any]:
    """What a person keeps as a proof. The digest is SHA-256 over id, counts and time, which only they can repeat."""
    erased_at = now.astimezone(UTC).isoformat().replace("+00:00", "Z")
    proven = json.dumps({"uuid": uuid, "erased": counts, "erased_at": erased_at}, sort_keys=True)
    return {"erased": counts, "erased_at": erased_at, "digest": hashlib.sha256(proven.encode()).hexdigest()}


def _plain(value: Any) -> Any:
    match value:
        case datetime():
            return value.isoformat().replace("+00:00", "Z")
        case date():
            return value.isoformat()
        case Decimal():
            return float(value)
        case bytes():
            return value.decode(errors="replace")
    return value

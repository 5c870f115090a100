"""Reads all stored data of a person, and erases it with a receipt."""

import hashlib
import json
from datetime import datetime
from typing import Any

from sqlalchemy import delete
from sqlalchemy.ext.asyncio import AsyncSession

from api.clock import timestamp
from api.db.personal_data import Rows, belonging, plain, rows_of, tables_of
from api.models import Base, User

USERS = Base.metadata.tables["users"]


async def personal_data_of(session: AsyncSession, user: User) -> dict[str, Rows]:
    """All rows of the person by table, ready for JSON."""
    person = {"uuid": user.uuid, "created_at": plain(user.created_at)}
    return {"users": [person]} | await rows_of(session, USERS, user.id)


async def erase(session: AsyncSession, user: User) -> dict[str, int]:
    """Delete the person and all their rows. Returns the counts by table."""
    await session.refresh(user, with_for_update=True)  # blocks new rows of this user
    counts = {}
    for table in reversed(tables_of(USERS)):
        gone = await session.execute(delete(table).where(belonging(USERS, user.id, table)))
        counts[table.name] = int(gone.rowcount)  # type: ignore[attr-defined]
    await session.delete(user)
    await session.flush()
    return counts | {"users": 1}


def receipt(uuid: str, counts: dict[str, int], now: datetime) -> dict[str, Any]:
    """The person's proof of erasure. The digest is SHA-256 over id, counts and time, which only they can repeat."""
    erased_at = timestamp(now)
    proven = json.dumps({"uuid": uuid, "erased": counts, "erased_at": erased_at}, sort_keys=True)
    return {"erased": counts, "erased_at": erased_at, "digest": hashlib.sha256(proven.encode()).hexdigest()}

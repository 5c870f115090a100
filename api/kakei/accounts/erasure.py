"""Reads all stored data of a person, and erases it with a receipt."""

import hashlib
import json
from datetime import datetime
from typing import Any

from sqlalchemy.ext.asyncio import AsyncSession

from api.clock import timestamp
from api.db.personal_data import Rows, delete_rows_of, plain, rows_of
from api.models import Base, User

USERS = Base.metadata.tables["users"]


async def personal_data_of(session: AsyncSession, user: User) -> dict[str, Rows]:
    """All rows of the person by table, ready for JSON."""
    person = {"uuid": user.uuid, "created_at": plain(user.created_at)}
    return {"users": [person]} | await rows_of(session, USERS, user.id)


async def erase(session: AsyncSession, user: User, now: datetime) -> dict[str, Any]:
    """Delete the person and all their rows. Returns the receipt."""
    await session.refresh(user, with_for_update=True)  # blocks new rows of this user
    counts = await delete_rows_of(session, USERS, user.id) | {"users": 1}
    await session.delete(user)
    await session.flush()
    return _receipt(user.uuid, counts, now)


def _receipt(uuid: str, counts: dict[str, int], now: datetime) -> dict[str, Any]:
    """The person's proof of erasure. The digest is SHA-256 over id, counts and time, which only they can repeat."""
    erased_at = timestamp(now)
    proven = json.dumps({"uuid": uuid, "erased": counts, "erased_at": erased_at}, sort_keys=True)
    return {"erased": counts, "erased_at": erased_at, "digest": hashlib.sha256(proven.encode()).hexdigest()}

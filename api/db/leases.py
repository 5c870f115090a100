"""Leases for work that only one process should do: the holder renews its lease, and others take it when it expires."""

import secrets
from datetime import datetime, timedelta

from sqlalchemy import or_, update

from api.db.engine import Database
from api.db.upsert import insert_into
from api.models import Lease


def new_holder() -> str:
    """A unique name for this process."""
    return secrets.token_hex(8)


async def hold(database: Database, name: str, holder: str, now: datetime, lasting: timedelta) -> bool:
    """Take or renew the lease. Returns whether `holder` now has it for `lasting`."""
    async with database.write() as session:
        until = now + lasting
        free = or_(Lease.holder == holder, Lease.until <= now)
        taken = insert_into(session, Lease).values(name=name, holder=holder, until=until)
        changed = {"holder": holder, "until": until}
        query = taken.on_conflict_do_update(index_elements=["name"], set_=changed, where=free).returning(Lease.holder)
        return await session.scalar(query) == holder


async def release(database: Database, name: str, holder: str, now: datetime) -> None:
    """Release the lease, so that the next holder need not wait."""
    async with database.write() as session:
        mine = (Lease.name == name, Lease.holder == holder)
        await session.execute(update(Lease).where(*mine).values(until=now))

"""Who does what only one process should: a lease that its holder renews, and that others take when it has run out."""

import secrets
from datetime import datetime, timedelta

from sqlalchemy import or_, update
from sqlalchemy.dialects import postgresql, sqlite

from api.db.engine import Database
from api.models import Lease


def new_holder() -> str:
    """A name for this process."""
    return secrets.token_hex(8)


async def hold(database: Database, name: str, holder: str, now: datetime, lasting: timedelta) -> bool:
    """Take the lease or renew it; whether `holder` has it from now on for as long as `lasting`."""
    async with database.write() as session:
        insert = postgresql.insert if session.get_bind().dialect.name == "postgresql" else sqlite.insert
        until = now + lasting
        free = or_(Lease.holder == holder, Lease.until <= now)
        taken = insert(Lease).values(name=name, holder=holder, until=until)
        changed = {"holder": holder, "until": until}
        query = taken.on_conflict_do_update(index_elements=["name"], set_=changed, where=free).returning(Lease.holder)
        return await session.scalar(query) == holder


async def release(database: Database, name: str, holder: str, now: datetime) -> None:
    """Give the lease back, so that the next one need not wait."""
    async with database.write() as session:
        mine = (Lease.name == name, Lease.holder == holder)
        await session.execute(update(Lease).where(*mine).values(until=now))

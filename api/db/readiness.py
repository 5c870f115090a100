"""Whether the database answers, and has the tables that this version needs.

It queries at most once a second, on its own connection, so that probes neither pile up nor wait for requests.
"""

import asyncio
import time

from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from api.db import migrate
from api.db.budget import Budget
from api.db.engine import Database
from api.db.failures import MAY_BE_AWAY, RESTORING_STATE, is_away, sqlstate
from api.db.service_lock import SharedLock

PROBE_SECONDS = 1.0
"""How long a probe may take; with the grace of `api.db.budget` less than the 2 s of the image's check."""
FRESH_SECONDS = 1.0
"""Seconds for which an answer is reused. Proxies probe every second or less often."""


class Readiness:
    """Checks whether the database is usable. `lock` is PostgreSQL's lock of this process."""

    def __init__(self, database: Database, lock: SharedLock | None = None) -> None:
        self._database = database
        self._lock = lock
        self._needed: str | None = None
        self._one = asyncio.Lock()
        self._found: str | None = None
        self._until = 0.0
        self.probes = 0
        """How often the database was queried."""

    async def complaint(self) -> str | None:
        """Why the database is not usable, None if it is. Concurrent callers share one query."""
        async with self._one:
            if time.monotonic() >= self._until:
                self._found = await self._probe()
                self._until = time.monotonic() + FRESH_SECONDS
            found = self._found
        if found is None and self._lock is not None and not self._lock.is_held:
            return "the lock that keeps a restore away is lost, it is taken again"
        return found

    async def _probe(self) -> str | None:
        self.probes += 1
        if self._needed is None:
            self._needed = await asyncio.to_thread(migrate.newest_revision)
        try:
            with Budget(PROBE_SECONDS).spending():
                async with self._database.probing.connect() as connection:
                    found = (await connection.execute(text("SELECT version_num FROM alembic_version"))).scalars().all()
        except MAY_BE_AWAY as error:
            if isinstance(error, DBAPIError) and not is_away(error):
                return "the database has no tables"
            is_restored = sqlstate(error) == RESTORING_STATE
            return "the database is being restored, or starts" if is_restored else "the database does not answer"
        if found != [self._needed]:
            return f"the database is at {', '.join(found) or 'nothing'}, this version needs {self._needed}"
        return None

"""Encrypts values of older keys again with the newest key, so that the older keys can be removed.
A row is changed only if it is unchanged since it was read, since a service may write meanwhile. An interrupted rotation
continues when it is called again.

"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Table, select, update

from api.auth.keyring import Keyring, SecretMissing
from api.db.engine import Database
from api.models import Base

WRAPPED = (("pseudonym_keys", "wrapped"), ("households", "claude_key"))
"""All columns with encrypted values."""
ROWS = 200
"""Rows in one transaction."""


@dataclass
class Progress:
    """How many values were checked, encrypted again, and cannot be decrypted with any key."""

    seen: int = 0
    rotated: int = 0
    lost: int = 0


async def rotate(
    database: Database, keyring: Keyring, progress: Callable[[Progress], None] = lambda _progress: None
) -> Progress:
    """Encrypt again all values that need an older key."""
    done = Progress()
    for table, column in _columns():
        last = 0
        while True:
            async with database.write() as session:
                rows = (await session.execute(_page(table, column, last))).all()
                for row_id, wrapped in rows:
                    done.seen += 1
                    if keyring.is_newest(wrapped):
                        continue
                    try:
                        again = keyring.wrap(keyring.unwrap(wrapped))
                    except SecretMissing:
                        done.lost += 1
                        continue
                    same = (table.c.id == row_id, table.c[column] == wrapped)
                    changed: Any = await session.execute(update(table).where(*same).values({column: again}))
                    done.rotated += int(changed.rowcount)
            progress(done)
            if len(rows) < ROWS:
                break
            last = rows[-1][0]
    return done


async def needing_older_keys(database: Database, keyring: Keyring) -> tuple[int, int]:
    """How many values the newest key does not decrypt, and how many no key decrypts."""
    older = lost = 0
    for table, column in _columns():
        last = 0
        while True:
            async with database.read() as session:
                rows = (await session.execute(_page(table, column, last))).all()
            for _, wrapped in rows:
                if keyring.is_newest(wrapped):
                    continue
                older += 1
                try:
                    keyring.unwrap(wrapped)
                except SecretMissing:
                    lost += 1
            if len(rows) < ROWS:
                break
            last = rows[-1][0]
    return older, lost


def _columns() -> list[tuple[Table, str]]:
    return [(Base.metadata.tables[table], column) for table, column in WRAPPED]


def _page(table: Table, column: str, last: int) -> Any:
    given = (table.c[column].is_not(None), table.c.id > last)
    return select(table.c.id, table.c[column]).where(*given).order_by(table.c.id).limit(ROWS)

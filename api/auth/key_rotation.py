"""Encrypts values of older keys again with the newest key, so that the older keys can be removed.
A row is changed only if it is unchanged since it was read, since a service may write meanwhile. An interrupted rotation
continues when it is called again.
"""

from collections.abc import Callable
from dataclasses import dataclass

from sqlalchemy import Table

from api.auth import queries
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
                rows = await queries.encrypted_values(session, table, column, last, ROWS)
                for row_id, wrapped in rows:
                    done.seen += 1
                    if keyring.is_newest(wrapped):
                        continue
                    try:
                        again = keyring.wrap(keyring.unwrap(wrapped))
                    except SecretMissing:
                        done.lost += 1
                        continue
                    done.rotated += await queries.replace_value(session, table, column, row_id, wrapped, again)
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
                rows = await queries.encrypted_values(session, table, column, last, ROWS)
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

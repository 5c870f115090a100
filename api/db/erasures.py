"""The ledger of erasures: so that a backup which is older than an erasure does not bring the person back.

It is no part of any backup. On SQLite it is a file beside the database, since one restores because the database is
damaged; on PostgreSQL a table that backups leave out and a restore leaves alone. It holds keyed digests of ids, no ids.

An erasure is entered before it is committed. Where the process dies between the two, the ledger has an entry of a
person who is still there; if an older backup is restored later, that person is erased, as was asked for.
"""

import fcntl
import hashlib
import hmac
import json
import os
import secrets
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, BinaryIO

from sqlalchemy import Column, Connection, MetaData, String, Table, delete, event, insert, select

from api.db.personal_data import belonging, tables_of
from api.models import Base, Household, HouseholdParticipant, HouseholdUser, User
from api.models.base import Moment

SUFFIX = ".erasures"
KEY_BYTES = 32
UNDER_WAY = timedelta(minutes=1)
"""An erasure may be entered so long before it is committed, and be missing in a backup of the time between."""
PENDING = "pending"
KEY = "key:"
LEDGER = Table(
    "erasure_ledger",
    MetaData(),
    Column("digest", String(80), primary_key=True),
    Column("erased_at", Moment, nullable=False),
)
"""On PostgreSQL; outside of migrations, since it outlives the tables."""
KINDS = {
    "users": (User, "uuid"),
    "households": (Household, "id"),
    "household_users": (HouseholdUser, "id"),
    "household_participants": (HouseholdParticipant, "id"),
}


@dataclass
class Ledger:
    """What a ledger holds. `entries` says when each digest was entered."""

    key: bytes
    entries: dict[str, datetime] = field(default_factory=dict)


def listen() -> None:
    """From now on every deletion of a person or a household through a session is entered."""
    for model, _ in KINDS.values():
        if not event.contains(model, "before_delete", _enter):
            event.listen(model, "before_delete", _enter)


def ledger_file(database: Path) -> Path:
    """Where the ledger of an SQLite database is."""
    return database.with_name(database.name + SUFFIX)


def read_file(file: Path) -> Ledger | None:
    """The ledger in a file, None where there is none. A line that was cut off counts as not written."""
    if not file.exists():
        return None
    key, entries = b"", {}
    for line in file.read_bytes().split(b"\n"):
        try:
            told = json.loads(line)
            if "key" in told:
                key = key or bytes.fromhex(told["key"])
            else:
                entries[str(told["digest"])] = datetime.fromisoformat(told["erased_at"])
        except (ValueError, KeyError, TypeError):
            continue
    return Ledger(key, entries)


def create_table(connection: Connection) -> None:
    """Make PostgreSQL's ledger, with a key of its own, where there is none."""
    LEDGER.create(connection, checkfirst=True)
    if connection.scalar(select(LEDGER.c.digest).where(LEDGER.c.digest.startswith(KEY))) is None:
        key = secrets.token_hex(KEY_BYTES)
        connection.execute(insert(LEDGER).values(digest=KEY + key, erased_at=datetime.now(UTC)))


def replay_pending(connection: Connection) -> Counter[str]:
    """Erase again after a restore of PostgreSQL, which leaves a mark with the time of its backup."""
    rows = connection.execute(select(LEDGER)).all()
    marks = [row.erased_at for row in rows if row.digest == PENDING]
    if not marks:
        return Counter()
    key = next(row.digest for row in rows if row.digest.startswith(KEY)).removeprefix(KEY)
    erased = replay(connection, Ledger(bytes.fromhex(key), {row.digest: row.erased_at for row in rows}), marks[0])
    connection.execute(delete(LEDGER).where(LEDGER.c.digest == PENDING))
    return erased


def replay(connection: Connection, ledger: Ledger, taken_at: datetime | None) -> Counter[str]:
    """Delete what the ledger names, in a database that was restored from a backup of `taken_at`; counts by table.

    A participant has no time of creation, and SQLite gives the id of the last one again: entries that are older than
    the backup do not count for them.
    """
    erased: Counter[str] = Counter()
    for name in KINDS:
        table = Base.metadata.tables[name]
        for row in connection.execute(select(table)).all():
            entered = ledger.entries.get(_digest(ledger.key, connection, name, dict(row._mapping)))
            if entered is None:
                continue
            if name == "household_participants" and taken_at is not None and entered < taken_at - UNDER_WAY:
                continue
            for below in reversed(tables_of(table)):
                connection.execute(delete(below).where(belonging(table, row.id, below)))
            connection.execute(delete(table).where(table.c.id == row.id))
            erased[name] += 1
    return erased


def _enter(_mapper: Any, connection: Connection, target: Any) -> None:
    """Enter the deletion of a row, within its transaction."""
    table = target.__table__
    row = {column.name: getattr(target, column.key) for column in table.columns}
    now = datetime.now(UTC)
    if connection.dialect.name == "postgresql":
        key = connection.scalar(select(LEDGER.c.digest).where(LEDGER.c.digest.startswith(KEY)))
        assert key is not None  # noqa: S101 - made together with the tables
        digest = _digest(bytes.fromhex(key.removeprefix(KEY)), connection, table.name, row)
        connection.execute(delete(LEDGER).where(LEDGER.c.digest == digest))
        connection.execute(insert(LEDGER).values(digest=digest, erased_at=now))
        return
    database = connection.engine.url.database
    if database:
        with _appending(ledger_file(Path(database))) as (key, file):
            _append(file, {"digest": _digest(key, connection, table.name, row), "erased_at": now.isoformat()})


def _digest(key: bytes, connection: Connection, name: str, row: dict[str, Any]) -> str:
    """Of what a row keeps for good: its id, and when it was made, since ids are given again."""
    created_at = row.get("created_at")
    parts = [name, str(row[KINDS[name][1]]).lower()]
    if name == "household_participants":
        parts.append(str(row["household_id"]))
        households = Base.metadata.tables["households"]
        query = select(households.c.created_at).where(households.c.id == row["household_id"])
        created_at = connection.scalar(query)
    parts.append(created_at.astimezone(UTC).isoformat() if created_at else "")
    return hmac.new(key, "\0".join(parts).encode(), hashlib.sha256).hexdigest()


@contextmanager
def _appending(path: Path) -> Iterator[tuple[bytes, BinaryIO]]:
    """The key, and the file, locked against other processes; what is written is on disk at the end."""
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_APPEND, 0o600)
    with os.fdopen(descriptor, "r+b") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        content = file.read()
        if content and not content.endswith(b"\n"):
            file.write(b"\n")  # ends a line that was cut off
        found = read_file(path)
        key = found.key if found else b""
        if not key:
            key = secrets.token_bytes(KEY_BYTES)
            _append(file, {"key": key.hex()})
        yield key, file
        file.flush()
        os.fsync(file.fileno())


def _append(file: BinaryIO, entry: dict[str, str]) -> None:
    file.write(json.dumps(entry).encode() + b"\n")

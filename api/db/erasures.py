"""The ledger of erasures. It prevents that the restore of an older backup brings an erased person back.

The ledger is not part of backups. On SQLite it is a file beside the database, because the database may be damaged. On
PostgreSQL it is a table that backups omit and a restore keeps. It holds keyed digests of ids, no ids.

An erasure is entered before it is committed. If the process dies in between, the ledger names a person who is still
stored. A later restore of an older backup erases that person, as requested.
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
"""The most time between entry and commit of an erasure; a backup from that time still holds the person."""
PENDING = "pending"
KEY = "key:"
LEDGER = Table(
    "erasure_ledger",
    MetaData(),
    Column("digest", String(80), primary_key=True),
    Column("erased_at", Moment, nullable=False),
)
"""The table on PostgreSQL; not in the migrations, because it outlives the other tables."""
KINDS = {
    "users": (User, "uuid"),
    "households": (Household, "id"),
    "household_users": (HouseholdUser, "id"),
    "household_participants": (HouseholdParticipant, "id"),
}


@dataclass
class Ledger:
    """The content of a ledger. `entries` holds the time of entry of each digest."""

    key: bytes
    entries: dict[str, datetime] = field(default_factory=dict)


def listen() -> None:
    """Start to enter every deletion of a person or a household through a session."""
    for model, _ in KINDS.values():
        if not event.contains(model, "before_delete", _enter):
            event.listen(model, "before_delete", _enter)


def ledger_file(database: Path) -> Path:
    """The path of the ledger of an SQLite database."""
    return database.with_name(database.name + SUFFIX)


def read_file(file: Path) -> Ledger | None:
    """The ledger in a file, None if there is none. A truncated line counts as not written."""
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
    """Create PostgreSQL's ledger with its own key, if there is none."""
    LEDGER.create(connection, checkfirst=True)
    if connection.scalar(select(LEDGER.c.digest).where(LEDGER.c.digest.startswith(KEY))) is None:
        key = secrets.token_hex(KEY_BYTES)
        connection.execute(insert(LEDGER).values(digest=KEY + key, erased_at=datetime.now(UTC)))


def replay_pending(connection: Connection) -> Counter[str]:
    """Repeat erasures after a restore of PostgreSQL, which leaves a mark with the time of its backup."""
    rows = connection.execute(select(LEDGER)).all()
    marks = [row.erased_at for row in rows if row.digest == PENDING]
    if not marks:
        return Counter()
    key = next(row.digest for row in rows if row.digest.startswith(KEY)).removeprefix(KEY)
    erased = replay(connection, Ledger(bytes.fromhex(key), {row.digest: row.erased_at for row in rows}), marks[0])
    connection.execute(delete(LEDGER).where(LEDGER.c.digest == PENDING))
    return erased


def replay(connection: Connection, ledger: Ledger, taken_at: datetime | None) -> Counter[str]:
    """Delete the rows that the ledger names from a database restored from a backup of `taken_at`. Counts by table.

    A participant has no time of creation, and SQLite reuses the id of the last one: for participants, entries older
    than the backup are ignored.
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
        assert key is not None  # noqa: S101 - created together with the tables
        digest = _digest(bytes.fromhex(key.removeprefix(KEY)), connection, table.name, row)
        connection.execute(delete(LEDGER).where(LEDGER.c.digest == digest))
        connection.execute(insert(LEDGER).values(digest=digest, erased_at=now))
        return
    database = connection.engine.url.database
    if database:
        with _appending(ledger_file(Path(database))) as (key, file):
            _append(file, {"digest": _digest(key, connection, table.name, row), "erased_at": now.isoformat()})


def _digest(key: bytes, connection: Connection, name: str, row: dict[str, Any]) -> str:
    """The digest of a row's constant values: its id and its time of creation, since ids are reused."""
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
    """The key and the file, locked against other processes. Writes are on disk at the end."""
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_APPEND, 0o600)
    with os.fdopen(descriptor, "r+b") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        content = file.read()
        if content and not content.endswith(b"\n"):
            file.write(b"\n")  # ends a truncated line
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

"""The ledger of erasures: a backup that is older than an erasure must not bring the person back.

The ledger is not part of a backup. On SQLite it is a file beside the database, because the database itself may be
damaged when it is restored. On PostgreSQL it is a table that backups leave out and a restore keeps. It holds keyed
digests of ids, no ids.

An erasure is entered before it is committed. If the process dies in between, or the commit fails, the ledger names a
person who is still there. Such an entry counts only for backups that are older than it: a later backup would not hold
the person if the erasure had been committed.
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

from sqlalchemy import Column, Connection, MetaData, String, Table, delete, event, func, insert, inspect, select, update

from api.clock import utc_now
from api.db.personal_data import belonging, tables_of
from api.models import Base, Household, HouseholdParticipant, HouseholdUser, User
from api.models.base import Moment
from api.models.households import FORMER_MEMBER, HOUSEHOLD_ADMIN

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
FORGOTTEN_NAMES = "household_participants.name"
"""Entries of participants who stay without their name, because the member left it behind."""


class LedgerDamaged(ValueError):
    """The ledger cannot be read, so that a restore would bring erased people back; the message says what to do."""


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
    if not event.contains(HouseholdParticipant, "before_update", _enter_forgotten_name):
        event.listen(HouseholdParticipant, "before_update", _enter_forgotten_name)


def ledger_file(database: Path) -> Path:
    """Where the ledger of an SQLite database is."""
    return database.with_name(database.name + SUFFIX)


def create_file(file: Path) -> None:
    """Make the ledger of an SQLite database, with a key of its own, unless it exists."""
    with _appending(file):
        pass


def read_file(file: Path) -> Ledger | None:
    """The ledger in a file, None if there is none. A line that was cut off counts as not written. Raises LedgerDamaged
    for every other line that is no entry, and for entries without a key."""
    if not file.exists():
        return None
    key, entries = b"", {}
    for line in filter(None, file.read_bytes().split(b"\n")):
        try:
            told = json.loads(line)
            if "key" in told:
                key = key or bytes.fromhex(told["key"])
            else:
                entries[str(told["digest"])] = datetime.fromisoformat(told["erased_at"])
        except (ValueError, KeyError, TypeError) as error:
            if line.endswith(b"}"):
                raise LedgerDamaged(_damaged(file)) from error
    if entries and len(key) != KEY_BYTES:
        raise LedgerDamaged(_damaged(file))
    return Ledger(key, entries)


def create_table(connection: Connection) -> None:
    """Make PostgreSQL's ledger, with a key of its own, where there is none."""
    LEDGER.create(connection, checkfirst=True)
    if connection.scalar(select(LEDGER.c.digest).where(LEDGER.c.digest.startswith(KEY))) is None:
        key = secrets.token_hex(KEY_BYTES)
        connection.execute(insert(LEDGER).values(digest=KEY + key, erased_at=utc_now()))


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
    """Erase what the ledger names, in a database that was restored from a backup of `taken_at`; counts by table.

    Entries that are older than the backup do not count (see above); without `taken_at` all count. A removed member's
    plans and open todos end, as when they were removed. A household that lost its admins gets its longest-standing
    user as admin.
    """
    counting = {
        digest for digest, entered in ledger.entries.items() if taken_at is None or entered >= taken_at - UNDER_WAY
    }
    erased: Counter[str] = Counter()
    for name in KINDS:
        table = Base.metadata.tables[name]
        for row in connection.execute(select(table)).all():
            found = dict(row._mapping)
            if name == "household_participants" and _digest(ledger.key, connection, FORGOTTEN_NAMES, found) in counting:
                connection.execute(update(table).where(table.c.id == row.id).values(name=FORMER_MEMBER))
                erased[FORGOTTEN_NAMES] += 1
            if _digest(ledger.key, connection, name, found) not in counting:
                continue
            if name == "household_users":
                _end_plans_and_todos(connection, row.participant_id)
            for below in reversed(tables_of(table)):
                connection.execute(delete(below).where(belonging(table, row.id, below)))
            connection.execute(delete(table).where(table.c.id == row.id))
            erased[name] += 1
    if erased["household_users"]:
        _give_every_household_an_admin(connection)
    return erased


def _end_plans_and_todos(connection: Connection, participant_id: int) -> None:
    plans, todos = Base.metadata.tables["plans"], Base.metadata.tables["todos"]
    active = (plans.c.participant_id == participant_id, plans.c.active)
    connection.execute(update(plans).where(*active).values(active=False, ended_at=utc_now()))
    connection.execute(update(todos).where(todos.c.participant_id == participant_id).values(deleted=True))


def _give_every_household_an_admin(connection: Connection) -> None:
    users = Base.metadata.tables["household_users"]
    with_admin = select(users.c.household_id).where(users.c.role == HOUSEHOLD_ADMIN)
    first = select(func.min(users.c.id)).where(users.c.household_id.not_in(with_admin)).group_by(users.c.household_id)
    connection.execute(update(users).where(users.c.id.in_(first)).values(role=HOUSEHOLD_ADMIN))


def _enter(_mapper: Any, connection: Connection, target: Any) -> None:
    """Enter the deletion of a row, within its transaction."""
    _write(connection, target.__table__.name, target)


def _enter_forgotten_name(_mapper: Any, connection: Connection, target: HouseholdParticipant) -> None:
    """Enter that a participant stays without a name, within the transaction that forgets it."""
    if target.name == FORMER_MEMBER and inspect(target).attrs.name.history.has_changes():
        _write(connection, FORGOTTEN_NAMES, target)


def _write(connection: Connection, name: str, target: Any) -> None:
    row = {column.name: getattr(target, column.key) for column in target.__table__.columns}
    now = utc_now()
    if connection.dialect.name == "postgresql":
        create_table(connection)  # a database that was upgraded to an older revision only has none
        key = connection.scalar(select(LEDGER.c.digest).where(LEDGER.c.digest.startswith(KEY))) or ""
        digest = _digest(bytes.fromhex(key.removeprefix(KEY)), connection, name, row)
        connection.execute(delete(LEDGER).where(LEDGER.c.digest == digest))
        connection.execute(insert(LEDGER).values(digest=digest, erased_at=now))
        return
    database = connection.engine.url.database
    if database:
        with _appending(ledger_file(Path(database))) as (key_bytes, file):
            _append(file, {"digest": _digest(key_bytes, connection, name, row), "erased_at": now.isoformat()})


def _digest(key: bytes, connection: Connection, name: str, row: dict[str, Any]) -> str:
    """Of what a row keeps for good: its id, and when it was made, since ids are given again."""
    created_at = row.get("created_at")
    table = name.partition(".")[0]
    parts = [name, str(row[KINDS[table][1]]).lower()]
    if table == "household_participants":
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


def _damaged(file: Path) -> str:
    return (
        f"{file} is damaged: restoring would bring erased people back; put the file back from a copy, or move it away"
    )


def _append(file: BinaryIO, entry: dict[str, str]) -> None:
    file.write(json.dumps(entry).encode() + b"\n")

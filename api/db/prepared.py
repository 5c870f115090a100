"""Statements of the requests that phones send most: their text is made once, and the driver itself sends them.

For one statement SQLAlchemy's core takes about five times the driver's time, its ORM ten times, and on SQLite four
switches to the driver's thread instead of one. So the few statements of a frequent write are written in SQLAlchemy's
expressions like all others, and sent without it, in the session's transaction. On SQLite a transaction that writes has
the write lock from its beginning. Its statements wait for nothing, and take less than a switch to the driver's thread
and back, so they are executed without one; its beginning and its commit do wait, and have the thread.
"""

from collections import namedtuple
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Delete, Dialect, Insert, SelectBase, Update
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import Session
from sqlalchemy.types import NullType

from api.db.engine import WRITES

NUMERIC_OID = 1700
"""PostgreSQL's number of the type numeric, by which SQLAlchemy chooses how to read it."""
OPEN = "prepared"
"""Key in `session.info`: the transaction that the session is in, as `_Opened`."""

type Statement = SelectBase | Insert | Update | Delete
type Convert = Callable[[Any], Any] | None


@dataclass(frozen=True, slots=True)
class _Compiled:
    """A statement for one dialect."""

    sql: str
    constants: tuple[Any, ...]
    """The parameters; None where a value of the caller's comes."""
    slots: tuple[tuple[int, str, Convert], ...]
    """The callers' values: position, name and conversion."""
    row: Callable[[Any], Any]
    """Makes a row of its values."""
    converts: tuple[tuple[int, Callable[[Any], Any]], ...]
    """The conversions of results, by position."""

    def parameters(self, values: dict[str, Any]) -> list[Any]:
        parameters = list(self.constants)
        for position, name, convert in self.slots:
            parameters[position] = values[name] if convert is None else convert(values[name])
        return parameters

    def read(self, found: Any) -> list[Any]:
        if not self.converts:
            return [self.row(values) for values in found]
        rows = []
        for values in map(list, found):
            for position, convert in self.converts:
                values[position] = convert(values[position])
            rows.append(self.row(values))
        return rows


class Prepared:
    """A statement with named parameters (`bindparam`). `make` gets the dialect's name, since an upsert differs."""

    def __init__(self, make: Callable[[str], Statement]) -> None:
        self._make = make
        self._compiled: dict[str, _Compiled] = {}

    async def rows(self, session: AsyncSession, **values: Any) -> list[Any]:
        """Execute the statement in the session's transaction. A row has an attribute for each column. Raises the
        driver's errors, which `api.db.failures` knows."""
        opened = await _open(session)
        compiled = self._compiled.get(opened.dialect.name)
        if compiled is None:
            compiled = self._compiled[opened.dialect.name] = _compile(self._make, opened.dialect)
        parameters = compiled.parameters(values)
        if opened.is_listened_to:
            connection = opened.connection
            connection.dispatch.before_cursor_execute(connection, None, compiled.sql, tuple(parameters), None, False)
        return compiled.read(await opened.fetch(compiled.sql, parameters))

    async def row(self, session: AsyncSession, **values: Any) -> Any:
        """The first row, None if there is none."""
        found = await self.rows(session, **values)
        return found[0] if found else None


@dataclass(frozen=True, slots=True)
class _Opened:
    """A session's transaction, with its connection and driver."""

    transaction: Any
    connection: Connection
    dialect: Dialect
    driver: Any
    is_listened_to: bool
    """Whether something wants to know of each statement."""
    has_write_lock: bool
    """Whether it is a writing transaction of SQLite, of which no statement waits."""

    async def fetch(self, sql: str, parameters: list[Any]) -> Any:
        """The rows of a statement."""
        if self.has_write_lock:
            return self.driver._conn.execute(sql, parameters).fetchall()
        if self.dialect.name == "sqlite":
            return await self.driver.execute_fetchall(sql, parameters)
        try:
            return await self.driver.fetch(sql, *parameters)
        except Exception:
            if self.driver.is_closed():
                self.connection.invalidate()  # SQLAlchemy did not see the error
            raise


async def _open(session: AsyncSession) -> _Opened:
    """The session's transaction; what the session has not sent yet is sent first."""
    state = session.sync_session
    opened: _Opened | None = state.info.get(OPEN)
    if opened is None or opened.transaction is not state.get_transaction():
        opened = state.info[OPEN] = await session.run_sync(_connect)
    if not state._is_clean():
        await session.flush()
    return opened


def _connect(session: Session) -> _Opened:
    connection = session.connection()
    return _Opened(
        session.get_transaction(),
        connection,
        connection.dialect,
        connection.connection.driver_connection,
        is_listened_to=bool(connection.dispatch.before_cursor_execute),
        has_write_lock=connection.dialect.name == "sqlite" and WRITES in session.info,
    )


def _compile(make: Callable[[str], Statement], dialect: Dialect) -> _Compiled:
    statement = make(dialect.name)
    compiled: Any = statement.compile(dialect=dialect)
    constants: list[Any] = []
    slots: list[tuple[int, str, Convert]] = []
    for position, name in enumerate(compiled.positiontup or ()):
        bind = compiled.binds[name]
        if isinstance(bind.type, NullType):
            raise TypeError(f"the parameter {name} needs a type, or its values are not converted")
        convert = bind.type.dialect_impl(dialect).bind_processor(dialect)
        constants.append(None if bind.required else bind.value if convert is None else convert(bind.value))
        if bind.required:
            slots.append((position, name, convert))
    columns = list(statement.exported_columns)
    reads = [column.type.dialect_impl(dialect).result_processor(dialect, NUMERIC_OID) for column in columns]
    converts = tuple((position, read) for position, read in enumerate(reads) if read is not None)
    row = namedtuple("Row", [column.key for column in columns])  # type: ignore[misc]
    return _Compiled(str(compiled), tuple(constants), tuple(slots), row._make, converts)

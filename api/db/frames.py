"""Reads the rows of a query in parts, as frames of columns: PostgreSQL by COPY, SQLite by blocks of rows.

No row becomes an object of SQLAlchemy; that took most of the time of an export. The next part is read while the caller
works on the last one. Moments are UTC, amounts are the nearest float, and JSON stays text.

Importing polars takes some tenths of a second and starts threads, so only code that reads frames imports this module.
"""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import aclosing
from functools import partial
from typing import Any

import polars as pl
from sqlalchemy import JSON, Boolean, Float, Integer, Select, text
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.types import TypeEngine

from api.models.base import DECIMALS, Amount, Moment

PART_BYTES = 1 << 20
"""Bytes of a part, as PostgreSQL sends it."""
PART_ROWS = 20_000
"""Rows of a part from SQLite."""
HOW_COPY_WRITES = ("timezone = 'UTC'", "datestyle = 'ISO'", "extra_float_digits = 1")
"""Moments in UTC, and floats with all their digits. The settings belong to the transaction, as poolers require."""
MOMENT = "%Y-%m-%d %H:%M:%S%.f"
"""A moment as SQLite stores it."""
COPIED_MOMENT = f"{MOMENT}%#z"
"""A moment as COPY writes it."""
READ_AS: dict[type[TypeEngine[Any]], pl.DataType] = {
    Moment: pl.Datetime("us", "UTC"),
    Amount: pl.Float64(),
    Float: pl.Float64(),
    Integer: pl.Int64(),
    Boolean: pl.Boolean(),
    JSON: pl.String(),
}
"""The type of a column's cells; of all others it is text."""

type Types = Mapping[str, TypeEngine[Any]]
type Make = Callable[[], pl.DataFrame]
type Put = Callable[[Any], Awaitable[None]]
type Rows = Sequence[tuple[Any, ...]]


async def blocks(session: AsyncSession, query: Select[Any]) -> AsyncIterator[Make]:
    """The rows of a query in blocks, at least one: functions that make the frames, to be called by the thread that
    works on them. The columns are those of the query."""
    types = {column.name: column.type for column in query.selected_columns}
    yield partial(pl.DataFrame, schema={name: read_as(type_) for name, type_ in types.items()})
    connection = await session.connection()
    sql = str(query.compile(dialect=connection.dialect, compile_kwargs={"literal_binds": True}))
    driver: Any = (await connection.get_raw_connection()).driver_connection
    is_postgres = connection.dialect.name == "postgresql"
    if is_postgres:
        for setting in HOW_COPY_WRITES:
            await connection.execute(text(f"SET LOCAL {setting}"))
    async with aclosing(one_ahead(partial(copy if is_postgres else fetch, driver, sql))) as found:
        async for block in found:
            yield partial(frame_of_copy if is_postgres else frame_of_rows, block, types)


async def whole_frame(session: AsyncSession, query: Select[Any]) -> pl.DataFrame:
    """All rows of a query that has few."""
    return pl.concat([make() async for make in blocks(session, query)])


def read_as(type_: TypeEngine[Any]) -> pl.DataType:
    return next((found for known, found in READ_AS.items() if isinstance(type_, known)), pl.String())


async def copy(driver: Any, sql: str, put: Put) -> None:
    """Put the rows as blocks of CSV. PostgreSQL sends each row as one message, so that blocks end with a row."""
    held: list[bytes] = []

    async def take(rows: bytes) -> None:
        held.append(rows)
        if sum(map(len, held)) >= PART_BYTES:
            await put(b"".join(held))
            held.clear()

    await driver.copy_from_query(sql, output=take, format="csv")
    if held:
        await put(b"".join(held))


async def fetch(driver: Any, sql: str, put: Put) -> None:
    """Put the rows as tuples, as SQLite returns them."""
    async with driver.execute(sql) as cursor:
        while rows := await cursor.fetchmany(PART_ROWS):
            await put(rows)


async def one_ahead(read: Callable[[Put], Awaitable[None]]) -> AsyncGenerator[Any]:
    """What `read` puts. It goes on reading, up to one block, while the caller works on the block before."""
    queue: asyncio.Queue[Any] = asyncio.Queue(maxsize=1)
    reading = asyncio.ensure_future(read(queue.put))
    try:
        while not reading.done():
            getting = asyncio.ensure_future(queue.get())
            await asyncio.wait({reading, getting}, return_when=asyncio.FIRST_COMPLETED)
            if getting.done():
                yield getting.result()
            else:
                getting.cancel()
        await reading  # raises its error
        while not queue.empty():
            yield queue.get_nowait()
    finally:
        reading.cancel()
        await asyncio.gather(reading, return_exceptions=True)


def frame_of_copy(lines: bytes, types: Types) -> pl.DataFrame:
    """The frame of lines of CSV, in which a quoted empty cell is a text and another one is NULL."""
    parsed = {name: read_as(type_) for name, type_ in types.items()}
    moments = [name for name, type_ in types.items() if isinstance(type_, Moment)]
    flags = [name for name, type_ in types.items() if isinstance(type_, Boolean)]
    parsed |= dict.fromkeys((*moments, *flags), pl.String())
    frame = pl.read_csv(lines, has_header=False, schema=parsed)
    return frame.with_columns(
        pl.col(moments).str.to_datetime(COPIED_MOMENT, time_unit="us", time_zone="UTC"), pl.col(flags) == "t"
    )


def frame_of_rows(rows: Rows, types: Types) -> pl.DataFrame:
    """The frame of rows of SQLite, where an amount is an integer."""
    columns = []
    for (name, type_), cells in zip(types.items(), zip(*rows, strict=True), strict=True):
        match type_:
            case Moment():
                made = pl.Series(name, cells, pl.String).str.to_datetime(MOMENT, time_unit="us", time_zone="UTC")
            case Amount():
                made = pl.Series(name, [cell if cell is None else cell / 10**DECIMALS for cell in cells], pl.Float64)
            case Boolean():
                made = pl.Series(name, cells, pl.Int8).cast(pl.Boolean)
            case _:
                made = pl.Series(name, cells, read_as(type_))
        columns.append(made)
    return pl.DataFrame(columns)

"""The plain write that an export is compared with: the same rows, written without the work of an export.

`python -m tests.bench.plain DATABASE_URL csv|json|parquet OUT` prints the number of written rows. They have the columns
of the table `events` in the same order. It does not check consents, withhold values, write reasons of missing values,
describe tables, compute digests or record a release.
"""

import asyncio
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import asyncpg

ROWS = """
SELECT pseudonym || '-e' || events.id AS event_id, pseudonym AS participant_id, event_name, known, context,
    0::bigint AS strings_withheld, client_timestamp, events.received_at,
    (client_timestamp AT TIME ZONE time_zone)::date AS local_date, time_zone
FROM events JOIN participants USING (user_id) JOIN profiles USING (user_id)
ORDER BY pseudonym, events.id
"""
COPIES: dict[str, tuple[str, dict[str, Any]]] = {
    "csv": (ROWS, {"format": "csv", "header": True}),
    "json": (f"SELECT row_to_json(plain) FROM ({ROWS}) AS plain", {"format": "text"}),  # noqa: S608 - from here
}
PART_ROWS = 20_000
"""Rows of a row group: smaller groups compress worse, larger ones need more memory."""


async def copy(url: str, kind: str, out: Path) -> int:
    """Write with `COPY … TO`: PostgreSQL formats the rows."""
    query, options = COPIES[kind]
    connection = await asyncpg.connect(url)
    status = await connection.copy_from_query(query, output=out, **options)
    await connection.close()
    return int(status.split()[-1])


async def parquet(url: str, out: Path) -> int:
    """Write with a server-side cursor and pyarrow."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    moment, texts = pa.timestamp("ms", "UTC"), dict.fromkeys(("event_id", "participant_id", "event_name"), pa.string())
    schema = pa.schema(
        texts
        | {"known": pa.bool_(), "context": pa.string(), "strings_withheld": pa.int64()}
        | {"client_timestamp": moment, "received_at": moment, "local_date": pa.date32(), "time_zone": pa.string()}
    )
    written = 0
    connection = await asyncpg.connect(url)
    with pq.ParquetWriter(out, schema, compression="zstd") as writer:
        async with connection.transaction(isolation="repeatable_read", readonly=True):
            cursor = await connection.cursor(ROWS)
            while rows := await cursor.fetch(PART_ROWS):
                writer.write_batch(pa.record_batch(_columns(rows), schema))
                written += len(rows)
    await connection.close()
    return written


def _columns(rows: Sequence[Sequence[Any]]) -> list[tuple[Any, ...]]:
    return list(zip(*rows, strict=True))


if __name__ == "__main__":
    _, database_url, kind_, file = sys.argv
    writing = parquet(database_url, Path(file)) if kind_ == "parquet" else copy(database_url, kind_, Path(file))
    print(asyncio.run(writing))

"""Converts tables to Arrow and writes them as Parquet."""

from pathlib import Path

import polars as pl
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from data.formats import Rows, Written
from data.formats.csv_text import ESCAPE, OLD_ESCAPE
from data.schema import Column
from data.schema.missing import Missing

ARROW_TYPES = {
    "string": pa.string(),
    "integer": pa.int64(),
    "number": pa.float64(),
    "boolean": pa.bool_(),
    "datetime": pa.timestamp("ms", "UTC"),
    "date": pa.date32(),
    "json": pa.string(),
}
ROW_GROUP = 20_000
"""Rows of a Parquet row group; they are held in memory until they are written. Larger groups compress a little better
(100,000 rows: 10 %)."""


def to_arrow(columns: tuple[Column, ...], rows: Rows) -> pa.Table:
    """The rows as an Arrow table. Missing cells are null; a column `<name>_missing` holds the reasons when a column has
    several.

    Raises pa.ArrowInvalid or pa.ArrowTypeError when a value does not have the type of its column.
    """
    arrays = {}
    for position, column in enumerate(columns):
        cells = [row[position] for row in rows]
        values = [None if type(cell) is Missing else cell for cell in cells] if column.missing else cells
        arrays[column.name] = pa.array(values, ARROW_TYPES[column.type])
        if column.reason_column:
            reasons = [str(cell) if type(cell) is Missing else None for cell in cells]
            arrays[column.reason_column] = pa.array(reasons, pa.string())
    return pa.table(arrays, arrow_schema(columns))


def as_arrow(columns: tuple[Column, ...], frame: pl.DataFrame) -> pa.Table:
    """A frame as an Arrow table."""
    return frame.to_arrow(compat_level=pl.CompatLevel.oldest()).cast(arrow_schema(columns))


def arrow_schema(columns: tuple[Column, ...]) -> pa.Schema:
    """The schema of a Parquet file, with the labels as metadata."""
    fields = []
    for column in columns:
        fields.append(pa.field(column.name, ARROW_TYPES[column.type], metadata={"label": column.label}))
        if column.reason_column:
            fields.append(pa.field(column.reason_column, pa.string(), metadata={"label": _reason_label(column)}))
    return pa.schema(fields)


def unescaped_column(texts: pa.ChunkedArray) -> pa.ChunkedArray:
    """The texts of a column's cells."""
    return pc.if_else(pc.starts_with(texts, ESCAPE), pc.utf8_slice_codeunits(texts, 1), texts)


def unescaped_old_column(texts: pa.ChunkedArray) -> pa.ChunkedArray:
    """The texts of a column in a package that was written before version 2026.11.1."""
    without = pc.utf8_slice_codeunits(texts, 1)
    is_code = pc.is_in(without, pa.array([str(reason) for reason in Missing]))
    return pc.if_else(pc.and_(pc.starts_with(texts, OLD_ESCAPE), is_code), without, texts)


class ParquetWriter:
    """Writes one Parquet file, typed and compressed. The parts in which rows come do not change its bytes."""

    def __init__(self, folder: Path, name: str, columns: tuple[Column, ...]) -> None:
        self._path = folder / f"{name}.parquet"
        self._columns = columns
        self._rows = 0
        self._waiting: list[pa.Table] = []
        self._writer = pq.ParquetWriter(self._path, arrow_schema(columns), compression="zstd")

    def write(self, frame: pl.DataFrame) -> None:
        self._waiting.append(as_arrow(self._columns, frame))
        while sum(map(len, self._waiting)) >= ROW_GROUP:
            waiting = pa.concat_tables(self._waiting)
            self._waiting = [waiting.slice(ROW_GROUP)]
            self._write(waiting.slice(0, ROW_GROUP))

    def close(self) -> list[Written]:
        if self._waiting:
            self._write(pa.concat_tables(self._waiting))
        self._writer.close()
        return [Written(self._path, self._rows)]

    def _write(self, group: pa.Table) -> None:
        if len(group):
            self._writer.write_table(group.combine_chunks())
        self._rows += len(group)


def _reason_label(column: Column) -> str:
    return f"Why {column.name} is missing"

"""Converts tables to Arrow and writes them as CSV and Parquet."""

from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from data.formats import Rows, Written
from data.formats.csv_text import ESCAPE, OLD_ESCAPE, RISKY, LineWriter, is_text
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
TIME_FORMAT = "%Y-%m-%dT%H:%M:%SZ"
"""Arrow's `%S` includes the fraction of the second."""
CODES = pa.array([str(reason) for reason in Missing])
ROW_GROUP = 100_000
"""Rows of a Parquet row group; they are held in memory until they are written."""


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


def arrow_schema(columns: tuple[Column, ...]) -> pa.Schema:
    """The schema of a Parquet file, with the labels as metadata."""
    fields = []
    for column in columns:
        fields.append(pa.field(column.name, ARROW_TYPES[column.type], metadata={"label": column.label}))
        if column.reason_column:
            fields.append(pa.field(column.reason_column, pa.string(), metadata={"label": _reason_label(column)}))
    return pa.schema(fields)


def as_text(column: Column, table: pa.Table) -> pa.Array:
    """A column as text for CSV; a missing value is its code."""
    values = table[column.name]
    text = pc.strftime(values, TIME_FORMAT) if column.type == "datetime" else values.cast(pa.string())
    if is_text(column):
        text = escaped_column(text)
    if column.reason_column:
        return pc.coalesce(text, table[column.reason_column])
    return pc.fill_null(text, str(column.missing[0])) if column.missing else text


def escaped_column(texts: pa.ChunkedArray) -> pa.ChunkedArray:
    """The same for a column; missing cells stay missing."""
    risky = pc.or_(pc.match_substring_regex(texts, RISKY), pc.is_in(texts, CODES))
    return pc.if_else(risky, pc.binary_join_element_wise(ESCAPE, texts, ""), texts)


def unescaped_column(texts: pa.ChunkedArray) -> pa.ChunkedArray:
    """The texts of a column's cells."""
    return pc.if_else(pc.starts_with(texts, ESCAPE), pc.utf8_slice_codeunits(texts, 1), texts)


def unescaped_old_column(texts: pa.ChunkedArray) -> pa.ChunkedArray:
    """The texts of a column in a package that was written before version 2026.11.1."""
    without = pc.utf8_slice_codeunits(texts, 1)
    return pc.if_else(pc.and_(pc.starts_with(texts, OLD_ESCAPE), pc.is_in(without, CODES)), without, texts)


class CsvWriter:
    """Writes one CSV file: UTF-8, a header, `\\n` line ends, quotes only where needed, codes for missing values."""

    def __init__(self, folder: Path, name: str, columns: tuple[Column, ...]) -> None:
        self._path = folder / f"{name}.csv"
        self._columns = columns
        self._rows = 0
        self._file = self._path.open("w", encoding="utf-8", newline="")
        self._lines = LineWriter(self._file)
        self._lines.rows([[column.name for column in columns]])

    def write(self, table: pa.Table) -> None:
        texts = [as_text(column, table) for column in self._columns]
        has_returns = any(pc.any(pc.match_substring(text, "\r")).as_py() for text in texts)
        self._lines.rows(zip(*(text.to_pylist() for text in texts), strict=True), has_returns=has_returns)
        self._rows += len(table)

    def close(self) -> list[Written]:
        self._file.close()
        return [Written(self._path, self._rows)]


class ParquetWriter:
    """Writes one Parquet file, typed and compressed."""

    def __init__(self, folder: Path, name: str, columns: tuple[Column, ...]) -> None:
        self._path = folder / f"{name}.parquet"
        self._columns = columns
        self._rows = 0
        self._waiting: list[pa.Table] = []
        self._writer = pq.ParquetWriter(self._path, arrow_schema(columns), compression="zstd")

    def write(self, table: pa.Table) -> None:
        self._waiting.append(table)
        self._rows += len(table)
        if sum(len(part) for part in self._waiting) >= ROW_GROUP:
            self._flush()

    def close(self) -> list[Written]:
        self._flush()
        self._writer.close()
        return [Written(self._path, self._rows)]

    def _flush(self) -> None:
        if self._waiting:
            self._writer.write_table(pa.concat_tables(self._waiting))
        self._waiting = []


def _reason_label(column: Column) -> str:
    return f"Why {column.name} is missing"

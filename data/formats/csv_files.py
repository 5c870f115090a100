"""Writes tables as CSV files."""

from pathlib import Path

import polars as pl
import pyarrow as pa
from polars import col, concat_str, lit, when

from data.formats import Written
from data.formats.csv_text import ESCAPE, RISKY, is_text
from data.schema import Column
from data.schema.missing import Missing

TIME_FORMAT = "%Y-%m-%dT%H:%M:%S%.3fZ"
CODES = [str(reason) for reason in Missing]


class CsvWriter:
    """Writes one CSV file: UTF-8, a header, `\\n` line ends, quotes only where needed, codes for missing values."""

    def __init__(self, folder: Path, name: str, columns: tuple[Column, ...]) -> None:
        self._path = folder / f"{name}.csv"
        self._columns = columns
        self._rows = 0
        self._file = self._path.open("wb")
        self._file.write(",".join(column.name for column in columns).encode() + b"\n")

    def write(self, frame: pl.DataFrame) -> None:
        texts = frame.select(as_text(column, frame[column.name]).alias(column.name) for column in self._columns)
        texts = texts.with_columns(when(pl.all() != "").then(pl.all()))  # polars quotes an empty text, and no null
        texts.write_csv(self._file, include_header=False, quote_style="necessary")
        self._rows += frame.height

    def close(self) -> list[Written]:
        self._file.close()
        return [Written(self._path, self._rows)]


def as_text(column: Column, cells: pl.Series) -> pl.Expr:
    """A column as text; a missing value is its code."""
    text = col(column.name)
    match column.type:
        case "datetime":
            text = text.dt.strftime(TIME_FORMAT)
        case "number":  # as Arrow writes numbers: without a decimal point where it is not needed
            text = lit(pl.Series(cells.to_arrow().cast(pa.string())))
        case "string" | "json" if is_text(column):
            text = escaped_column(text)
        case "integer" | "boolean" | "date":
            text = text.cast(pl.String)
    if column.reason_column:
        return pl.coalesce(text, column.reason_column)
    return text.fill_null(str(column.missing[0])) if column.missing else text


def escaped_column(texts: pl.Expr) -> pl.Expr:
    """`csv_text.escaped` for a column; missing cells stay missing."""
    risky = texts.str.contains(RISKY) | texts.is_in(CODES)
    return when(risky).then(concat_str(lit(ESCAPE), texts)).otherwise(texts)

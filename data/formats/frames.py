"""The frames that writers take: a column for each shipped column of a table, null where a cell is missing, and a column
`<name>_missing` where there are several reasons."""

import polars as pl

from data.schema import Column

FRAME_TYPES = {
    "string": pl.String(),
    "integer": pl.Int64(),
    "number": pl.Float64(),
    "boolean": pl.Boolean(),
    "datetime": pl.Datetime("ms", "UTC"),
    "date": pl.Date(),
    "json": pl.String(),
}


def frame_schema(columns: tuple[Column, ...]) -> pl.Schema:
    """The names and types of a frame."""
    found: dict[str, pl.DataType] = {}
    for column in columns:
        found[column.name] = FRAME_TYPES[column.type]
        if column.reason_column:
            found[column.reason_column] = pl.String()
    return pl.Schema(found)

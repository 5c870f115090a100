"""JSON and NDJSON. They need no extra: polars makes the text of whole columns.

JSON is one document: `{"about": …, "tables": {name: [row, …]}, "summary": …}`. NDJSON has one row on each line, with
the name of its `table`, between a line `about` and a line `summary`. A missing cell is null; when its column has
several reasons, `<name>_missing` holds the reason.
"""

from pathlib import Path
from typing import Any

import msgspec
import polars as pl
from polars import Expr, col, concat_str, lit

from data.formats import file_digest
from data.schema import TABLES, Column

TO_ESCAPE = r'["\\\x00-\x1f]'
"""The characters that JSON does not hold as themselves."""
_encode = msgspec.json.Encoder().encode


class JsonSink:
    """Writes all tables into one file. For each table call `table`, then `write` for each part; at the end `close`."""

    def __init__(self, path: Path, about: dict[str, Any], *, lines: bool, identifiers: bool = False) -> None:
        self._path, self._lines, self._identifiers = path, lines, identifiers
        self._tables, self._rows = 0, 0
        self._file = path.open("wb")
        if self._lines:
            self._file.write(_encode({"about": about}) + b"\n")
        else:
            self._file.write(b'{"about":' + _encode(about) + b',\n"tables":{')

    def table(self, name: str) -> None:
        """Begin a table. A table may stay empty."""
        self._name, self._columns = name, TABLES[name].shipped(identifiers=self._identifiers)
        if not self._lines:
            self._file.write((b"\n],\n" if self._tables else b"\n") + _encode(name) + b":[")
        self._tables += 1
        self._rows = 0

    def write(self, frame: pl.DataFrame) -> None:
        """Write rows of the table that was begun last."""
        if frame.is_empty():
            return
        if self._lines:
            objects = json_objects(self._columns, frame, f'"table":{_json(self._name)},')
            self._file.write(objects.str.join("\n").item().encode() + b"\n")
        else:
            objects = json_objects(self._columns, frame)
            self._file.write((b",\n" if self._rows else b"\n") + objects.str.join(",\n").item().encode())
        self._rows += frame.height

    def close(self, about: dict[str, Any], extra: dict[str, str]) -> str:  # noqa: ARG002 - `Packer.close` takes it, too
        """Write the summary, close the file and return its digest."""
        found = _encode({name: about[name] for name in ("rows", "changes_since", "disclosure")})
        if self._lines:
            self._file.write(b'{"summary":' + found + b"}\n")
        else:
            self._file.write((b"\n]" if self._tables else b"") + b'},\n"summary":' + found + b"}\n")
        self._file.close()
        return file_digest(self._path)


def json_objects(columns: tuple[Column, ...], frame: pl.DataFrame, first: str = "") -> pl.Series:
    """The rows as JSON objects. `first` is JSON that each begins with."""
    parts: list[Expr] = [lit("{" + first)]
    for column in columns:
        parts += [lit(f"{_json(column.name)}:"), _text(column, frame[column.name]).fill_null("null"), lit(",")]
        if column.reason_column:
            reason = _quoted(col(column.reason_column)).fill_null("null")
            parts += [lit(f"{_json(column.reason_column)}:"), reason, lit(",")]
    return frame.select(concat_str(*parts[:-1], lit("}"))).to_series()


def _text(column: Column, cells: pl.Series) -> Expr:
    """The cells as JSON, null for a missing one."""
    match column.type:
        case "string":
            return lit(_strings(cells)) if cells.str.contains(TO_ESCAPE).any() else _quoted(col(column.name))
        case "datetime":
            return col(column.name).dt.strftime('"%Y-%m-%dT%H:%M:%S.%3fZ"')
        case "date":
            return _quoted(col(column.name).cast(pl.String))
    return col(column.name).cast(pl.String)  # a number or `true` is written as in JSON, and JSON is JSON


def _quoted(text: Expr) -> Expr:
    return concat_str(lit('"'), text, lit('"'))


def _strings(cells: pl.Series) -> pl.Series:
    """Texts of which some have characters to escape."""
    distinct = cells.unique().drop_nulls()
    return cells.replace_strict(distinct, [_json(text) for text in distinct], default=None, return_dtype=pl.String)


def _json(value: Any) -> str:
    return _encode(value).decode()

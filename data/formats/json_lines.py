"""JSON and NDJSON, written without a library that the service does not have anyway.

JSON is one document: `{"about": …, "tables": {name: [row, …]}, "summary": …}`. NDJSON has one row on each line, with
the name of its `table`, between a line `about` and a line `summary`. A missing cell is null; when its column has
several reasons, `<name>_missing` holds the reason.
"""

from datetime import date, datetime
from pathlib import Path
from typing import Any

import msgspec

from data.formats import Row, Rows, file_digest
from data.schema import TABLES, Column
from data.schema.missing import Missing

_encode = msgspec.json.Encoder().encode


def json_row(columns: tuple[Column, ...], row: Row) -> dict[str, Any]:
    """A row as the object that JSON shows."""
    shown: dict[str, Any] = {}
    for column, cell in zip(columns, row, strict=True):
        absent = type(cell) is Missing
        shown[column.name] = None if absent else _plain(column, cell)
        if column.reason_column:
            shown[column.reason_column] = str(cell) if absent else None
    return shown


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

    def write(self, rows: Rows) -> None:
        """Write rows of the table that was begun last."""
        for row in rows:
            shown = json_row(self._columns, row)
            if self._lines:
                self._file.write(_encode({"table": self._name} | shown) + b"\n")
            else:
                self._file.write((b",\n" if self._rows else b"\n") + _encode(shown))
            self._rows += 1

    def close(self, about: dict[str, Any], extra: dict[str, str]) -> str:  # noqa: ARG002 - `Packer.close` takes it, too
        """Write the summary, close the file and return its digest."""
        found = _encode({name: about[name] for name in ("rows", "changes_since", "disclosure")})
        if self._lines:
            self._file.write(b'{"summary":' + found + b"}\n")
        else:
            self._file.write((b"\n]" if self._tables else b"") + b'},\n"summary":' + found + b"}\n")
        self._file.close()
        return file_digest(self._path)


def _plain(column: Column, cell: Any) -> Any:
    match cell:
        case datetime():
            return f"{cell:%Y-%m-%dT%H:%M:%S}.{cell.microsecond // 1000:03}Z"
        case date():
            return cell.isoformat()
        case str() if column.type == "json":
            return msgspec.Raw(cell.encode())
    return cell

"""Writers of tables, one for each format. They take frames of rows in parts (`frames.py`), so that no whole table is
held in memory.

Tables that are not read from a database may be rows first: tuples in the order of the shipped columns, in which a cell
without a value holds the reason (`Missing`). `columnar.to_arrow` checks them.
"""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from coach_model.regular_files import open_regular

type Format = Literal["json", "ndjson", "csv", "parquet", "sav", "dta"]
type Row = tuple[Any, ...]
type Rows = Sequence[Row]

FORMATS: dict[Format, str] = {
    "json": "one JSON document",
    "ndjson": "a JSON document a line",
    "csv": "a dataset package of CSV files",
    "parquet": "a dataset package of Parquet files",
    "sav": "a dataset package of labelled SPSS files",
    "dta": "a dataset package of labelled Stata files",
}
PACKAGED: tuple[Format, ...] = ("csv", "parquet", "sav", "dta")


@dataclass(frozen=True)
class Written:
    """A written file that holds a table or a part of one."""

    path: Path
    rows: int


HASHED_BYTES = 1 << 20
"""Bytes of a file that are read at once for its digest."""


def file_digest(path: Path) -> str:
    """The SHA-256 of a regular file in hexadecimal. The file is read in parts. Raises OSError."""
    with open_regular(path) as opened:
        digest = hashlib.sha256()
        while part := opened.read(HASHED_BYTES):
            digest.update(part)
    return digest.hexdigest()

"""Writers of a table, one for each format, fed in parts so that no table is ever held in memory.

A row is a tuple in the order of the shipped columns. Where there is no value it holds the reason (`Missing`).
"""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

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
    """A file that holds a table, or a part of one."""

    path: Path
    rows: int


HASHED_BYTES = 1 << 20
"""How much of a file is read at once to be hashed."""


def file_digest(path: Path) -> str:
    """SHA-256 of a file, read in parts."""
    with path.open("rb") as opened:
        digest = hashlib.sha256()
        while part := opened.read(HASHED_BYTES):
            digest.update(part)
    return digest.hexdigest()

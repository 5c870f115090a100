"""Text in CSV cells, so that spreadsheets do not run it and every reader gets it back.

A spreadsheet takes a cell that begins with `=`, `+`, `-` or `@` for a formula (OWASP, CSV injection). So one apostrophe
stands before a text that

- begins with one of `= + - @`, their full-width forms, or an apostrophe, blanks before it or not,
- begins with a control such as tab or carriage return, or
- is exactly a code of a missing value (`SKIPPED`).

Removing one leading apostrophe gives the text back, always: a text that begins with one was given another. Only text
columns are escaped; -5.00 stays a number.
"""

import csv
import re
from collections.abc import Iterable, Sequence
from typing import Any, TextIO

from data.schema import Column
from data.schema.missing import Missing

ESCAPE = "'"
BLANKS = "\x01-\x20\x7f-\xa0\u3000\ufeff"
RISKY = f"^(?:[{BLANKS}]*['=+@＝＋－＠\\-]|[\x01-\x1f\x7f-\x9f])"
"""An expression for Python and for RE2 alike."""
HOW_TO_UNDO = (
    "In text columns one apostrophe stands before a text that a spreadsheet could run as a formula, that begins with an"
    " apostrophe, or that reads like a code of a missing value. Remove one leading apostrophe to get the text."
)
OLD_ESCAPE = "\\"
"""Packages that do not say how they escape have this before a text that reads like a code, and nothing else."""

_risky = re.compile(RISKY)
_codes = frozenset(map(str, Missing))


def is_text(column: Column) -> bool:
    """Whether a column holds text that a person or an app made up."""
    return column.type in {"string", "json"} and column.categories is None and not column.pattern


def escaped(text: str) -> str:
    """A text as it stands in a cell."""
    return ESCAPE + text if _risky.search(text) or text in _codes else text


class LineWriter:
    """Writes rows as CSV lines. A lone carriage return is quoted, which Python's csv does only from 3.12.3 on."""

    def __init__(self, file: TextIO) -> None:
        self._file = file
        self._csv = csv.writer(file, lineterminator="\n")

    def rows(self, rows: Iterable[Sequence[Any]], *, has_returns: bool = True) -> None:
        """`has_returns` is false where no cell has a carriage return; that is faster."""
        if not has_returns:
            self._csv.writerows(rows)
            return
        for row in rows:
            if any("\r" in cell for cell in row if isinstance(cell, str)):
                self._file.write(",".join(map(_quoted, row)) + "\n")
            else:
                self._csv.writerow(row)


def _quoted(cell: Any) -> str:
    return "" if cell is None else '"' + str(cell).replace('"', '""') + '"'

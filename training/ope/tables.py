"""Reads tables that were made elsewhere: CSV of any separator, Parquet. What is wrong is named with column and rows."""

from collections import Counter
from collections.abc import Iterable
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv as pa_csv
import pyarrow.parquet as pq

from coach_model.regular_files import check_regular, open_regular
from data.logs.bandit import Column, Index, InvalidLog
from training.ope.estimators import Matrix

SEPARATORS = ",;\t|"
HEAD_BYTES = 64 * 1024
"""Of a CSV file, in which its first line is looked for."""
SHOWN = 20
"""Names of columns that an error lists."""


def read_table(file: Path, texts: Iterable[str] = ()) -> pa.Table:
    """Read a CSV or Parquet file. `texts` are columns of ids, which are no numbers: 007 is not 7. The separator of a
    CSV is the one of `SEPARATORS` that its first line has most of.

    Raises InvalidLog when it is neither, is not UTF-8, or has two columns of one name.
    """
    try:
        check_regular(file)
        table = pq.read_table(file) if file.suffix == ".parquet" else _read_csv(file, texts)
    except (OSError, pa.ArrowException) as error:
        if "UTF8" in str(error):
            raise InvalidLog(f"{file}: {error}; `iconv -f latin1 -t utf8` converts most such files") from error
        raise InvalidLog(f"{file}: {' '.join(str(error).split())}") from error
    for name, column in zip(table.column_names, table.columns, strict=True):
        if file.suffix != ".parquet" and pa.types.is_binary(column.type):
            raise InvalidLog(f"{file}: {name!r} is not UTF-8; `iconv -f latin1 -t utf8` converts most such files")
    twice = sorted(name for name, count in Counter(table.column_names).items() if count > 1)
    if twice:
        raise InvalidLog(f"{file}: two columns are named {', '.join(map(repr, twice))}")
    return table


def _read_csv(file: Path, texts: Iterable[str]) -> pa.Table:
    with open_regular(file) as opened:
        first = opened.read(HEAD_BYTES).split(b"\n")[0].decode("utf-8", "replace")
    separator = max(SEPARATORS, key=first.count)
    kinds = pa_csv.ConvertOptions(column_types=dict.fromkeys(texts, pa.string()))
    return pa_csv.read_csv(file, parse_options=pa_csv.ParseOptions(delimiter=separator), convert_options=kinds)


def check_columns(file: Path, table: pa.Table, names: list[str]) -> None:
    """Raises InvalidLog for a column that is not there."""
    for name in names:
        if name not in table.column_names:
            there = ", ".join(table.column_names[:SHOWN])
            raise InvalidLog(f"{file}: there is no column {name!r}; there are {there}")


def numbers(table: pa.Table, names: list[str]) -> Matrix:
    """(n, c): the columns as float64, NaN for empty cells. Raises InvalidLog for a column of other values."""
    columns: list[Column] = []
    for name in names:
        column = table[name]
        if pa.types.is_nested(column.type):
            raise InvalidLog(
                f"{name}: each cell is a {column.type}, expected a number; one column for each value is read"
            )
        try:
            columns.append(column.cast(pa.float64()).to_numpy(zero_copy_only=False))
        except pa.ArrowException as error:
            raise InvalidLog(f"{name}: {_first_text(column) or error}") from error
    return np.stack(columns, axis=1).astype(np.float64)


def identities(table: pa.Table, name: str) -> Index:
    """(n,): a number for each participant, from ids of any type. Raises InvalidLog for rows without an id, which would
    all become one person."""
    column = table[name]
    if pa.types.is_nested(column.type):
        raise InvalidLog(f"{name}: each cell is a {column.type}, expected an id")
    if pa.types.is_floating(column.type):
        column = pc.if_else(pc.is_nan(column), None, column)
    texts = pc.utf8_trim_whitespace(column.cast(pa.string()))
    blank = pc.or_kleene(pc.is_null(texts), pc.equal(texts, "")).to_numpy(zero_copy_only=False).astype(bool)
    check_rows(blank, f"{name}: no participant")
    return np.unique(texts.to_numpy(zero_copy_only=False).astype(str), return_inverse=True)[1].astype(np.int64)


def check_rows(bad: np.ndarray, problem: str) -> None:
    """Raises InvalidLog with the number of bad rows (n,) and the first of them, counted from 1 without the head."""
    if bad.any():
        raise InvalidLog(f"{problem} in {int(bad.sum())} rows, first in row {int(np.argmax(bad)) + 1}")


def _first_text(column: pa.ChunkedArray) -> str:
    """Says where the first cell is that is no number."""
    for row, cell in enumerate(column.to_pylist(), 1):
        try:
            if cell is not None:
                float(cell)
        except (TypeError, ValueError):
            return f"row {row} has {str(cell)[:40]!r}, expected a number"
    return ""

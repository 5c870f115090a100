"""SPSS and Stata files with variable labels, value labels, and a code for each reason of a missing value.

Categories become numbers with labels. pyreadstat writes whole data frames and cannot append to a file, so a large table
becomes several files of `PART_ROWS` rows.
"""

from pathlib import Path
from typing import Any

import polars as pl
import pyarrow as pa
import pyarrow.compute as pc
import pyreadstat

from data.formats import Written
from data.formats.columnar import to_arrow
from data.schema import Column
from data.schema.missing import MEANING, SPSS, SPSS_RANGE, STATA, Missing

PART_ROWS = 100_000
STATA_VERSION = 15
"""Files of this version hold Unicode (format 118)."""
LONGEST_SPSS_LABEL = 256
"""Bytes in UTF-8 of a variable label."""
LONGEST_STATA_LABEL = 80
"""Characters of a variable label; the file has room for 320 bytes."""

YES_NO = {0: "no", 1: "yes"}


class _LabelledWriter:
    """Collects rows into parts. A subclass writes a part in its format."""

    suffix: str

    def __init__(self, folder: Path, name: str, columns: tuple[Column, ...]) -> None:
        self._folder, self._name, self._columns = folder, name, columns
        self._held = to_arrow(columns, [])
        self._written: list[Written] = []

    def write(self, table: pa.Table) -> None:
        held = pa.concat_tables([self._held, table])
        while len(held) > PART_ROWS:
            self._write_part(held.slice(0, PART_ROWS))
            held = held.slice(PART_ROWS)
        self._held = held

    def close(self) -> list[Written]:
        self._write_part(self._held)
        if len(self._written) == 1:  # a single file has the table's name without a number
            only = self._written[0]
            self._written = [Written(only.path.rename(self._folder / f"{self._name}.{self.suffix}"), only.rows)]
        return self._written

    def _write_part(self, table: pa.Table) -> None:
        path = self._folder / f"{self._name}_part{len(self._written) + 1}.{self.suffix}"
        self._write(table, path)
        self._written.append(Written(path, len(table)))

    def _write(self, table: pa.Table, path: Path) -> None:
        raise NotImplementedError

    def _labels(self, columns: list[str]) -> dict[str, str | None]:
        labels = {column.name: column.label for column in self._columns}
        labels |= {c.reason_column: f"Why {c.name} is missing" for c in self._columns if c.reason_column}
        return {name: self._cut(labels[name].strip()).rstrip() for name in columns}  # a space at its end is not read

    @staticmethod
    def _cut(label: str) -> str:
        """As much of a variable label as the format holds."""
        raise NotImplementedError


class SpssWriter(_LabelledWriter):
    """Writes SPSS system files; reasons are user-missing values."""

    suffix = "sav"

    @staticmethod
    def _cut(label: str) -> str:
        return label.encode()[:LONGEST_SPSS_LABEL].decode(errors="ignore")

    def _write(self, table: pa.Table, path: Path) -> None:
        series: dict[str, pl.Series] = {}
        labels: dict[str, dict[Any, str]] = {}
        missing: dict[str, Any] = {}
        for column in self._columns:
            values = _numbers(column, table)
            if values is None:
                series |= _unlabelled(column, table, labels)
                continue
            codes = {SPSS[reason]: MEANING[reason] for reason in column.missing}
            if codes:
                values = pc.coalesce(values.cast(pa.float64()), _reasons(column, table, SPSS))
                missing[column.name] = [{"lo": SPSS_RANGE[0], "hi": SPSS_RANGE[1]}]
            labels[column.name] = _value_labels(column) | codes
            series[column.name] = pl.from_arrow(values)  # type: ignore[assignment]
        frame = pl.DataFrame(series)
        pyreadstat.write_sav(
            frame,
            path,
            column_labels=self._labels(frame.columns),
            variable_value_labels={name: found for name, found in labels.items() if found},
            missing_ranges=missing,
            row_compress=True,
        )


class StataWriter(_LabelledWriter):
    """Writes Stata datasets; reasons are extended missing values."""

    suffix = "dta"

    @staticmethod
    def _cut(label: str) -> str:
        return label[:LONGEST_STATA_LABEL]

    def _write(self, table: pa.Table, path: Path) -> None:
        series: dict[str, pl.Series] = {}
        labels: dict[str, dict[Any, str]] = {}
        missing = {}
        for column in self._columns:
            values = _numbers(column, table)
            if values is None:
                series |= _unlabelled(column, table, labels)
                continue
            labels[column.name] = _value_labels(column)
            if values.null_count:  # pyreadstat accepts letters only in a column that has some
                labels[column.name] |= {STATA[reason]: MEANING[reason] for reason in column.missing}
                missing[column.name] = [STATA[reason] for reason in column.missing]
                letters = _reasons(column, table, STATA).to_pylist()
                cells = [
                    letter if cell is None else cell for cell, letter in zip(values.to_pylist(), letters, strict=True)
                ]
                series[column.name] = pl.Series(column.name, cells, dtype=pl.Object)
            else:
                series[column.name] = pl.from_arrow(values)  # type: ignore[assignment]
        frame = pl.DataFrame(series)
        pyreadstat.write_dta(
            frame,
            path,
            version=STATA_VERSION,
            column_labels=self._labels(frame.columns),
            variable_value_labels={name: found for name, found in labels.items() if found},
            missing_user_values=missing,
        )


def _numbers(column: Column, table: pa.Table) -> pa.Array | None:
    """The column as numbers, null for a missing value; None when the column holds text or times."""
    values = table[column.name].combine_chunks()
    if column.type == "boolean":
        return values.cast(pa.int64())
    if column.type in {"integer", "number"}:
        return values
    if column.categories is None:
        return None
    return pc.add(pc.index_in(values, pa.array(list(column.categories))).cast(pa.int64()), 1)


def _value_labels(column: Column) -> dict[Any, str]:
    if column.type == "boolean":
        return dict(YES_NO)
    categories = column.categories or {}
    if column.type == "integer":
        return {int(value): label for value, label in categories.items()}
    return dict(enumerate(categories, 1))


def _reasons(column: Column, table: pa.Table, codes: dict[Missing, Any]) -> pa.Array:
    """For each row, the format's code for the reason of a missing value; null where there is a value."""
    type_ = pa.string() if codes is STATA else pa.float64()
    if not column.reason_column:
        only = pa.scalar(codes[column.missing[0]], type_)
        return pc.if_else(pc.is_null(table[column.name].combine_chunks()), only, pa.scalar(None, type_))
    known = pa.array([str(reason) for reason in column.missing])
    values = pa.array([codes[reason] for reason in column.missing], type_)
    return values.take(pc.index_in(table[column.reason_column].combine_chunks(), known))


def _unlabelled(column: Column, table: pa.Table, labels: dict[str, dict[Any, str]]) -> dict[str, pl.Series]:
    """A column of text or times and, when it has several reasons, the column of its reasons as labelled numbers."""
    values = table[column.name].combine_chunks()
    if column.type == "datetime":
        values = values.cast(pa.timestamp("ms"))  # neither format has time zones; the values are UTC
    elif column.type != "date":
        values = pc.fill_null(values, "")
    found = {column.name: pl.from_arrow(values)}
    if column.reason_column:
        known = [str(reason) for reason in column.missing]
        number = pc.index_in(table[column.reason_column].combine_chunks(), pa.array(known))
        found[column.reason_column] = pl.from_arrow(pc.add(pc.fill_null(number, -1).cast(pa.int64()), 1))
        labels[column.reason_column] = {0: "not missing"} | dict(enumerate((MEANING[r] for r in column.missing), 1))
    return found  # type: ignore[return-value]

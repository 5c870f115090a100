"""SPSS and Stata files with variable labels, value labels, and a code for each reason of a missing value.

Categories become numbers with labels. pyreadstat writes whole data frames and cannot append to a file, so a large table
becomes several files of `PART_ROWS` rows.
"""

from pathlib import Path
from typing import Any

import polars as pl
import pyreadstat

from data.formats import Written
from data.formats.frames import frame_schema
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
        self._held = pl.DataFrame(schema=frame_schema(columns))
        self._written: list[Written] = []

    def write(self, frame: pl.DataFrame) -> None:
        held = pl.concat([self._held, frame])
        while len(held) > PART_ROWS:
            self._write_part(held.head(PART_ROWS))
            held = held.slice(PART_ROWS)
        self._held = held

    def close(self) -> list[Written]:
        self._write_part(self._held)
        if len(self._written) == 1:  # a single file has the table's name without a number
            only = self._written[0]
            self._written = [Written(only.path.rename(self._folder / f"{self._name}.{self.suffix}"), only.rows)]
        return self._written

    def _write_part(self, part: pl.DataFrame) -> None:
        path = self._folder / f"{self._name}_part{len(self._written) + 1}.{self.suffix}"
        self._write(part, path)
        self._written.append(Written(path, len(part)))

    def _write(self, part: pl.DataFrame, path: Path) -> None:
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

    def _write(self, part: pl.DataFrame, path: Path) -> None:
        series: dict[str, pl.Series] = {}
        labels: dict[str, dict[Any, str]] = {}
        missing: dict[str, Any] = {}
        for column in self._columns:
            values = _numbers(column, part)
            if values is None:
                series |= _unlabelled(column, part, labels)
                continue
            codes = {SPSS[reason]: MEANING[reason] for reason in column.missing}
            if codes:
                values = _first(values.cast(pl.Float64), _reasons(column, part, SPSS))
                missing[column.name] = [{"lo": SPSS_RANGE[0], "hi": SPSS_RANGE[1]}]
            labels[column.name] = _value_labels(column) | codes
            series[column.name] = values
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

    def _write(self, part: pl.DataFrame, path: Path) -> None:
        series: dict[str, pl.Series] = {}
        labels: dict[str, dict[Any, str]] = {}
        missing = {}
        for column in self._columns:
            values = _numbers(column, part)
            if values is None:
                series |= _unlabelled(column, part, labels)
                continue
            labels[column.name] = _value_labels(column)
            if values.null_count():  # pyreadstat accepts letters only in a column that has some
                labels[column.name] |= {STATA[reason]: MEANING[reason] for reason in column.missing}
                missing[column.name] = [STATA[reason] for reason in column.missing]
                letters = _reasons(column, part, STATA)
                cells = [letter if cell is None else cell for cell, letter in zip(values, letters, strict=True)]
                series[column.name] = pl.Series(column.name, cells, dtype=pl.Object)
            else:
                series[column.name] = values
        frame = pl.DataFrame(series)
        pyreadstat.write_dta(
            frame,
            path,
            version=STATA_VERSION,
            column_labels=self._labels(frame.columns),
            variable_value_labels={name: found for name, found in labels.items() if found},
            missing_user_values=missing,
        )


def _numbers(column: Column, part: pl.DataFrame) -> pl.Series | None:
    """The column as numbers, null for a missing value; None when the column holds text or times."""
    values = part[column.name]
    if column.type == "boolean":
        return values.cast(pl.Int64)
    if column.type in {"integer", "number"}:
        return values
    if column.categories is None:
        return None
    numbers = {name: number for number, name in enumerate(column.categories, 1)}
    return values.replace_strict(numbers, default=None, return_dtype=pl.Int64)


def _value_labels(column: Column) -> dict[Any, str]:
    if column.type == "boolean":
        return dict(YES_NO)
    categories = column.categories or {}
    if column.type == "integer":
        return {int(value): label for value, label in categories.items()}
    return dict(enumerate(categories, 1))


def _reasons(column: Column, part: pl.DataFrame, codes: dict[Missing, Any]) -> pl.Series:
    """For each row, the format's code for the reason of a missing value; null where there is a value."""
    if not column.reason_column:
        only = pl.lit(codes[column.missing[0]])
        return part.select(pl.when(pl.col(column.name).is_null()).then(only)).to_series()
    return part[column.reason_column].replace_strict({str(reason): codes[reason] for reason in column.missing})


def _unlabelled(column: Column, part: pl.DataFrame, labels: dict[str, dict[Any, str]]) -> dict[str, pl.Series]:
    """A column of text or times and, when it has several reasons, the column of its reasons as labelled numbers."""
    values = part[column.name]
    if column.type == "datetime":
        values = values.dt.replace_time_zone(None)  # neither format has time zones; the values are UTC
    elif column.type != "date":
        values = values.fill_null("")
    found = {column.name: values}
    if column.reason_column:
        numbers = {str(reason): number for number, reason in enumerate(column.missing, 1)}
        reasons = part[column.reason_column].replace_strict(numbers, return_dtype=pl.Int64)
        found[column.reason_column] = reasons.fill_null(0)
        labels[column.reason_column] = {0: "not missing"} | dict(enumerate((MEANING[r] for r in column.missing), 1))
    return found


def _first(values: pl.Series, codes: pl.Series) -> pl.Series:
    """The values, and codes where there is none."""
    return pl.select(pl.coalesce(values, codes)).to_series()

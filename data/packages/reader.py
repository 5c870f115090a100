"""Reads dataset packages as arrays, and writes them from arrays (`data.packages.writer` writes them from rows).

Reading checks digests, columns, types, ranges, categories and keys. CSV and Parquet can be read. SPSS and Stata files
are for analysis in those programs.
"""

import json
import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np
import numpy.typing as npt
import polars as pl
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv as pa_csv
import pyarrow.parquet as pq

from coach_model.regular_files import check_regular, read_regular_text
from data.formats import Rows, file_digest
from data.formats.columnar import ARROW_TYPES, arrow_schema, to_arrow, unescaped_column, unescaped_old_column
from data.formats.csv_text import ESCAPE, is_text
from data.packages.writer import Packer, package_digest
from data.schema import DATASET_VERSION, TABLES, Column, Table
from data.schema.missing import Missing

PART_ROWS = 10_000
PART_BYTES = 8 * 2**20
"""Bytes of a CSV file that are read at once."""

type Kind = Literal["csv", "parquet"]
type Columns = Mapping[str, npt.NDArray[Any]]


class InvalidPackage(ValueError):
    """The folder is not a valid dataset package; the message says where and why."""


@dataclass(frozen=True)
class Package:
    """A package that was read and checked. In the arrays, a missing cell is None or NaN.

    For a package on disk, each access to a table reads it again; `parts` holds only one part of it in memory.
    """

    path: Path
    tables: Mapping[str, Columns]
    about: dict[str, Any]
    digest: str
    """SHA-256 over the digests of the tables. It does not depend on the text of the README."""

    def parts(self, name: str) -> Iterator[Columns]:
        """A table in parts of about `PART_ROWS` rows. Raises KeyError when there is no such table."""
        if isinstance(self.tables, _OnDisk):
            yield from self.tables.parts(name)
        else:
            yield self.tables[name]

    def arrow_parts(self, name: str, *columns: str) -> Iterator[pa.Table]:
        """These columns of a table in the same parts, as Arrow holds them: no Python object for each cell."""
        if isinstance(self.tables, _OnDisk):
            yield from (part.select(columns) for part in self.tables.arrow_parts(name))
        else:
            table = self.tables[name]
            yield pa.table({column: pa.array(table[column], from_pandas=True) for column in columns})

    def columns(self, name: str, *columns: str) -> dict[str, npt.NDArray[Any]]:
        """Only these columns of a table. Raises KeyError when there is no such table or column."""
        parts = [{column: part[column] for column in columns} for part in self.parts(name)]
        return {column: np.concatenate([part[column] for part in parts]) for column in columns}


class _OnDisk(Mapping[str, Columns]):
    """The tables of a package on disk. Each access reads the table again."""

    def __init__(self, folder: Path, resources: Mapping[str, Any]) -> None:
        self._folder, self._resources = folder, resources

    def __getitem__(self, name: str) -> Columns:
        parts = list(self.parts(name))
        return {column: np.concatenate([part[column] for part in parts]) for column in parts[0]}

    def __iter__(self) -> Iterator[str]:
        return iter(self._resources)

    def __len__(self) -> int:
        return len(self._resources)

    def parts(self, name: str) -> Iterator[Columns]:
        """The parts of a table as numpy arrays. An empty table is one empty part."""
        for part in self.arrow_parts(name):
            yield {column: part[column].to_numpy(zero_copy_only=False) for column in part.column_names}

    def arrow_parts(self, name: str) -> Iterator[pa.Table]:
        """The same as Arrow tables."""
        return _parts(self._folder, TABLES[name], self._resources[name])


def write_package(
    folder: Path,
    tables: Mapping[str, Columns],
    *,
    name: str,
    title: str,
    about: Mapping[str, Any],
    kind: Kind = "csv",
) -> str:
    """Write `tables` (by name in `data.schema.TABLES`) into `folder` and return the package's digest.

    A cell that is None or NaN gets the first reason of its column. `about` is kept in the descriptor: it states the
    origin of the data, with `"synthetic": true` for simulated data. Raises InvalidPackage when a table does not fit the
    schema, before any file is written.
    """
    checked = {table: _checked(TABLES[table], _rows(TABLES[table], columns)) for table, columns in tables.items()}
    _check_keys(checked)
    packer = Packer(folder, kind)
    for table, found in checked.items():
        packer.table(table)
        packer.write(pl.DataFrame(found))
    return packer.close({"name": name, "title": title, **about})


def read_package(folder: Path) -> Package:
    """Read and check the package in `folder`. Raises InvalidPackage with the place and the problem."""
    path = folder / "datapackage.json"
    try:
        descriptor = json.loads(read_regular_text(path))
        resources = {resource["name"]: resource for resource in descriptor["resources"]}
        hashes = {name: [resource["hash"].removeprefix("sha256:")] for name, resource in resources.items()}
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise InvalidPackage(f"{path}: no readable package descriptor ({error})") from error
    if descriptor.get("version") != DATASET_VERSION:
        raise InvalidPackage(f"{path}: version {descriptor.get('version')!r}, this reader knows {DATASET_VERSION!r}")
    keys: dict[str, pa.Table] = {}
    for name, resource in resources.items():
        if resource.get("format") not in {"csv", "parquet"}:
            raise InvalidPackage(f"{path}: {name} is {resource.get('format')!r}; only csv and parquet can be read")
        if name not in TABLES:
            raise InvalidPackage(f"{path}: unknown table {name!r}")
        keys[name] = _checked_keys(folder, TABLES[name], resource)
    _check_keys(keys)
    return Package(folder, _OnDisk(folder, resources), descriptor.get("about", {}), package_digest(hashes))


def _rows(table: Table, columns: Columns) -> Rows:
    """The columns of one table as rows, in the schema's order."""
    shipped = table.shipped(identifiers=False)
    expected = [column.name for column in shipped]
    if sorted(columns) != sorted(expected):
        raise InvalidPackage(f"{table.name}: columns {sorted(set(columns) ^ set(expected))} are missing or unknown")
    return list(zip(*(_cells(column, columns[column.name]) for column in shipped), strict=True))


def _cells(column: Column, values: npt.NDArray[Any]) -> list[Any]:
    absent = column.missing[0] if column.missing else None
    cells: list[Any] = np.asarray(values).tolist()
    return [
        absent if cell is None or (isinstance(cell, float) and math.isnan(cell)) else _as_typed(column, cell)
        for cell in cells
    ]


def _as_typed(column: Column, cell: Any) -> Any:
    whole = column.type == "integer" and isinstance(cell, float) and cell.is_integer()
    return int(cell) if whole else cell


def _checked(table: Table, rows: Rows) -> pa.Table:
    columns = table.shipped(identifiers=False)
    for position, column in enumerate(columns):
        try:
            to_arrow((column,), [(row[position],) for row in rows])
        except (pa.ArrowInvalid, pa.ArrowTypeError, UnicodeEncodeError) as error:
            raise InvalidPackage(f"{table.name}.{column.name}: {error}") from error
    arrow = to_arrow(columns, rows)
    for column in columns:
        _check_column(table, column, arrow[column.name])
    return arrow


def _checked_keys(folder: Path, table: Table, resource: dict[str, Any]) -> pa.Table:
    """Check a whole table, part by part. Returns its key columns and foreign key columns."""
    file = folder / str(resource.get("path"))
    if file.parent != folder:
        raise InvalidPackage(f"{table.name}: {resource.get('path')!r} lies outside the package")
    try:
        if f"sha256:{file_digest(file)}" != resource["hash"]:
            raise InvalidPackage(f"{file}: the digest is not the one that datapackage.json states")
    except (OSError, KeyError, TypeError) as error:
        raise InvalidPackage(f"{table.name}: {error}") from error
    named = list(dict.fromkeys([*table.key, *(column for column, _ in table.foreign_keys)]))
    kept, before = [], 0
    for part in _parts(folder, table, resource):
        for name in part.column_names:
            _check_column(table, table.column(name), part[name], before)
        before += part.num_rows
        kept.append(part.select(named))
    return pa.concat_tables(kept)


def _parts(folder: Path, table: Table, resource: Mapping[str, Any]) -> Iterator[pa.Table]:
    """The table in parts, at least one. Raises InvalidPackage when columns or types differ from the schema."""
    file, is_parquet = folder / resource["path"], resource["format"] == "parquet"
    try:
        check_regular(file)
        source = _parquet_parts(file) if is_parquet else _csv_parts(file, table, resource.get("escape"))
        for part in source:
            yield _typed(table, part, is_parquet=is_parquet)
    except (OSError, pa.ArrowException) as error:
        raise InvalidPackage(f"{table.name}: {error}") from error


def _parquet_parts(file: Path) -> Iterator[pa.Table]:
    with pq.ParquetFile(file) as opened:
        yield pa.Table.from_batches([], opened.schema_arrow)
        for batch in opened.iter_batches(PART_ROWS):
            yield pa.Table.from_batches([batch])


def _csv_parts(file: Path, table: Table, escape: str | None) -> Iterator[pa.Table]:
    types = {column.name: ARROW_TYPES[column.type] for column in table.columns}
    codes = [str(reason) for reason in Missing]
    options = pa_csv.ConvertOptions(column_types=types, strings_can_be_null=True, null_values=codes)
    parsing = pa_csv.ParseOptions(newlines_in_values=True)
    with pa_csv.open_csv(
        file, pa_csv.ReadOptions(block_size=PART_BYTES), parse_options=parsing, convert_options=options
    ) as opened:
        yield pa.Table.from_batches([], opened.schema)
        for batch in opened:
            yield _unescaped(table, pa.Table.from_batches([batch]), escape)


def _unescaped(table: Table, part: pa.Table, escape: str | None) -> pa.Table:
    """The texts as they were before they were escaped, the way that the descriptor says."""
    known = {column.name: column for column in table.columns}
    for position, name in enumerate(part.column_names):
        if name in known and is_text(known[name]):
            plain = unescaped_column if escape == ESCAPE else unescaped_old_column
            part = part.set_column(position, name, plain(part[name]))
    return part


def _typed(table: Table, part: pa.Table, *, is_parquet: bool) -> pa.Table:
    identifiers = any(column.identifies and column.name in part.column_names for column in table.columns)
    columns = table.shipped(identifiers=identifiers)
    names = [column.name for column in columns]
    written = arrow_schema(columns).names if is_parquet else names
    if part.column_names != written:
        raise InvalidPackage(f"{table.name}: columns {part.column_names}, expected {written}")
    for column in columns:
        if part[column.name].type != ARROW_TYPES[column.type]:
            raise InvalidPackage(f"{table.name}.{column.name}: {part[column.name].type}, expected {column.type}")
    return part.select(names)


def _check_column(table: Table, column: Column, array: pa.Array | pa.ChunkedArray, before: int = 0) -> None:
    """Raises InvalidPackage with the row of an invalid cell. `before` is the number of rows in earlier parts."""
    where = f"{table.name}.{column.name}"
    if not column.missing and array.null_count:
        raise InvalidPackage(f"{where}: {array.null_count} cells are missing, and the column is required")
    bad = None
    if column.categories is not None:
        known = pc.is_in(array.cast(pa.string()), value_set=pa.array(list(column.categories)))
        bad = pc.and_(pc.invert(known), pc.is_valid(array))
    elif column.pattern:
        bad = pc.invert(pc.match_substring_regex(array, f"^(?:{column.pattern})$"))
    elif column.type in {"integer", "number"}:
        low = -math.inf if column.minimum is None else column.minimum
        high = math.inf if column.maximum is None else column.maximum
        inside = pc.and_(pc.greater_equal(array, low), pc.less_equal(array, high))
        bad = pc.invert(pc.and_(inside, pc.is_finite(array)))
    if bad is None:
        return
    wrong = array.filter(bad).to_pylist()
    if wrong:
        row = before + bad.to_pylist().index(True)
        raise InvalidPackage(f"{where}: {wrong[0]!r} in row {row + 1} is not allowed ({len(wrong)} such cells)")


def _check_keys(tables: Mapping[str, pa.Table]) -> None:
    for name, arrow in tables.items():
        table = TABLES[name]
        if arrow.group_by(list(table.key)).aggregate([]).num_rows != arrow.num_rows:
            raise InvalidPackage(f"{name}.{', '.join(table.key)}: values are not unique")
        for column, other in table.foreign_keys:
            if other not in tables:
                raise InvalidPackage(f"{name}.{column}: names table {other}, which is not in the package")
            known = pc.is_in(arrow[column], value_set=tables[other][column].unique())
            if not pc.all(known, min_count=0).as_py():
                raise InvalidPackage(f"{name}.{column}: some values are not in {other}")

"""Dataset packages: a folder of tables that describes and proves itself.

    datapackage.json   Frictionless descriptor: every column, its type, range and categories; digests and row counts
    codebook.csv       the same for reading
    README.md          what this is, and whether it is synthetic
    <table>.csv        or <table>.parquet

`write_package` and `read_package` are the only doors. What is read has been checked: digests, columns, types, ranges,
categories, keys. The same tables give the same bytes.
"""

import csv
import hashlib
import io
import json
import math
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv as pa_csv
import pyarrow.parquet as pq

from data.schema import DATASET_VERSION, TABLES, Column, Table

type Kind = Literal["csv", "parquet"]
type Columns = Mapping[str, npt.NDArray[Any]]

ARROW_TYPES = {"string": pa.string(), "integer": pa.int64(), "number": pa.float64()}


class InvalidPackage(ValueError):
    """The folder is no valid dataset package; the message says where and why."""


@dataclass(frozen=True)
class Package:
    """A package that was read and checked."""

    path: Path
    tables: dict[str, dict[str, npt.NDArray[Any]]]
    about: dict[str, Any]
    digest: str
    """SHA-256 over the tables' own digests, so that it does not change with the wording of a README."""


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

    `about` is kept in the descriptor: where the data come from, `"synthetic": true` where nobody lived them. Raises
    InvalidPackage, before anything is written, where a table does not fit the schema.
    """
    arrow = {table: to_arrow(TABLES[table], columns) for table, columns in tables.items()}
    _check_keys(arrow)
    folder.mkdir(parents=True, exist_ok=True)
    resources = []
    for table_name, table in arrow.items():
        content = _encoded(table, kind)
        (folder / f"{table_name}.{kind}").write_bytes(content)
        resources.append(_resource(TABLES[table_name], f"{table_name}.{kind}", kind, content, table.num_rows))
    descriptor = {
        "profile": "tabular-data-package",
        "name": name,
        "title": title,
        "version": DATASET_VERSION,
        "about": dict(about),
        "resources": resources,
    }
    (folder / "datapackage.json").write_text(_json(descriptor), encoding="utf-8")
    (folder / "codebook.csv").write_text(codebook(arrow), encoding="utf-8")
    (folder / "README.md").write_text(_readme(descriptor), encoding="utf-8")
    return package_digest(resources)


def read_package(folder: Path) -> Package:
    """Read and check the package in `folder`. Raises InvalidPackage that says what is wrong and where."""
    path = folder / "datapackage.json"
    try:
        descriptor = json.loads(path.read_text(encoding="utf-8"))
        resources = {resource["name"]: resource for resource in descriptor["resources"]}
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise InvalidPackage(f"{path}: no readable package descriptor ({error})") from error
    if descriptor.get("version") != DATASET_VERSION:
        raise InvalidPackage(f"{path}: version {descriptor.get('version')!r}, this reader knows {DATASET_VERSION!r}")
    arrow = {}
    for name, resource in resources.items():
        if name not in TABLES:
            raise InvalidPackage(f"{path}: unknown table {name!r}")
        arrow[name] = _read_table(folder, TABLES[name], resource)
    _check_keys(arrow)
    tables = {
        name: {column: table[column].to_numpy(zero_copy_only=False) for column in table.column_names}
        for name, table in arrow.items()
    }
    return Package(folder, tables, descriptor.get("about", {}), package_digest(descriptor["resources"]))


def to_arrow(table: Table, columns: Columns) -> pa.Table:
    """The columns of one table as Arrow, in the schema's order and types, checked; NaN becomes missing."""
    expected = [column.name for column in table.columns]
    if sorted(columns) != sorted(expected):
        raise InvalidPackage(f"{table.name}: columns {sorted(set(columns) ^ set(expected))} are missing or unknown")
    arrays = {}
    for column in table.columns:
        try:
            array = pa.array(np.asarray(columns[column.name]).tolist(), ARROW_TYPES[column.type], from_pandas=True)
        except (pa.ArrowInvalid, pa.ArrowTypeError) as error:
            raise InvalidPackage(f"{table.name}.{column.name}: {error}") from error
        arrays[column.name] = array
        _check_column(table, column, array)
    return pa.table(arrays)


def package_digest(resources: list[dict[str, Any]]) -> str:
    """One digest for all tables of a package."""
    lines = sorted(f"{resource['name']} {resource['hash']}\n" for resource in resources)
    return hashlib.sha256("".join(lines).encode()).hexdigest()


def codebook(tables: Mapping[str, pa.Table]) -> str:
    """The codebook as CSV: a line a column, with how many cells are missing."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(
        ["table", "column", "type", "label", "unit", "minimum", "maximum", "values", "missing means", "missing"]
    )
    for name, arrow in tables.items():
        for column in TABLES[name].columns:
            values = "; ".join(f"{value} = {label}" for value, label in (column.categories or {}).items())
            limits = ["" if limit is None else f"{limit:g}" for limit in (column.minimum, column.maximum)]
            missing = arrow[column.name].null_count
            writer.writerow(
                [name, column.name, column.type, column.label, column.unit, *limits, values, column.missing, missing]
            )
    return out.getvalue()


def _encoded(table: pa.Table, kind: Kind) -> bytes:
    sink = io.BytesIO()
    if kind == "csv":
        pa_csv.write_csv(table, sink, pa_csv.WriteOptions(quoting_style="needed", quoting_header="none"))
    else:
        pq.write_table(table, sink, compression="zstd")
    return sink.getvalue()


def _read_table(folder: Path, table: Table, resource: dict[str, Any]) -> pa.Table:
    try:
        file = folder / resource["path"]
        if file.parent != folder:
            raise InvalidPackage(f"{table.name}: {resource['path']!r} lies outside the package")
        content = file.read_bytes()
        if f"sha256:{hashlib.sha256(content).hexdigest()}" != resource["hash"]:
            raise InvalidPackage(f"{file}: the digest is not the one that datapackage.json states")
        if resource["format"] == "parquet":
            arrow = pq.read_table(io.BytesIO(content))
        else:
            types = {column.name: ARROW_TYPES[column.type] for column in table.columns}
            options = pa_csv.ConvertOptions(column_types=types, strings_can_be_null=True, null_values=[""])
            arrow = pa_csv.read_csv(io.BytesIO(content), convert_options=options)
    except (OSError, KeyError, TypeError, pa.ArrowException) as error:
        raise InvalidPackage(f"{table.name}: {error}") from error
    expected = [column.name for column in table.columns]
    if arrow.column_names != expected:
        raise InvalidPackage(f"{table.name}: columns {arrow.column_names}, expected {expected}")
    for column in table.columns:
        if arrow[column.name].type != ARROW_TYPES[column.type]:
            raise InvalidPackage(f"{table.name}.{column.name}: {arrow[column.name].type}, expected {column.type}")
        _check_column(table, column, arrow[column.name])
    return arrow


def _check_column(table: Table, column: Column, array: pa.Array | pa.ChunkedArray) -> None:
    where = f"{table.name}.{column.name}"
    if not column.missing and array.null_count:
        raise InvalidPackage(f"{where}: {array.null_count} cells are missing, and the column is required")
    bad = None
    if column.categories is not None:
        known = pc.is_in(array.cast(pa.string()), value_set=pa.array(list(column.categories)))
        bad = pc.and_(pc.invert(known), pc.is_valid(array))
    elif column.pattern:
        bad = pc.invert(pc.match_substring_regex(array, f"^(?:{column.pattern})$"))
    elif column.type != "string":
        low = -math.inf if column.minimum is None else column.minimum
        high = math.inf if column.maximum is None else column.maximum
        inside = pc.and_(pc.greater_equal(array, low), pc.less_equal(array, high))
        bad = pc.invert(pc.and_(inside, pc.is_finite(array)))
    if bad is None:
        return
    wrong = array.filter(bad).to_pylist()
    if wrong:
        row = bad.to_pylist().index(True)
        raise InvalidPackage(f"{where}: {wrong[0]!r} in row {row + 1} is not allowed ({len(wrong)} such cells)")


def _check_keys(tables: Mapping[str, pa.Table]) -> None:
    for name, arrow in tables.items():
        table = TABLES[name]
        if pc.count_distinct(arrow[table.key]).as_py() != arrow.num_rows:
            raise InvalidPackage(f"{name}.{table.key}: values are not unique")
        for column, other in table.foreign_keys:
            if other not in tables:
                raise InvalidPackage(f"{name}.{column}: names table {other}, which is not in the package")
            known = pc.is_in(arrow[column], value_set=tables[other][TABLES[other].key].unique())
            if not pc.all(known, min_count=0).as_py():
                raise InvalidPackage(f"{name}.{column}: some values are not in {other}")


def _resource(table: Table, path: str, kind: Kind, content: bytes, rows: int) -> dict[str, Any]:
    return {
        "name": table.name,
        "title": table.label,
        "path": path,
        "profile": "tabular-data-resource",
        "format": kind,
        "mediatype": "text/csv" if kind == "csv" else "application/vnd.apache.parquet",
        "encoding": "utf-8",
        "bytes": len(content),
        "hash": f"sha256:{hashlib.sha256(content).hexdigest()}",
        "rows": rows,
        "schema": {
            "fields": [_field(column) for column in table.columns],
            "missingValues": [""],
            "primaryKey": table.key,
            "foreignKeys": [
                {"fields": column, "reference": {"resource": other, "fields": TABLES[other].key}}
                for column, other in table.foreign_keys
            ],
        },
    }


def _field(column: Column) -> dict[str, Any]:
    constraints: dict[str, Any] = {} if column.missing else {"required": True}
    if column.minimum is not None:
        constraints["minimum"] = column.minimum
    if column.maximum is not None:
        constraints["maximum"] = column.maximum
    if column.pattern:
        constraints["pattern"] = column.pattern
    if column.categories is not None:
        constraints["enum"] = [int(value) if column.type == "integer" else value for value in column.categories]
    field: dict[str, Any] = {"name": column.name, "type": column.type, "title": column.label}
    if column.unit:
        field["unit"] = column.unit
    return field | {"constraints": constraints}


def _readme(descriptor: dict[str, Any]) -> str:
    synthetic = (
        "\n**Synthetic data.** Nobody lived this: every row was simulated.\n"
        if descriptor["about"].get("synthetic")
        else ""
    )
    rows = "\n".join(f"| `{r['path']}` | {r['rows']} | {r['title']} |" for r in descriptor["resources"])
    return (
        f"# {descriptor['title']}\n{synthetic}\n| file | rows | what |\n|---|---|---|\n{rows}\n\n"
        "`datapackage.json` describes every column and states the digests; `codebook.csv` is the same for reading.\n"
        "Read it with `data.package.read_package`, or with any tool that knows Frictionless Data Packages.\n"
    )


def _json(value: Any) -> str:
    return json.dumps(value, indent=2, ensure_ascii=False) + "\n"

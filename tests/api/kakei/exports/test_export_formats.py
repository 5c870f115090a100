"""Every format passes its checks and reads back to the same values."""

import json
from pathlib import Path
from typing import Any

import duckdb
import pandas as pd
import pyarrow.parquet as pq
import pyreadstat
import pytest

from data.logs.budget import budget_log
from data.packages.reader import InvalidPackage, read_package
from data.schema import TABLES, Column
from data.schema.missing import MEANING, SPSS, STATA, Missing
from tests.support import forking
from tests.support.exports import export, lines, tables, unpacked
from tests.support.serving import Server

ON_ONE_DATABASE = pytest.mark.parametrize("stored", ["postgresql"], indirect=True)
"""For tests of formats, which do not depend on the database; test_export_truth.py writes all formats from both."""


@pytest.mark.long
@ON_ONE_DATABASE
def test_a_package_passes_every_check(kind: str, stored: Server, study: str, tmp_path: Path) -> None:
    answer = export(stored, kind, study_version=study)
    if kind in {"json", "ndjson"}:
        return
    folder = unpacked(answer, tmp_path)
    done = forking.run("research", "validate", str(folder), "--json")
    checks = {check["what"]: check for check in json.loads(done.stdout)}
    assert set(checks) == {"digests", "schema", "frictionless", "croissant"}
    assert all(check["fine"] for check in checks.values()), checks
    if kind != "csv":
        return
    (folder / "events.csv").write_text("touched")
    assert forking.run("research", "validate", str(folder)).returncode == 1


@pytest.mark.long
def test_what_is_exported_is_what_training_reads(stored: Server, study: str, tmp_path: Path) -> None:
    folder = unpacked(export(stored, "csv", study_version=study), tmp_path)
    package = read_package(folder)
    assert set(package.tables) == set(TABLES) - {"changes"}
    assert len(package.tables["decisions"]["decision_id"]) == 5
    with pytest.raises(InvalidPackage, match=r"no decision points of a study \(5 decisions"):
        budget_log(package)


@pytest.mark.long
@ON_ONE_DATABASE
def test_all_formats_read_back_to_the_same_values(stored: Server, study: str, tmp_path: Path) -> None:
    truth = tables(stored, study_version=study)
    assert lines(export(stored, "ndjson", study_version=study)) == {name: rows for name, rows in truth.items() if rows}
    folders = {
        kind: unpacked(export(stored, kind, study_version=study), tmp_path) for kind in ("csv", "parquet", "sav", "dta")
    }
    for name, rows in truth.items():
        columns = TABLES[name].shipped(identifiers=False)
        parquet = pq.read_table(folders["parquet"] / f"{name}.parquet").to_pylist()
        assert [{key: plain(value) for key, value in row.items()} for row in parquet] == [
            {key: as_text(TABLES[name], key, value) for key, value in row.items()} for row in rows
        ], name
        codes = [str(reason) for reason in Missing]
        csv = pd.read_csv(folders["csv"] / f"{name}.csv", keep_default_na=False, na_values=codes)
        duck = duckdb.read_parquet(str(folders["parquet"] / f"{name}.parquet")).to_arrow_table().to_pylist()
        assert duck == pq.read_table(folders["parquet"] / f"{name}.parquet").to_pylist(), name
        assert len(csv) == len(rows), name
        sav, of_sav = pyreadstat.read_sav(folders["sav"] / f"{name}.sav", user_missing=True)
        dta, of_dta = pyreadstat.read_dta(folders["dta"] / f"{name}.dta", user_missing=True)
        for column in columns:
            told = [cell(row, column) for row in rows]
            assert of_sav.column_names_to_labels[column.name] == column.label[:256]
            assert of_dta.column_names_to_labels[column.name] == column.label[:80]
            if column.type in {"integer", "number"}:
                assert [as_number(value, SPSS) for value in told] == sav[column.name].tolist(), (name, column.name)
                stata = [value if isinstance(value, str) else float(value) for value in dta[column.name].tolist()]
                assert [as_number(value, STATA) for value in told] == stata, (name, column.name)
                assert [None if isinstance(value, Missing) else value for value in told] == [
                    None if pd.isna(value) else value for value in csv[column.name].tolist()
                ]
            if column.missing and any(isinstance(value, Missing) for value in told) and column.type == "integer":
                labels = of_sav.variable_value_labels[column.name]
                assert all(labels[SPSS[reason]] == MEANING[reason] for reason in column.missing)
            if column.categories and column.type == "string" and rows:
                labels = of_sav.variable_value_labels[column.name]
                assert [value for value in told if not isinstance(value, Missing)] == [
                    labels[number] for number in sav[column.name].tolist() if number > 0
                ]


def cell(row: dict[str, Any], column: Column) -> Any:
    """The value of a JSON cell, or why there is none."""
    if row[column.name] is not None:
        return row[column.name]
    reason = row[column.reason_column] if column.reason_column else column.missing[0]
    return Missing(reason)


def as_number(value: Any, codes: dict[Missing, Any]) -> Any:
    return codes[value] if isinstance(value, Missing) else float(value)


def as_text(table: Any, name: str, value: Any) -> Any:
    """A JSON value as Parquet holds it."""
    types = {column.name: column.type for column in table.columns}
    if types.get(name) == "json" and value is not None:
        return json.loads(json.dumps(value))
    return value


def plain(value: Any) -> Any:
    """A Parquet value as JSON shows it."""
    if hasattr(value, "hour"):
        return f"{value:%Y-%m-%dT%H:%M:%S}.{value.microsecond // 1000:03}Z"
    if hasattr(value, "year"):
        return value.isoformat()
    if isinstance(value, str) and value[:1] in {"{", "["}:
        return json.loads(value)
    return value

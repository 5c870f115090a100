"""Any text comes back from CSV: through our reader, Python's, pyarrow's, polars', DuckDB's and pandas'."""

import csv
import hashlib
import io
import json
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pyarrow.csv as pa_csv
import pytest
from frictionless import Package as FrictionlessPackage
from hypothesis import given, settings
from hypothesis import strategies as st

from data.formats.columnar import unescaped_column
from data.formats.csv_files import escaped_column
from data.formats.csv_text import ESCAPE, LineWriter, escaped
from data.packages.reader import read_package
from data.packages.writer import Packer
from data.schema import TABLES
from data.schema.missing import Missing
from tests.support.frames import frame_of

CODES = [str(reason) for reason in Missing]
STARTS = [
    "",
    "=",
    "+",
    "-",
    "@",
    "\t",
    "\r",
    "\n",
    "'",
    "''",
    "\\",
    "＝",
    "＋",
    "－",
    "＠",
    " =",
    "\u3000=",
    "\ufeff=",
    "\x7f",
]
WORDS = st.one_of(
    st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=8),
    st.sampled_from(
        [*CODES, *(ESCAPE + code for code in CODES), *("\\" + code for code in CODES), "", "-5.00", '"', "\r", ","]
    ),
)
TEXT = st.builds(lambda start, text: start + text, st.sampled_from(STARTS), WORDS)
"""Anything that a database can hold, often what spreadsheets and readers take for something else."""
FORMULA = ("=", "+", "-", "@", "＝", "＋", "－", "＠", "\t", "\r")


def written(texts: list[str]) -> str:
    out = io.StringIO(newline="")
    LineWriter(out).rows([["text", "number"], *([escaped(text), -5.0] for text in texts)])
    return out.getvalue()


@given(TEXT)
def test_a_cell_is_no_formula_and_tells_its_text(text: str) -> None:
    cell = escaped(text)
    assert not cell.lstrip().startswith(FORMULA)
    assert not cell.startswith(FORMULA)
    assert cell not in CODES
    assert cell.removeprefix(ESCAPE) == text
    column = pl.DataFrame({"text": [text, None]}).select(escaped_column(pl.col("text"))).to_series()
    assert column.to_list() == [cell, None]
    assert unescaped_column(pa.chunked_array([column.to_arrow().cast(pa.string())])).to_pylist() == [text, None]


@given(st.lists(TEXT, min_size=1, max_size=8))
def test_every_reader_gets_the_same_text(texts: list[str]) -> None:
    content = written(texts)
    rows = list(csv.reader(io.StringIO(content, newline="")))[1:]
    assert [cell.removeprefix(ESCAPE) for cell, _ in rows] == texts
    frame = pd.read_csv(
        io.StringIO(content, newline=""), keep_default_na=False, dtype={"text": str}, lineterminator="\n"
    )
    assert frame["text"].str.removeprefix("'").tolist() == texts
    assert frame["number"].tolist() == [-5.0] * len(texts)
    options = pa_csv.ConvertOptions(column_types={"text": pa.string()}, strings_can_be_null=False)
    parsing = pa_csv.ParseOptions(newlines_in_values=True)
    read = pa_csv.read_csv(pa.py_buffer(content.encode()), parse_options=parsing, convert_options=options)
    assert unescaped_column(read["text"]).to_pylist() == texts
    polars = pl.read_csv(content.encode(), schema_overrides={"text": pl.String})
    assert polars["text"].fill_null("").str.strip_prefix("'").to_list() == texts


@given(st.lists(TEXT, min_size=1, max_size=4, unique=True))
@settings(max_examples=20, deadline=None)
def test_a_package_of_any_text_is_read_back(tmp_path_factory: pytest.TempPathFactory, texts: list[str]) -> None:
    folder = tmp_path_factory.mktemp("package")
    pack(folder, texts)
    package = read_package(folder)
    found = package.tables["progress_snapshots"]["level_title"].tolist()
    assert found == [*texts, None]
    assert FrictionlessPackage(str(folder / "datapackage.json")).validate().valid
    file = str(folder / "progress_snapshots.csv")
    table = duckdb.read_csv(file, all_varchar=True, header=True, delimiter=",", quotechar='"', na_values="no such text")
    cells = [row[0] for row in table.select("level_title").fetchall()]
    assert [cell.removeprefix(ESCAPE) for cell in cells[:-1]] == texts
    assert cells[-1] == "PRIVATE"


def pack(folder: Path, texts: list[str]) -> None:
    """Snapshots whose title is any text; the last one's is private."""
    people = TABLES["participants"].shipped(identifiers=False)
    columns = TABLES["progress_snapshots"].shipped(identifiers=False)
    packer = Packer(folder, "csv")
    packer.table("participants")
    person = tuple("p" if column.name == "participant_id" else plain(column) for column in people)
    packer.write(frame_of("participants", [person]))
    packer.table("progress_snapshots")
    for month, title in enumerate([*texts, Missing.PRIVATE], 1):
        own = {"participant_id": "p", "month": f"2026-{month:02}", "level_title": title}
        packer.write(frame_of("progress_snapshots", [tuple(own.get(column.name, plain(column)) for column in columns)]))
    packer.close({"name": "texts", "title": "Texts"})


def plain(column: Any) -> Any:
    """Some value that a column may have."""
    if column.missing:
        return column.missing[0]
    if column.categories:
        first = next(iter(column.categories))
        return int(first) if column.type == "integer" else first
    simple = {"integer": 1, "number": 1.0, "boolean": True, "json": "[]", "string": "x"}
    if column.type == "datetime":
        return np.datetime64("2026-01-01T00:00:00", "ms").item()
    if column.type == "date":
        return np.datetime64("2026-01-01", "D").item()
    return simple[column.type]


def test_a_package_from_before_is_read_as_it_was_written(tmp_path: Path) -> None:
    """It has a backslash before a text that reads like a code, and does not say how it escapes."""
    pack(tmp_path, ["A", "B", "C"])
    file = tmp_path / "progress_snapshots.csv"
    old = file.read_text().replace(",A,", ",\\SKIPPED,").replace(",B,", ",'tis,").replace(",C,", ",\\x,")
    file.write_text(old)
    descriptor = json.loads((tmp_path / "datapackage.json").read_text())
    for resource in descriptor["resources"]:
        del resource["escape"]
        if resource["path"] == file.name:
            resource["hash"] = f"sha256:{hashlib.sha256(old.encode()).hexdigest()}"
    (tmp_path / "datapackage.json").write_text(json.dumps(descriptor))
    found = read_package(tmp_path).tables["progress_snapshots"]["level_title"].tolist()
    assert found == ["SKIPPED", "'tis", "\\x", None]

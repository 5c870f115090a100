"""Writes dataset packages: a folder of tables with their descriptions and digests.

    <table>.csv          or .parquet, .sav, .dta; large SPSS and Stata tables in parts
    datapackage.json     Frictionless descriptor: every column, its type, range and categories; digests and row counts
    croissant.json       the same for machine learning (MLCommons Croissant)
    codebook.csv, .md    the same for people
    README.md, CHANGELOG.md, CITATION.cff
    manifest.json        digests of the files, row counts, and the origin of the data

`Packer` takes frames of rows in parts, so that no whole table is held in memory. The same rows give the same bytes.
"""

import hashlib
import json
from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from textwrap import fill
from typing import Any

import polars as pl

from data.formats import FORMATS, Format, Written, file_digest
from data.formats.csv_text import HOW_TO_UNDO
from data.packages.descriptor import Packed, PackedFile, codebook_csv, codebook_md, croissant, datapackage
from data.schema import TABLES, Column
from data.schema.missing import MEANING, Missing

README_WIDTH = 120
ABOUT = {
    "description": "A research dataset of the Buddy Coach learning loop.",
    "licence": "For the named research only; not to be passed on.",
    "url": "urn:buddy-coach:dataset",
    "author": "Buddy Coach",
    "citation": "Buddy Coach research dataset.",
    "version": "1",
    "created_at": "2026-01-01T00:00:00Z",
}
"""Defaults for the fields of `about`."""


class Packer:
    """Writes one package. For each table call `table`, then `write` for each part; at the end `close`."""

    def __init__(self, folder: Path, kind: Format, *, identifiers: bool = False) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self._folder, self._kind, self._identifiers = folder, kind, identifiers
        self._packed: list[Packed] = []
        self._name: str | None = None

    def table(self, name: str) -> None:
        """Begin a table. A table may stay empty."""
        self._end_table()
        self._name, self._columns = name, TABLES[name].shipped(identifiers=self._identifiers)
        self._missing: dict[str, Counter[Missing]] = {column.name: Counter() for column in self._columns}
        self._writer = _writer(self._kind)(self._folder, name, self._columns)

    def write(self, frame: pl.DataFrame) -> None:
        """Write rows of the table that was begun last."""
        for column in self._columns:
            self._missing[column.name].update(_reasons(column, frame))
        self._writer.write(frame)

    def close(self, about: Mapping[str, Any], extra: Mapping[str, str] | None = None) -> str:
        """Write the descriptors and return the package's digest. `about` needs `name` and `title`. `extra` holds
        further text files: name to content."""
        self._end_table()
        about = ABOUT | dict(about)
        texts = {
            "datapackage.json": _json(datapackage(self._packed, self._kind, about)),
            "croissant.json": _json(croissant(self._packed, self._kind, about)),
            "codebook.csv": codebook_csv(self._packed),
            "codebook.md": codebook_md(self._packed),
            "README.md": _readme(self._packed, self._kind, about),
            "CHANGELOG.md": f"# Changes\n\n## {about['version']}\n\n{about.get('changes', 'The first release.')}\n",
            "CITATION.cff": _citation(about),
            **(extra or {}),
        }
        for name, text in texts.items():
            (self._folder / name).write_text(text, encoding="utf-8")
        digest = package_digest({one.table.name: [file.sha256 for file in one.files] for one in self._packed})
        manifest = {
            "digest": digest,
            "rows": {one.table.name: one.rows for one in self._packed},
            "files": {name: hashlib.sha256(text.encode()).hexdigest() for name, text in texts.items()}
            | {file.path: file.sha256 for one in self._packed for file in one.files},
            "about": about,
        }
        (self._folder / "manifest.json").write_text(_json(manifest), encoding="utf-8")
        return digest

    def _end_table(self) -> None:
        if self._name is None:
            return
        files = tuple(_packed_file(written) for written in self._writer.close())
        missing = {column: dict(found) for column, found in self._missing.items() if found}
        self._packed.append(Packed(TABLES[self._name], self._columns, files, missing))
        self._name = None


def package_digest(hashes: Mapping[str, list[str]]) -> str:
    """One digest for all tables of a package. It does not depend on the text of the README."""
    lines = sorted(f"{name} {' '.join(found)}\n" for name, found in hashes.items())
    return hashlib.sha256("".join(lines).encode()).hexdigest()


def _writer(kind: Format) -> Any:
    """The class of the writer; only its library is imported."""
    match kind:
        case "csv":
            from data.formats.csv_files import CsvWriter  # noqa: PLC0415

            return CsvWriter
        case "parquet":
            from data.formats.columnar import ParquetWriter  # noqa: PLC0415

            return ParquetWriter
    from data.formats.labelled import SpssWriter, StataWriter  # noqa: PLC0415

    return {"sav": SpssWriter, "dta": StataWriter}[kind]


def _reasons(column: Column, frame: pl.DataFrame) -> dict[Missing, int]:
    if column.reason_column:
        counts = frame.drop_nulls(column.reason_column).group_by(column.reason_column, maintain_order=True).len()
        return {Missing(reason): count for reason, count in counts.iter_rows()}
    empty = frame[column.name].null_count()
    return {column.missing[0]: empty} if empty else {}


def _packed_file(written: Written) -> PackedFile:
    return PackedFile(written.path.name, written.rows, written.path.stat().st_size, file_digest(written.path))


def _readme(packed: list[Packed], kind: Format, about: Mapping[str, Any]) -> str:
    synthetic = (
        "\n**Synthetic data.** Every row was simulated; there were no participants.\n" if about.get("synthetic") else ""
    )
    rows = "\n".join(f"| `{file.path}` | {file.rows} | {one.table.label} |" for one in packed for file in one.files)
    reasons = "\n".join(f"- `{reason}`: {meaning}" for reason, meaning in MEANING.items())
    undo = f'{HOW_TO_UNDO} In pandas: `column.str.removeprefix("\'")`.'
    escapes = f"\n{fill(undo, README_WIDTH)}\n" if kind == "csv" else ""
    return (
        f"# {about['title']}\n{synthetic}\n{about['description']}\n\nFormat: {FORMATS[kind]}.\n\n"
        f"| file | rows | what |\n|---|---|---|\n{rows}\n\n"
        "`codebook.md` explains every column, `datapackage.json` and `croissant.json` say the same to programs, and\n"
        "`manifest.json` states the digest of every file. `buddy research validate` checks all of it.\n\n"
        f"Missing is data. A cell without a value says why:\n\n{reasons}\n\n"
        "Times are UTC; the person's local date and the time zone stand beside them in columns of their own.\n"
        f"{escapes}"
    )


def _citation(about: Mapping[str, Any]) -> str:
    title, version, author = (json.dumps(text) for text in (about["title"], about["version"], about["author"]))
    return (
        "cff-version: 1.2.0\nmessage: Cite this dataset as below.\ntype: dataset\n"
        f"title: {title}\nversion: {version}\n"
        f"date-released: {about['created_at'][:10]}\nauthors:\n  - name: {author}\n"
    )


def _json(value: Any) -> str:
    return json.dumps(value, indent=2, ensure_ascii=False, default=str) + "\n"

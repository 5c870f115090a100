"""Checks a dataset package four times: by its manifest, by the schema, by Frictionless and by Croissant."""

import json
import logging
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from coach_model.regular_files import check_regular, read_regular_text
from data.formats import file_digest
from data.packages.reader import InvalidPackage, read_package
from data.schema.missing import SPSS, STATA

MAX_FINDINGS = 3
"""Number of a tool's findings that are reported."""


@dataclass(frozen=True)
class Check:
    """One line of the report; `fine` is None when the check could not be made."""

    what: str
    fine: bool | None
    found: str


def validate(folder: Path) -> list[Check]:
    """Run all checks on the package in `folder`. The tools open files by name, so they are not run on a folder that
    holds anything but regular files."""
    strange = sorted(entry.name for entry in folder.iterdir() if not entry.is_file()) if folder.is_dir() else []
    if strange:
        return [Check("files", False, f"not regular files: {', '.join(strange)}"[:300])]
    checks = {"digests": _digests, "schema": _schema, "frictionless": _frictionless, "croissant": _croissant}
    return [_run(name, check, folder) for name, check in checks.items()]


def _run(what: str, check: Callable[[Path], str], folder: Path) -> Check:
    try:
        return Check(what, True, check(folder))
    except ImportError as error:
        return Check(what, None, f"not installed: {error.name}")
    except (InvalidPackage, OSError, ValueError, KeyError) as error:
        return Check(what, False, str(error).partition("\n")[0][:300])


def _manifest(folder: Path) -> dict[str, Any]:
    read: dict[str, Any] = json.loads(read_regular_text(folder / "manifest.json"))
    return read


def _digests(folder: Path) -> str:
    files = _manifest(folder)["files"]
    wrong = sorted(name for name, digest in files.items() if file_digest(folder / name) != digest)
    extra = sorted({file.name for file in folder.iterdir()} - set(files) - {"manifest.json"})
    if wrong or extra:
        raise InvalidPackage(f"not as the manifest states: {', '.join(wrong + extra)}")
    return f"{len(files)} files are what the manifest states"


def _schema(folder: Path) -> str:
    descriptor = json.loads(read_regular_text(folder / "datapackage.json"))
    kinds = {resource["format"] for resource in descriptor["resources"]}
    if kinds <= {"csv", "parquet"}:
        tables = read_package(folder).tables
        rows = sum(len(next(iter(table.values()))) for table in tables.values())
        return f"{len(tables)} tables, {rows} rows: columns, types, ranges, categories, keys"
    return _labelled(folder, descriptor)


def _labelled(folder: Path, descriptor: dict[str, Any]) -> str:
    """Check SPSS and Stata files: row counts as stated, a label for every variable, only known missing values."""
    import pyreadstat  # noqa: PLC0415 - an optional dependency

    rows: dict[str, int] = {}
    for resource in descriptor["resources"]:
        spss = resource["format"] == "sav"
        check_regular(folder / resource["path"])
        read = pyreadstat.read_sav if spss else pyreadstat.read_dta
        _, meta = read(folder / resource["path"], metadataonly=True, output_format="polars")
        unlabelled = [name for name, label in meta.column_names_to_labels.items() if not label]
        if unlabelled:
            raise InvalidPackage(f"{resource['path']}: no label on {', '.join(unlabelled)}")
        name = resource["name"].partition("-")[0]
        rows[name] = rows.get(name, 0) + (meta.number_rows or 0)
        known = set(SPSS.values()) if spss else set(STATA.values())
        for labels in meta.variable_value_labels.values():
            codes = {value for value in dict[Any, str](labels) if isinstance(value, str) or value < 0}
            if codes - known:
                raise InvalidPackage(f"{resource['path']}: unknown missing values {sorted(map(str, codes - known))}")
    stated = _manifest(folder)["rows"]
    if rows != stated:
        raise InvalidPackage(f"rows are {rows}, the manifest states {stated}")
    return f"{len(rows)} tables, {sum(rows.values())} rows: labels, missing values, row counts"


def _frictionless(folder: Path) -> str:
    import frictionless  # noqa: PLC0415 - not needed to serve

    try:
        report = frictionless.Package(str(folder / "datapackage.json")).validate()
    except frictionless.FrictionlessException as error:
        raise InvalidPackage(str(error)) from error
    if not report.valid:
        errors = [f"{task.name}: {error.note}" for task in report.tasks for error in task.errors]
        notes = errors or [error.note for error in report.errors]
        raise InvalidPackage("; ".join(notes[:MAX_FINDINGS]))
    return f"{len(report.tasks)} resources valid"


def _croissant(folder: Path) -> str:
    logging.getLogger("absl").setLevel(logging.ERROR)
    import mlcroissant  # noqa: PLC0415 - not needed to serve

    try:
        dataset = mlcroissant.Dataset(str(folder / "croissant.json"))
    except mlcroissant.ValidationError as error:
        raise InvalidPackage(str(error)) from error
    return f"{len(dataset.metadata.record_sets)} record sets valid"

import json
import shutil
from datetime import datetime
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from frictionless import Package as FrictionlessPackage

from data.logs.budget import budget_log
from data.packages.reader import InvalidPackage, Kind, read_package, write_package
from data.schema import TABLES
from data.synthetic.study import Study, StudyConfig, metadata, simulate
from tests.support.samples import SAMPLE

SMALL = StudyConfig(participants=12, explore_weeks=3, seed=5)


@pytest.fixture(scope="module")
def study() -> Study:
    return simulate(SMALL)


def write(folder: Path, tables: dict[str, Any], kind: Kind = "csv") -> str:
    return write_package(folder, tables, name="small", title="Small", about=metadata(SMALL), kind=kind)


@pytest.mark.parametrize("kind", ["csv", "parquet"])
def test_what_is_written_is_read_back(kind: Kind, study: Study, tmp_path: Path) -> None:
    digest = write(tmp_path, study.tables, kind)
    package = read_package(tmp_path)
    assert package.digest == digest
    assert package.about["synthetic"] is True
    for name, columns in study.tables.items():
        for column, values in columns.items():
            read = package.tables[name][column]
            if values.dtype.kind == "f":
                np.testing.assert_array_equal(read.astype(float), values)
            else:
                assert [_plain(cell) for cell in read.tolist()] == [_plain(cell) for cell in values.tolist()]


def _plain(cell: Any) -> Any:
    """The cell without what numpy arrays cannot hold: time zones (all times are UTC) and missing integers (NaN)."""
    if isinstance(cell, float) and np.isnan(cell):
        return None
    return cell.replace(tzinfo=None) if isinstance(cell, datetime) else cell


@pytest.mark.parametrize("kind", ["csv", "parquet"])
def test_the_same_tables_give_the_same_bytes(kind: Kind, study: Study, tmp_path: Path) -> None:
    write(tmp_path / "one", study.tables, kind)
    write(tmp_path / "two", study.tables, kind)
    for file in (tmp_path / "one").iterdir():
        assert file.read_bytes() == (tmp_path / "two" / file.name).read_bytes()


def test_the_sample_is_what_its_simulator_gives_and_says_that_it_is_synthetic(tmp_path: Path) -> None:
    package = read_package(SAMPLE)
    config = StudyConfig(**package.about["config"])
    again = simulate(config)
    assert write_package(tmp_path, again.tables, name="", title="", about={}) == package.digest
    assert "Synthetic" in (SAMPLE / "README.md").read_text()
    assert config.participants == 300


def test_frictionless_finds_the_sample_valid() -> None:
    report = FrictionlessPackage(str(SAMPLE / "datapackage.json")).validate()
    assert report.valid, report.flatten(["type", "note"])


def changed(study: Study, table: str, column: str, value: Any) -> dict[str, Any]:
    columns = dict(study.tables[table])
    columns[column] = np.array([value, *columns[column][1:].tolist()], dtype=object)
    return dict(study.tables) | {table: columns}


@pytest.mark.parametrize(
    ("table", "column", "value", "why"),
    [
        ("decisions", "wants_share", 1.5, r"decisions\.wants_share: 1\.5 in row 1"),
        ("decisions", "wants_share", None, "required"),
        ("decisions", "wants_share", float("inf"), "not allowed"),
        ("decisions", "phase", "play", "'play' in row 1"),
        ("decisions", "seed", "xyz", "not allowed"),
        ("decisions", "study_week", "two", r"decisions\.study_week"),
        ("decisions", "participant_id", "nobody", "not in participants"),
        ("participants", "income_range_id", 9, "9 in row 1"),
    ],
)
def test_a_table_that_does_not_fit_is_refused_before_anything_is_written(
    table: str, column: str, value: Any, why: str, study: Study, tmp_path: Path
) -> None:
    with pytest.raises(InvalidPackage, match=why):
        write(tmp_path / "out", changed(study, table, column, value))
    assert not (tmp_path / "out").exists()


def test_keys_are_unique_and_columns_are_all_there(study: Study, tmp_path: Path) -> None:
    twice = {name: np.concatenate([column, column[:1]]) for name, column in study.tables["participants"].items()}
    with pytest.raises(InvalidPackage, match="not unique"):
        write(tmp_path, dict(study.tables) | {"participants": twice})
    short = {name: column for name, column in study.tables["outcomes"].items() if name != "reward"}
    with pytest.raises(InvalidPackage, match="reward"):
        write(tmp_path, dict(study.tables) | {"outcomes": short})


def test_a_package_that_was_changed_is_refused(tmp_path: Path) -> None:
    copy = shutil.copytree(SAMPLE, tmp_path / "copy")
    file = copy / "outcomes.csv"
    file.write_text(file.read_text().replace("observed", "Observed", 1))
    with pytest.raises(InvalidPackage, match="digest"):
        read_package(copy)


@pytest.mark.parametrize("edit", ["gone", "not json", "version", "path", "table"])
def test_a_descriptor_that_is_wrong_is_refused(edit: str, tmp_path: Path) -> None:
    copy = shutil.copytree(SAMPLE, tmp_path / "copy")
    file = copy / "datapackage.json"
    descriptor = json.loads(file.read_text())
    match edit:
        case "gone":
            file.unlink()
        case "not json":
            file.write_text("{")
        case "version":
            file.write_text(json.dumps(descriptor | {"version": "buddy-dataset/0"}))
        case "path":
            descriptor["resources"][0]["path"] = "../copy/../../secret.csv"
            file.write_text(json.dumps(descriptor))
        case "table":
            descriptor["resources"][0]["name"] = "secrets"
            file.write_text(json.dumps(descriptor))
    with pytest.raises(InvalidPackage):
        read_package(copy)


def test_the_codebook_has_a_line_a_column() -> None:
    lines = (SAMPLE / "codebook.csv").read_text().splitlines()
    described = [TABLES[name].shipped(identifiers=False) for name in ("participants", "decisions", "outcomes")]
    assert len(lines) == 1 + sum(len(columns) for columns in described)


@pytest.mark.parametrize(
    ("column", "value", "why"),
    [
        ("propensity", 0.0, "propensity is zero"),
        ("propensity", 0.9, "do not give the propensity"),
        ("study_week", 1, "two decisions"),
        ("prob_wants_2", 0.9999, "sum to one"),
        ("eligible_wants", "11111", "eligible"),
        ("context_schema", "budget-context/0", "context_schema"),
    ],
)
def test_a_log_that_contradicts_itself_is_refused(
    column: str, value: Any, why: str, study: Study, tmp_path: Path
) -> None:
    write(tmp_path, changed(study, "decisions", column, value))
    with pytest.raises(InvalidPackage, match=why):
        budget_log(read_package(tmp_path))

"""Packages, logs and ledgers: only regular files of a bounded size are read, and nothing waits for a FIFO."""

import os
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from api.auth.key_file import KeyFileBroken
from api.auth.key_file import read as read_keys
from data.formats import file_digest
from data.logs.bandit import InvalidLog
from data.logs.daily import ABOUT, TABLE, InvalidDailyLog, is_daily_log, read_daily_log
from data.packages.reader import InvalidPackage, read_package
from data.packages.validation import validate
from tests.support.artifacts import PACKAGED, another
from tests.support.samples import SAMPLE
from tests.support.strange_files import STRANGE, without_hanging
from training.budget.interim_looks import claim, looks
from training.ope.tables import read_table
from training.registry.promote import LEDGER, NotPromoted, promote, put_in_shadow, rollback, take_from_shadow

LEDGERS: dict[str, Callable[[Path], Any]] = {
    "looks": looks,
    "a claim": lambda ledger: claim(ledger, "2026-11-29T10:00:00Z", ("study",), "digest", "policy", None),
    "a rollback": lambda ledger: rollback(ledger.parent),
    "keys": read_keys,
    "a table": read_table,
    "a digest": file_digest,
}
REFUSED = (ValueError, OSError, NotPromoted, KeyFileBroken, InvalidLog)


@pytest.fixture(params=STRANGE)
def strange(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """A name in the working directory where something strange is; the address of a socket is short."""
    monkeypatch.chdir(tmp_path)
    kind: str = request.param
    return kind


@pytest.mark.parametrize("reader", LEDGERS)
def test_no_ledger_key_or_table_but_a_regular_file_is_read(reader: str, strange: str) -> None:
    if (reader, strange) == ("a digest", "huge"):  # it may have any size, and is read in parts
        return
    STRANGE[strange](Path(LEDGER))
    with without_hanging(), pytest.raises(REFUSED):
        LEDGERS[reader](Path(LEDGER))


CHANGES: dict[str, Callable[[Path, Path], Any]] = {
    "promote": lambda artifact, models: promote(artifact, models, despite="a test"),
    "rollback": lambda _artifact, models: rollback(models),
    "shadow": put_in_shadow,
    "end of shadow": lambda _artifact, models: take_from_shadow(models),
}


@pytest.mark.parametrize("change", CHANGES)
def test_a_strange_history_of_promotions_is_refused_before_anything_changes(
    change: str, strange: str, tmp_path: Path
) -> None:
    models = tmp_path / "models"
    promote(another(tmp_path / "first", "budget/test+1"), models, despite="a test")
    put_in_shadow(PACKAGED, models)
    (models / LEDGER).unlink()
    os.chdir(models)  # the address of a socket is short
    STRANGE[strange](Path(LEDGER))
    before = {path: path.read_bytes() for path in models.rglob("*") if path.name != LEDGER and path.is_file()}
    with without_hanging(), pytest.raises(NotPromoted, match=LEDGER):
        CHANGES[change](another(tmp_path / "second", "budget/test+2"), models)
    assert before == {path: path.read_bytes() for path in models.rglob("*") if path.name != LEDGER and path.is_file()}


@pytest.mark.filterwarnings("ignore:ConjunctiveGraph:DeprecationWarning")  # of mlcroissant's libraries
@pytest.mark.parametrize("name", ["datapackage.json", "decisions.csv"])
def test_a_package_with_a_strange_file_is_invalid(name: str, strange: str) -> None:
    package = Path("package")
    shutil.copytree(SAMPLE, package)
    (package / name).unlink()
    os.chdir(package)
    STRANGE[strange](Path(name))
    with without_hanging(), pytest.raises(InvalidPackage):
        read_package(Path())
    if (name, strange) == ("decisions.csv", "huge"):  # a table may have any size
        return
    with without_hanging():
        checks = validate(Path())
    assert not checks[0].fine
    assert all(check.fine is not True for check in checks if check.what in {"files", "digests", "schema"})


@pytest.mark.parametrize("name", [ABOUT, TABLE])
def test_a_daily_log_with_a_strange_file_is_invalid(name: str, strange: str) -> None:
    Path(ABOUT).write_text('{"format": "buddy-daily/1"}', encoding="utf-8")
    Path(TABLE).write_text("household\n", encoding="utf-8")
    Path(name).unlink()
    STRANGE[strange](Path(name))
    with without_hanging(), pytest.raises(InvalidDailyLog):
        read_daily_log(Path())
    with without_hanging():
        assert is_daily_log(Path()) is (name == TABLE)

"""Exports work on whole columns. They give what code that made one row at a time gave, on both databases."""

import asyncio
import csv
import hashlib
import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import polars as pl
import pytest

from api.db.engine import open_database
from api.db.migrate import prepare
from api.kakei.exports.actions import Exported, export
from api.kakei.exports.request import ExportRequest
from api.kakei.exports.rules import local_dates
from api.time_zones import known_time_zones, local_date
from tests.support.databases import empty_database
from tests.support.random_study import NOW, RandomStudy

RECORDED = Path(__file__).with_name("random_study.json")
"""Digests of the cells of each table, as commit 81504a5 exported them, which made one row at a time. If the dataset or
its catalog changes on purpose, the new digests are in the message of the failing test; look at the changed cells."""
SEED, PEOPLE, ROWS = 7, 60, 300


@pytest.mark.long
@pytest.mark.parametrize("database", ["sqlite", "postgresql"])
def test_random_rows_of_every_table_are_exported_as_one_row_at_a_time_was(
    database: str, request: pytest.FixtureRequest, tmp_path: Path
) -> None:
    with empty_database(database, request, tmp_path) as url:
        asyncio.run(random_export(url, tmp_path / "study"))
    assert cells(tmp_path / "study") == json.loads(RECORDED.read_text("utf-8"))


async def random_export(url: str, out: Path) -> Exported:
    database = open_database(url, seconds=None)
    try:
        await prepare(database)
        await RandomStudy(SEED).fill(database, PEOPLE, ROWS)
        return await export(database, ExportRequest("csv", identifiers=True), out, NOW)
    finally:
        await database.close()


def cells(package: Path) -> dict[str, str]:
    """A digest of each table that does not depend on how a file quotes its cells."""
    found = {}
    for file in sorted(set(package.glob("*.csv")) - {package / "codebook.csv"}):
        with file.open(encoding="utf-8", newline="") as opened:
            rows = list(csv.reader(opened))
        found[file.stem] = f"{len(rows)} {hashlib.sha256(repr(rows).encode()).hexdigest()}"
    return found


@pytest.mark.long
def test_local_dates_are_those_of_the_service_in_every_zone() -> None:
    """Around the changes of clocks, too: by hours over three days, and over twelve years."""
    hours = [datetime(2026, month, 27, tzinfo=UTC) + timedelta(hours=n) for month in (3, 10) for n in range(72)]
    days = [datetime(2015, 1, 1, 0, 30, tzinfo=UTC) + timedelta(days=11 * n, hours=n % 24) for n in range(400)]
    for zone in (*known_time_zones(), "Gone/Nowhere", None):
        moments = pl.DataFrame(
            {"zone": [zone] * len(hours + days), "moment": hours + days}, schema_overrides={"zone": pl.String}
        )
        assert local_dates(moments).to_list() == [local_date(moment, zone) for moment in hours + days], zone

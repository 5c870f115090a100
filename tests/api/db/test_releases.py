"""Databases of every release upgrade to the current tables without loss of data, and the service runs on them."""

import asyncio
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any

import asyncpg
import httpx
import pytest
from sqlalchemy import Connection, inspect, literal_column, select, text
from sqlalchemy import table as sql_table

from api.db import migrate
from api.db.engine import Database
from api.models import Base
from api.models.base import Amount
from tests.actors.person import CONSENT, MONTH, WEEK
from tests.api.db import record_release
from tests.support import exports
from tests.support.databases import empty_database, on
from tests.support.serving import Service, app, new_client

pytestmark = pytest.mark.long

type Rows = dict[str, dict[Any, dict[str, Any]]]
"""Rows by table and primary key."""

FILES = sorted(record_release.FOLDER.glob("*.sql"))
MENDED = {"releases": {"zones"}, "guide_stages": {"seeded"}, "guide_items": {"seeded"}, "plans": {"stage_id"}}
"""Columns that seeds and migrations change in existing rows."""
OTHERS_NOW = {"released_participants", "alembic_version"}
"""Tables whose rows have a different form now; they have their own tests."""
CALM = new_client(timeout=60)
HEAD = str(migrate.newest_revision())
SETTINGS = {
    "SECRET_KEY": record_release.SECRET,
    "ANTHROPIC_BASE_URL": "http://127.0.0.1:9",
    "CLAUDE_SECONDS": "1",
    "DATABASE_TIMEOUT_SECONDS": "60",
}
"""Claude is not asked, and a busy machine may take its time."""


@contextmanager
def recorded(file: Path, request: pytest.FixtureRequest, folder: Path) -> Iterator[str]:
    """A database as a release left it."""
    script, kind = file.read_text(encoding="utf-8"), file.stem.rpartition(".")[2]
    with empty_database(kind, request, folder) as url:
        if kind == "sqlite":
            with closing(sqlite3.connect(folder / "buddy.db")) as database:
                database.executescript(script)
        else:
            asyncio.run(_execute(url, script))
        yield url


@pytest.fixture
def old_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """The database of one test."""
    with recorded(request.param, request, tmp_path) as url:
        yield url


@dataclass(frozen=True)
class Upgraded:
    """A database that was upgraded from a release, and its rows before and after."""

    url: str
    before: Rows
    after: Rows


@pytest.fixture(scope="module", params=FILES, ids=lambda file: file.stem)
def upgraded(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Upgraded]:
    """The database of each release. Loading and upgrading it is most of the work, so that its tests share it; the one
    that takes its tables away is the last.
    """
    with recorded(request.param, request, tmp_path_factory.mktemp("old")) as url:
        before = on(url, synced(rows))
        on(url, migrate.prepare)
        yield Upgraded(url, before, on(url, synced(rows)))


async def _execute(url: str, script: str) -> None:
    connection = await asyncpg.connect(url)
    try:
        await connection.execute(script)
    finally:
        await connection.close()


def synced(work: Any) -> Any:
    async def run(database: Database) -> Any:
        async with database.reading.connect() as connection:
            return await connection.run_sync(work)

    return run


def rows(connection: Connection) -> Rows:
    """All stored rows by table and primary key."""
    found: Rows = {}
    everything: Any = literal_column("*")
    looked = inspect(connection)
    for table in looked.get_table_names():
        key = looked.get_pk_constraint(table)["constrained_columns"]
        stored = [dict(row._mapping) for row in connection.execute(select(everything).select_from(sql_table(table)))]
        found[table] = {tuple(row[name] for name in key) or tuple(row.values()): row for row in stored}
    return found


def schema(connection: Connection) -> dict[str, Any]:
    """The schema of the tables, independent of the order of definition."""
    looked = inspect(connection)

    def told(values: Any) -> list[str]:
        return sorted(str(sorted(value.items(), key=str)) for value in values)

    def index(found: Any) -> dict[str, Any]:
        options = {name: str(value) for name, value in found.get("dialect_options", {}).items()}
        return {**found, "dialect_options": options}

    return {
        table: {
            "columns": {
                column["name"]: (str(column["type"]), column["nullable"], column["default"])
                for column in looked.get_columns(table)
            },
            "key": looked.get_pk_constraint(table),
            "foreign": told(looked.get_foreign_keys(table)),
            "unique": told({**one, "comment": None} for one in looked.get_unique_constraints(table)),
            "indexes": told(map(index, looked.get_indexes(table))),
            "checks": told(looked.get_check_constraints(table)),
        }
        for table in looked.get_table_names()
        if table != "erasure_ledger"
    }


def test_released_migrations_are_frozen() -> None:
    now = record_release.digests()
    assert record_release.frozen() == now, (
        "A released migration never changes: databases have run it. Mend a mistake by another migration. "
        "Is there a new one? Then `python -m tests.api.db.record_release` records it."
    )


def test_the_newest_release_is_recorded_on_both_databases() -> None:
    assert {f"{HEAD}.sqlite.sql", f"{HEAD}.postgresql.sql"} <= {file.name for file in FILES}


def test_recorded_databases_have_rows_in_every_table(upgraded: Upgraded) -> None:
    assert [table for table, stored in upgraded.before.items() if not stored] == []


def test_a_database_of_every_release_serves_after_its_upgrade(upgraded: Upgraded, tmp_path: Path) -> None:
    with app(tmp_path, {"DATABASE_URL": upgraded.url, **SETTINGS}) as running:
        kakei_works(running)
        if "household_tokens" in upgraded.before:
            kinderbud_works(running)
        assert running.buddy("db", "check").endswith("as this version needs it\n")


def test_an_upgrade_loses_no_row_and_no_value(upgraded: Upgraded) -> None:
    before, after = upgraded.before, upgraded.after
    then = str(next(iter(before["alembic_version"].values()))["version_num"])
    for table in before.keys() - OTHERS_NOW:
        for key, stored in before[table].items():
            kept = stored.keys() - MENDED.get(table, set())
            now = {name: after[table][key].get(name) for name in kept}
            assert plain(table, now, HEAD) == plain(table, {name: stored[name] for name in kept}, then), table


def plain(table: str, row: dict[str, Any], revision: str) -> dict[str, Any]:
    """With amounts as numbers: SQLite holds integers, hundredths before 0008 and ten-thousandths since."""
    columns = Base.metadata.tables[table].columns
    parts = 100 if revision < "0008" else 10_000
    amounts = {name for name, value in row.items() if isinstance(columns[name].type, Amount) and type(value) is int}
    return {name: Decimal(value) / parts if name in amounts else value for name, value in row.items()}


def kakei_works(running: Service) -> None:
    user = f"{running.url}/api/users/{record_release.USER}"

    def post(path: str, body: Any) -> httpx.Response:
        answer = CALM.post(user + path, json=body)
        assert answer.is_success, answer.text
        return answer

    post("/research/consent", CONSENT | {"study_version": record_release.STUDY})
    post("/summaries/weekly", WEEK | {"week_key": 3})
    post("/summaries/monthly", MONTH | {"month_key": 202607})
    stored = CALM.get(f"{user}/data").json()
    assert {summary["week_key"] for summary in stored["weekly_summaries"]} >= {2, 3}
    answers = {"phase": "pre", "instrument_key": "budget_confidence", "response_type": "survey", "responses": {"q1": 5}}
    post("/research/responses", answers)
    asked = {"budget_used_ratio": 0.5, "needs_share": 0.4, "wants_share": 0.3, "culture_share": 0.2}
    asked |= {"unexpected_share": 0.1, "savings_goal_progress": 0.5, "prev_w_adj": 0.5, "prev_c_adj": 0.5}
    asked |= {"prev_s_adj": 0.5, "risk_profile": 0.5}
    headers = {"X-User-UUID": record_release.USER}
    assert CALM.post(f"{running.url}/coach/suggestions", json=asked, headers=headers).is_success
    exported = exports.tables(running)
    assert len(exported["responses"]) >= 1
    assert len(exported["weekly_summaries"]) >= 1
    assert CALM.delete(f"{running.url}/api/users/{record_release.ERASED}").status_code == 200


def kinderbud_works(running: Service) -> None:
    headers = {"Authorization": f"Bearer {record_release.TOKEN}"}
    today = CALM.get(f"{running.url}/api/v1/today", headers=headers)
    assert today.status_code == 200, today.text
    todos = CALM.get(f"{running.url}/api/v1/todos", headers=headers)
    assert todos.status_code == 200, todos.text


def checked_schema(url: str) -> dict[str, Any]:
    """The schema of a database that has the newest tables."""
    assert on(url, migrate.differences) == []
    found: dict[str, Any] = on(url, synced(schema))
    return found


@pytest.fixture(scope="module")
def new_schemas(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> dict[str, dict[str, Any]]:
    """The schema of a new database of each kind."""
    found = {}
    for kind in ("sqlite", "postgresql"):
        with empty_database(kind, request, tmp_path_factory.mktemp("new")) as url:
            on(url, migrate.prepare)
            found[kind] = checked_schema(url)
    return found


def test_an_upgraded_database_has_the_tables_of_a_new_one_and_goes_back(
    upgraded: Upgraded, new_schemas: dict[str, dict[str, Any]]
) -> None:
    assert checked_schema(upgraded.url) == new_schemas[upgraded.url.partition(":")[0]]
    on(upgraded.url, lambda database: migrate.downgrade(database, "base"))
    on(upgraded.url, migrate.prepare)


FIRST = [file for file in FILES if "0003-first" in file.stem or "all-first" in file.stem]


@pytest.mark.parametrize("old_url", FIRST, indirect=True, ids=lambda file: file.stem)
def test_the_ledger_of_releases_keeps_who_left_with_which(old_url: str) -> None:
    """The first 0003 knew the first and last release of a pseudonym; release 3 was of another study."""
    on(old_url, migrate.prepare)
    stored = set(on(old_url, synced(rows))["released_participants"])
    assert stored == {(1, "a" * 32), (2, "a" * 32), (2, "b" * 32), (4, "b" * 32)}


SEEDED = [file for file in FILES if "0005-first" in file.stem]


@pytest.mark.parametrize("old_url", SEEDED, indirect=True, ids=lambda file: file.stem)
def test_what_no_operator_edited_is_still_brought_up_to_date(old_url: str) -> None:
    """Later releases take a digest of one column more."""

    async def edit(database: Database) -> None:
        async with database.write() as session:
            await session.execute(text("UPDATE guide_items SET title = 'Ours' WHERE position = 1"))

    on(old_url, edit)
    on(old_url, migrate.prepare)
    items = on(old_url, synced(rows))["guide_items"].values()
    fresh = {item["position"]: item for item in items if item["stage_id"] == 1 and item["position"] < 2}
    assert fresh[1]["title"] == "Ours"
    households = on(old_url, synced(rows))["households"].values()
    assert all(0 <= household["learning_fold"] < 3 for household in households)

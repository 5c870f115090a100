"""Migrations and the catalog, on both kinds of database, without a server."""

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import Column, Integer, MetaData, Table, insert, select, text
from sqlalchemy.dialects import postgresql, sqlite

from api.db import migrate, seed
from api.db.engine import Database, open_database
from api.models import ChallengeMetric, User, UserChallenge
from api.models.base import Amount
from data.catalog import catalog
from tests.support.postgres import postgres_database, server_of

BEFORE_FOUR_DECIMALS = "0007"
BEFORE_ONE_SPELLING = "0010"

type Run = Callable[[Callable[[Database], Awaitable[Any]]], Any]


@pytest.fixture(params=["sqlite", "postgresql"])
def empty(request: pytest.FixtureRequest, tmp_path: Path, worker: str) -> Iterator[Run]:
    """Runs something on an empty database of this test's own."""

    def on(url: str) -> Run:
        def run(work: Callable[[Database], Awaitable[Any]]) -> Any:
            async def connected() -> Any:
                database = open_database(url)
                try:
                    return await work(database)
                finally:
                    await database.close()

            return asyncio.run(connected())

        return run

    if request.param == "sqlite":
        yield on(f"sqlite:///{tmp_path}/empty.db")
        return
    server = server_of(request.getfixturevalue("postgres_url"))
    with postgres_database(server, f"{worker}storage") as url:
        yield on(url)


async def tables(database: Database) -> set[str]:
    query = "SELECT name FROM sqlite_master WHERE type = 'table'"
    if database.reading.dialect.name == "postgresql":
        query = "SELECT tablename FROM pg_tables WHERE schemaname = 'public'"
    async with database.read() as session:
        return {row[0] for row in await session.execute(text(query))}


@pytest.mark.long
def test_migrations_and_models_are_in_step_and_go_back_and_forth(empty: Run) -> None:
    empty(migrate.prepare)
    assert empty(migrate.differences) == []
    assert empty(migrate.current_revision) == migrate.newest_revision()
    empty(lambda database: migrate.downgrade(database, "base"))
    assert empty(tables) <= {"alembic_version", "erasure_ledger"}
    empty(migrate.prepare)
    assert empty(migrate.differences) == []


def test_two_processes_may_prepare_at_once(empty: Run) -> None:
    async def both(database: Database) -> None:
        await asyncio.gather(migrate.prepare(database), migrate.prepare(database))

    empty(both)
    assert empty(migrate.differences) == []


def test_an_upgrade_changes_only_what_no_one_edited(empty: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    empty(migrate.prepare)

    async def edit(database: Database) -> None:
        async with database.write() as session:
            await session.execute(text("UPDATE badges SET title = 'Ours' WHERE id = 1"))

    async def titles(database: Database) -> list[str]:
        async with database.read() as session:
            return [row[0] for row in await session.execute(text("SELECT title FROM badges WHERE id < 4 ORDER BY id"))]

    empty(edit)
    newer = {
        name: tuple(entry | {"title": f"New {entry['id']}"} if name == "badges" else entry for entry in catalog(name))
        for name in seed.SEEDED
    }
    monkeypatch.setattr(seed, "catalog", newer.__getitem__)
    empty(migrate.prepare)
    assert empty(titles) == ["Ours", "New 2", "New 3"]
    empty(migrate.prepare)
    assert empty(titles) == ["Ours", "New 2", "New 3"]


LARGEST = Decimal("99999999999999.9999")
AMOUNTS = Table("amounts", MetaData(), Column("id", Integer, primary_key=True), Column("value", Amount))


@settings(max_examples=5, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.decimals(-LARGEST, LARGEST, places=4), min_size=300, max_size=300))
def test_every_amount_is_stored_exactly(empty: Run, drawn: list[Decimal]) -> None:
    cents = [Decimal(number) / 100 for number in range(-1000, 1000)]
    amounts = [*cents, *drawn, LARGEST, -LARGEST, Decimal("0.0001"), Decimal("-0"), Decimal("1E+13")]

    async def back(database: Database) -> list[Any]:
        async with database.write() as session:
            connection = await session.connection()
            await connection.run_sync(AMOUNTS.metadata.drop_all)
            await connection.run_sync(AMOUNTS.metadata.create_all)
            await session.execute(insert(AMOUNTS), [{"value": amount} for amount in amounts])
            return list(await session.scalars(select(AMOUNTS.c.value).order_by(AMOUNTS.c.id)))

    found = empty(back)
    assert found == amounts
    assert {type(value) for value in found} == {Decimal}
    assert all(f"{value}" == f"{value:f}" and not f"{value}".endswith(".0") for value in found)


@pytest.mark.parametrize(
    "value", [19.99, "19.99", 19, True, Decimal("NaN"), Decimal("Infinity"), Decimal("0.00001"), LARGEST + 1]
)
@pytest.mark.parametrize("name", ["sqlite", "postgresql"])
def test_what_is_no_exact_amount_is_refused_before_the_database(name: str, value: Any) -> None:
    dialect = {"sqlite": sqlite, "postgresql": postgresql}[name].dialect()
    with pytest.raises((TypeError, ValueError), match="an amount"):
        Amount().process_bind_param(value, dialect)


def test_amounts_survive_the_upgrade_to_four_decimals_and_the_way_back(empty: Run) -> None:
    told = {"value": [-1_00, 0, 1, 29, 435, 1999, 99_999_999_999_999]}  # hundredths

    async def fill(database: Database) -> None:
        unit = 1 if database.reading.dialect.name == "sqlite" else Decimal("0.01")
        async with database.write() as session:
            await session.execute(text("INSERT INTO users (uuid, created_at) VALUES ('someone', CURRENT_TIMESTAMP)"))
            for number, hundredths in enumerate(told["value"]):
                metric = "SELECT id, '2026-06', :key, :value, CURRENT_TIMESTAMP FROM users"
                into = "INSERT INTO challenge_metrics (user_id, month, metric_key, value, received_at)"
                await session.execute(text(f"{into} {metric}"), {"key": f"k{number}", "value": hundredths * unit})

    async def values(database: Database) -> list[Any]:
        async with database.read() as session:
            return list(await session.scalars(select(ChallengeMetric.value).order_by(ChallengeMetric.id)))

    async def raw(database: Database) -> list[Any]:
        async with database.read() as session:
            return list(await session.scalars(text("SELECT value FROM challenge_metrics ORDER BY id")))

    empty(lambda database: migrate.upgrade(database, BEFORE_FOUR_DECIMALS))
    empty(fill)
    before = empty(raw)
    empty(migrate.upgrade)
    assert empty(values) == [Decimal(hundredths) / 100 for hundredths in told["value"]]
    assert empty(migrate.differences) == []
    empty(lambda database: migrate.downgrade(database, BEFORE_FOUR_DECIMALS))
    assert empty(raw) == before


def test_an_amount_that_cannot_be_converted_stops_the_upgrade_and_changes_nothing(empty: Run) -> None:
    async def fill(database: Database) -> None:
        largest = 10**16 if database.reading.dialect.name == "sqlite" else 10**14
        async with database.write() as session:
            if database.reading.dialect.name == "postgresql":  # as the released version had it
                await session.execute(text("ALTER TABLE challenge_templates ALTER target_value TYPE NUMERIC(18, 2)"))
            values = "1, 'x', 'x', 'x', 'x', 'x', 1, 'x', :value, 'x', 1, 'easy'"
            columns = "id, slug, title, description, challenge_type, category, category_id, metric_key, target_value"
            into = f"INSERT INTO challenge_templates ({columns}, unit, reward_points, difficulty) VALUES ({values})"  # noqa: S608
            await session.execute(text(into), {"value": largest})

    empty(lambda database: migrate.upgrade(database, BEFORE_FOUR_DECIMALS))
    empty(fill)
    with pytest.raises(ValueError, match=r"challenge_templates\.target_value"):
        empty(migrate.upgrade)
    assert empty(migrate.current_revision) == BEFORE_FOUR_DECIMALS


def test_uuids_get_one_spelling_and_twins_stay_two(empty: Run) -> None:
    alone, twin, mixed = (f"{letter * 8}-0000-4000-8000-{letter * 12}" for letter in "abc")
    before = [alone.upper(), twin.upper(), twin, mixed.title(), mixed.upper(), "Participant-001", "A" * 32]
    after = [alone, twin.upper(), twin, mixed, mixed.upper(), "Participant-001", "A" * 32]

    async def fill(database: Database) -> None:
        async with database.write() as session:
            for uuid in before:
                insert = "INSERT INTO users (uuid, created_at) VALUES (:uuid, CURRENT_TIMESTAMP)"
                await session.execute(text(insert), {"uuid": uuid})
            await session.execute(
                text("INSERT INTO income_ranges (id, slug, label, description) VALUES (1, 'x', 'x', 'x')")
            )
            columns = "user_id, income_range_id, user_profile, allow_exact_income, coach_style, savings_goal_type"
            values = "id, 1, 'student', false, 1, 'monthly', 0, 1, CURRENT_TIMESTAMP"
            zone = "CASE WHEN id = 1 THEN 'localtime' WHEN id = 2 THEN 'Factory' ELSE 'Asia/Manila' END"
            into = f"INSERT INTO profiles ({columns}, saving_goal_value, budget_cycle_start_day, updated_at, time_zone)"
            await session.execute(text(f"{into} SELECT {values}, {zone} FROM users"))  # noqa: S608

    async def found(database: Database) -> tuple[list[str], list[str | None]]:
        async with database.read() as session:
            uuids = await session.scalars(text("SELECT uuid FROM users ORDER BY id"))
            return list(uuids), list(await session.scalars(text("SELECT time_zone FROM profiles ORDER BY user_id")))

    empty(lambda database: migrate.upgrade(database, BEFORE_ONE_SPELLING))
    empty(fill)
    empty(migrate.upgrade)
    assert empty(found) == (after, [None, None, *["Asia/Manila"] * 5])


@pytest.mark.parametrize("url", ["mysql://localhost/x", "nonsense", ""])
def test_other_databases_are_refused_in_words(url: str) -> None:
    with pytest.raises(ValueError, match=r"sqlite and postgresql|URL"):
        open_database(url)


def test_the_progress_of_earlier_versions_is_as_old_as_its_last_change(empty: Run) -> None:
    """Else an offline phone's older progress could overwrite it."""
    changed = datetime(2026, 6, 13, 12, 0, 0, 123456, tzinfo=UTC)
    challenges = (("2026-05", "accepted", 0), ("2026-06", "in_progress", 3), ("2026-07", "accepted", 3))
    empty(migrate.prepare)
    empty(lambda database: migrate.downgrade(database, "0011"))

    async def fill(database: Database) -> None:
        async with database.write() as session:
            user = User(uuid="earlier", created_at=changed)
            session.add(user)
            await session.flush()
            shared = {"user_id": user.id, "challenge_template_id": 1, "source": "user"}
            shared |= {"accepted_at": changed, "changed_at": changed}
            rows = [{"month": m, "status": s, "current_progress": Decimal(p)} for m, s, p in challenges]
            await session.execute(insert(UserChallenge), [shared | row for row in rows])

    async def times(database: Database) -> list[datetime | None]:
        async with database.read() as session:
            return list(await session.scalars(select(UserChallenge.progress_at).order_by(UserChallenge.month)))

    empty(fill)
    empty(migrate.prepare)
    assert empty(times) == [None, changed, changed]

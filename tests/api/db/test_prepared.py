"""Prepared statements do what SQLAlchemy does, on both databases."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import aiosqlite
import pytest
from sqlalchemy import bindparam, event, func, select, text
from sqlalchemy.engine import Engine
from sqlalchemy.ext.asyncio import AsyncSession

from api.db import migrate
from api.db.engine import Database, open_database
from api.db.failures import is_away, is_gone
from api.db.prepared import Prepared
from api.db.upsert import insert_for
from api.models import Consent, User, UserBadge, WeeklySummary

MORNING = datetime(2026, 6, 14, 8, 0, 0, 123456, tzinfo=UTC)
WEEK = {
    "month_key": 202606,
    "week_key": 2,
    "total_spent": Decimal("3200.5"),
    "spent_wants": Decimal("-0.0001"),
    "spent_needs": Decimal("99999999999999.9999"),
    "spent_culture": Decimal(0),
    "spent_unexpected": Decimal(200),
    "logging_days_count": 5,
    "client_timestamp": None,
    "received_at": MORNING,
    "consent_id": None,
}
ADD_USER = Prepared(
    lambda dialect: (
        insert_for(dialect, User).values(uuid=bindparam("uuid"), created_at=bindparam("created_at")).returning(User.id)
    )
)
ADD_WEEK = Prepared(
    lambda dialect: (
        insert_for(dialect, WeeklySummary)
        .values({name: bindparam(name) for name in ("user_id", *WEEK)})
        .returning(*(getattr(WeeklySummary, name) for name in WEEK))
    )
)
COUNT = Prepared(lambda _: select(func.count().label("people")).select_from(User))
CONSENTED = Prepared(lambda _: select(Consent.consented).where(Consent.user_id == bindparam("user_id")))
GIVE = Prepared(
    lambda dialect: (
        insert_for(dialect, UserBadge)
        .values(user_id=bindparam("user_id"), badge_id=10**6, reason="none", earned_at=MORNING)
        .returning(UserBadge.id)
    )
)


def run(url: str, work: Callable[[Database], Awaitable[None]]) -> None:
    async def connected() -> None:
        database = open_database(url)
        try:
            await migrate.prepare(database)
            await work(database)
        finally:
            await database.close()

    asyncio.run(connected())


async def add_user(session: AsyncSession, uuid: str = "one") -> int:
    row = await ADD_USER.row(session, uuid=uuid, created_at=MORNING)
    found: int = row.id
    return found


def test_values_go_in_and_come_out_as_through_sqlalchemy(own_url: str) -> None:
    async def work(database: Database) -> None:
        async with database.write() as session:
            user_id = await add_user(session)
            row = await ADD_WEEK.row(session, user_id=user_id, **WEEK)
            assert row._asdict() == WEEK
            about = {"study_version": "s", "age_confirmed": True, "allow_research_export": False, "data_mode": "full"}
            session.add(Consent(user_id=user_id, consented=False, received_at=MORNING, **about))
            seen = await CONSENTED.row(session, user_id=user_id)  # after what the session had not sent yet
            assert seen.consented is False
        async with database.read() as session:
            stored = (await session.scalars(select(WeeklySummary))).one()
            assert {name: getattr(stored, name) for name in WEEK} == WEEK
            assert await CONSENTED.row(session, user_id=-1) is None

    run(own_url, work)


def test_they_are_part_of_the_sessions_transaction(own_url: str) -> None:
    async def given_up(database: Database) -> None:
        async with database.write() as session:
            await add_user(session)
            raise ZeroDivisionError

    async def work(database: Database) -> None:
        with pytest.raises(ZeroDivisionError):
            await given_up(database)
        async with database.read() as session:
            assert (await COUNT.row(session)).people == 0
            await session.close()  # the next statement begins a transaction of its own
            async with database.write() as writing:
                await add_user(writing)
            assert (await COUNT.row(session)).people == 1

    run(own_url, work)


def test_listeners_hear_them(own_url: str) -> None:
    heard: list[str] = []

    def hear(_: object, __: object, sql: str, *___: object) -> None:
        heard.append(sql)

    async def work(database: Database) -> None:
        event.listen(Engine, "before_cursor_execute", hear)
        try:
            async with database.read() as session:
                await COUNT.row(session)
        finally:
            event.remove(Engine, "before_cursor_execute", hear)

    run(own_url, work)
    assert [" ".join(sql.split()) for sql in heard] == ["SELECT count(*) AS people FROM users"]


def test_on_sqlite_only_the_beginning_and_the_commit_of_a_write_switch_to_the_drivers_thread(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    switches = 0
    execute: Any = aiosqlite.Connection._execute

    async def counted(self: aiosqlite.Connection, *work: Any, **options: Any) -> Any:
        nonlocal switches
        switches += 1
        return await execute(self, *work, **options)

    async def work(database: Database) -> None:
        nonlocal switches
        async with database.write() as session:
            await add_user(session)
        switches = 0
        async with database.write() as session:
            user_id = await add_user(session, "two")
            for week in range(5):
                await ADD_WEEK.row(session, user_id=user_id, **WEEK | {"week_key": week + 1})
        assert switches == 2

    monkeypatch.setattr(aiosqlite.Connection, "_execute", counted)
    run(f"sqlite:///{tmp_path}/switches.db", work)


def test_their_errors_are_known_and_leave_the_pool_whole(own_url: str) -> None:
    async def failing(database: Database, statement: Prepared, **values: object) -> Exception:
        with pytest.raises(Exception) as failed:  # noqa: PT011 - the test checks which error it is
            async with database.write() as session:
                await statement.row(session, **values)
        return failed.value

    async def work(database: Database) -> None:
        gone = await failing(database, GIVE, user_id=1)
        assert is_gone(gone)
        assert not is_away(gone)
        async with database.write() as session:
            await add_user(session)
        twice = await failing(database, ADD_USER, uuid="one", created_at=MORNING)
        assert not is_gone(twice)
        assert not is_away(twice)
        if not own_url.startswith("sqlite"):
            end_own = Prepared(lambda _: select(func.pg_terminate_backend(func.pg_backend_pid()).label("ended")))
            assert is_away(await failing(database, end_own))
        async with database.write() as session:
            await session.execute(text("SELECT 1"))
            await add_user(session, "two")
        async with database.read() as session:
            assert (await COUNT.row(session)).people == 2

    run(own_url, work)

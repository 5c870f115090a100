"""A study whose participants all consent now, and as many events as are asked for, which the database makes itself."""

import asyncio
import uuid
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import asyncpg
from sqlalchemy import func, insert, make_url, select
from sqlalchemy.ext.asyncio import AsyncSession

from api.database import open_database
from api.kakei.consent.rules import pseudonym
from api.models import Consent, IncomeRange, Participant, Profile, User
from api.storage import prepare
from data.disclosure import SMALLEST_CELL

PEOPLE = 2_000
STUDY = "bench-1"
BEGAN = datetime(2026, 1, 5, tzinfo=UTC)
"""When everybody joined; the events follow."""
ZONES = ("Asia/Tokyo", "Europe/Berlin")
MODES = ("private", "sync")
"""Half keep the strings of their events to themselves."""
STEP_ROWS = 100_000
"""Events of one INSERT, which ends well within the time that the service gives a statement."""

EVENTS = """
INSERT INTO events
    (user_id, consent_id, client_timestamp, received_at, fingerprint, event_name, known, context)
WITH RECURSIVE numbers(n) AS (SELECT {first} UNION ALL SELECT n + 1 FROM numbers WHERE n < {last})
SELECT user_id, id, {made}, {received}, {fingerprint},
    CASE n % 2 WHEN 0 THEN 'screen_viewed' ELSE 'app_backgrounded' END, TRUE, {context}
FROM numbers JOIN consents ON id = {consent} + n % {people}
"""
"""Everybody takes turns, as in life, so that an export has to sort; a context has a string and a number."""
SCREEN = "CASE n % 3 WHEN 0 THEN 'home' WHEN 1 THEN 'challenges' ELSE 'summary' END"
DIALECTS = {
    "postgresql": {
        "made": f"timestamptz '{BEGAN:%Y-%m-%d}Z' + n * interval '5.017 seconds'",
        "received": f"timestamptz '{BEGAN:%Y-%m-%d}Z' + n * interval '5.017 seconds' + interval '1.234567 seconds'",
        "fingerprint": "lpad(to_hex(n), 32, '0')",
        "context": f"json_build_object('screen', {SCREEN}, 'duration_seconds', n % 600)",
    },
    "sqlite": {
        "made": f"strftime('%Y-%m-%d %H:%M:%f000', '{BEGAN:%Y-%m-%d}', (n * 5.017) || ' seconds')",
        "received": f"strftime('%Y-%m-%d %H:%M:%f567', '{BEGAN:%Y-%m-%d}', (n * 5.017 + 1.234) || ' seconds')",
        "fingerprint": "printf('%032x', n)",
        "context": f"json_object('screen', {SCREEN}, 'duration_seconds', n % 600)",
    },
}
"""What both databases say in words of their own; moments as `api.models.base.Moment` stores them."""


def settle(url: str) -> None:
    """Tables of this version in the database at `url`, and `PEOPLE` who all may be exported."""
    asyncio.run(_settle(url))


def add_events(url: str, first: int, last: int) -> None:
    """The events `first` to `last`, counted from 1; then the database tidies up, rather than during a measurement."""
    asyncio.run(_add_events(url, first, last))


async def _settle(url: str) -> None:
    database = open_database(url)
    await prepare(database)
    async with database.write() as session:
        await session.execute(insert(User), [{"uuid": str(uuid.uuid4()), "created_at": BEGAN} for _ in range(PEOPLE)])
        await _join(session, list(await session.scalars(select(User.id).order_by(User.id))))
    await database.close()


async def _join(session: AsyncSession, users: list[int]) -> None:
    """A profile, a consent and a pseudonym for everybody; groups are too large for anything to be suppressed."""
    incomes = list(await session.scalars(select(IncomeRange.id).order_by(IncomeRange.id)))
    assert PEOPLE // (len(incomes) * len(ZONES)) > SMALLEST_CELL
    profile = {
        "user_profile": "student",
        "allow_exact_income": False,
        "coach_style": 1,
        "savings_goal_type": "percent",
        "saving_goal_value": Decimal(10),
        "budget_cycle_start_day": 1,
        "currency": "JPY",
        "updated_at": BEGAN,
    }
    zones = [ZONES[user % len(ZONES)] for user in users]
    ranges = [incomes[user % len(incomes)] for user in users]
    of_profiles = zip(users, ranges, zones, strict=True)
    await session.execute(
        insert(Profile),
        [profile | {"user_id": user, "income_range_id": income, "time_zone": zone} for user, income, zone in of_profiles],
    )
    consent = {"study_version": STUDY, "received_at": BEGAN + timedelta(seconds=1)}
    consent |= dict.fromkeys(("consented", "age_confirmed", "allow_research_export"), True)
    await session.execute(
        insert(Consent), [consent | {"user_id": user, "data_mode": MODES[user // 2 % len(MODES)]} for user in users]
    )
    participant = {"study_version": STUDY, "split": "learn", "joined_at": BEGAN}
    await session.execute(
        insert(Participant), [participant | {"user_id": user, "pseudonym": f"p{uuid.uuid4().hex[:26]}"} for user in users]
    )


async def _add_events(url: str, first: int, last: int) -> None:
    database = open_database(url)
    dialect = make_url(url).get_backend_name()
    for start in range(first, last + 1, STEP_ROWS):
        async with database.write() as session:
            consent = await session.scalar(select(func.min(Consent.id)))
            limits = {"first": start, "last": min(start + STEP_ROWS - 1, last), "consent": consent, "people": PEOPLE}
            connection = await session.connection()
            await connection.exec_driver_sql(EVENTS.format(**DIALECTS[dialect], **limits))
    await database.close()
    if dialect == "postgresql":
        driver = await asyncpg.connect(url)
        await driver.execute("VACUUM ANALYZE")
        await driver.close()

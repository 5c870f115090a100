"""A study in which all participants consent, with a given number of events that the database generates."""

import asyncio
import uuid
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import asyncpg
from sqlalchemy import func, insert, make_url, select

from api.db.engine import open_database
from api.db.migrate import prepare
from api.kakei.consent.rules import pseudonym
from api.models import Consent, IncomeRange, Participant, Profile, User
from data.disclosure import SMALLEST_CELL

PEOPLE = 2_000
STUDY = "bench-1"
BEGAN = datetime(2026, 1, 5, tzinfo=UTC)
"""The moment at which all participants join; the events are later."""
ZONES = ("Asia/Tokyo", "Europe/Berlin")
MODES = ("private", "sync")
"""Half of the participants are in private mode, so the strings of their events are withheld."""
STEP_ROWS = 100_000
"""Events of one INSERT. It ends well within the statement limit of one minute in `api.db.engine`."""

EVENTS = """
INSERT INTO events
    (user_id, consent_id, client_timestamp, received_at, fingerprint, event_name, known, context)
WITH RECURSIVE numbers(n) AS (SELECT {first} UNION ALL SELECT n + 1 FROM numbers WHERE n < {last})
SELECT user_id, id, {made}, {received}, {fingerprint},
    CASE n % 2 WHEN 0 THEN 'screen_viewed' ELSE 'app_backgrounded' END, TRUE, {context}
FROM numbers JOIN consents ON id = {consent} + n % {people}
"""
"""The events of participants are interleaved, so that an export has to sort them. A context has a string and a
number."""
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
"""Expressions that differ between the databases; moments are as `api.models.base.Moment` stores them."""


def settle(url: str, events: int) -> None:
    """Fill the empty database at `url`: the current schema, `PEOPLE` participants who may all be exported, and their
    events."""
    asyncio.run(_settle(url, events))


async def _settle(url: str, events: int) -> None:
    dialect = make_url(url).get_backend_name()
    database = open_database(url)
    await prepare(database)
    async with database.write() as session:
        await session.execute(insert(User), [{"uuid": str(uuid.uuid4()), "created_at": BEGAN} for _ in range(PEOPLE)])
        incomes = list(await session.scalars(select(IncomeRange.id).order_by(IncomeRange.id)))
        assert PEOPLE // len(incomes) // len(ZONES) > SMALLEST_CELL  # so that nothing is suppressed
        people = list(await session.execute(select(User.id, User.uuid).order_by(User.id)))
        await session.execute(insert(Profile), [_profile(id_, incomes) for id_, _ in people])
        await session.execute(insert(Consent), [_consent(id_) for id_, _ in people])
        await session.execute(insert(Participant), [_participant(id_, uuid_) for id_, uuid_ in people])
        first = await session.scalar(select(func.min(Consent.id)))
    for start in range(1, events + 1, STEP_ROWS):
        limits = {"first": start, "last": min(start + STEP_ROWS - 1, events), "consent": first, "people": PEOPLE}
        async with database.write() as session:
            connection = await session.connection()
            await connection.exec_driver_sql(EVENTS.format(**DIALECTS[dialect], **limits))
    await database.close()
    if dialect == "postgresql":  # vacuum now, so that autovacuum does not run during a measurement
        driver = await asyncpg.connect(url)
        await driver.execute("VACUUM ANALYZE")
        await driver.close()


def _profile(user_id: int, incomes: list[int]) -> dict[str, Any]:
    return {
        "user_id": user_id,
        "income_range_id": incomes[user_id % len(incomes)],
        "user_profile": "student",
        "allow_exact_income": False,
        "coach_style": 1,
        "savings_goal_type": "percent",
        "saving_goal_value": Decimal(10),
        "budget_cycle_start_day": 1,
        "time_zone": ZONES[user_id % len(ZONES)],
        "currency": "JPY",
        "updated_at": BEGAN,
    }


def _consent(user_id: int) -> dict[str, Any]:
    agreed = dict.fromkeys(("consented", "age_confirmed", "allow_research_export"), True)
    mode = MODES[user_id // len(ZONES) % len(MODES)]  # each mode in each zone
    return agreed | {"user_id": user_id, "study_version": STUDY, "data_mode": mode, "received_at": BEGAN}


def _participant(user_id: int, uuid_: str) -> dict[str, Any]:
    name = pseudonym(STUDY.encode(), uuid_)
    return {"user_id": user_id, "study_version": STUDY, "pseudonym": name, "split": "learn", "joined_at": BEGAN}

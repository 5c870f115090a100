"""Users for the benchmark of writes: one is created through the service, the others are copies of its rows."""

import asyncio
import json
import uuid
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import func, insert, select, text, true

from api.db.engine import open_database
from api.kakei.challenges.rules import ChallengeStatus
from api.kakei.summaries.schemas import WEEK
from api.models import Base, PointEntry, User, UserBadge, UserChallenge, WeeklySummary
from data.catalog import catalog
from tests.bench.servers import Request, ask

WEEKS_BEFORE = 4
"""Weeks of the month before the measured one. They earn the badge of four weeks, so a fifth week earns none."""
COUNTED = (WeeklySummary, UserChallenge, PointEntry, UserBadge)


@dataclass(frozen=True)
class Person:
    """A user with one completed challenge to claim, and without a summary of the measured week."""

    user_id: int
    uuid: str
    challenge_id: int

    @property
    def address(self) -> str:
        """An IP address of their own, for the rate limits by address."""
        return f"10.{self.user_id >> 16 & 255}.{self.user_id >> 8 & 255}.{self.user_id & 255}"


def post(uuid: str, path: str, body: Any = None, address: str = "10.0.0.0") -> Request:
    """A request of a person's phone through a trusted proxy."""
    sent = b"" if body is None else json.dumps(body).encode()
    return Request(f"/api/users/{uuid}{path}", sent, {"X-Forwarded-For": address})


def settle(port: int, url: str, count: int) -> list[Person]:
    """Create `count` people in the database at `url` of the service on `port`."""
    pattern = _live(port)
    return asyncio.run(_copy(url, pattern, count))


def rows(url: str) -> dict[str, int]:
    """The numbers of rows in the tables that the writes add to; for challenges, the number of claimed ones."""
    return asyncio.run(_rows(url))


def _live(port: int) -> str:
    """Create a user who uploads some weeks, claims one challenge and completes another, so that neither the next week
    nor the next claim earns a badge. Returns the uuid."""
    name = str(uuid.uuid4())
    ask(port, Request("/api/users", json.dumps({"uuid": name}).encode()))
    for week in range(1, WEEKS_BEFORE + 1):
        key = {"month_key": WEEK["month_key"] - 1, "week_key": week, "logging_days_count": 1}
        ask(port, post(name, "/summaries/weekly", WEEK | key))
    claimed, completed = _two_easy_templates()
    ask(port, post(name, f"/challenges/{_complete(port, name, claimed)}/claim"))
    _complete(port, name, completed)
    return name


def _complete(port: int, name: str, template: dict[str, Any]) -> int:
    """Accept and complete a challenge. Returns its id."""
    accept = {"challenge_template_id": template["id"], "month_range": f"{datetime.now(UTC):%Y-%m}", "source": "user"}
    challenge: int = json.loads(ask(port, post(name, f"/challenges/{template['id']}/accept", accept)))["id"]
    ask(port, post(name, f"/challenges/{challenge}/progress", {"current_progress": template["target_value"]}))
    return challenge


def _two_easy_templates() -> tuple[dict[str, Any], dict[str, Any]]:
    """Two easy templates of different categories, so that they earn no badge."""
    easy = [template for template in catalog("challenge_templates") if template["difficulty"] == "easy"]
    return easy[0], next(template for template in easy if template["category"] != easy[0]["category"])


async def _copy(url: str, pattern: str, count: int) -> list[Person]:
    """Create users with copies of all rows of the person `pattern`."""
    database = open_database(url, seconds=None)
    now = datetime.now(UTC)
    async with database.write() as session:
        original = await session.scalar(select(User.id).where(User.uuid == pattern))
        await session.execute(insert(User), [{"uuid": str(uuid.uuid4()), "created_at": now} for _ in range(count)])
        for table in Base.metadata.sorted_tables:
            if "user_id" not in table.columns:
                continue
            copied = [column for column in table.columns if column.name not in {"id", "user_id"}]
            query = select(User.id, *copied).join_from(User, table, true())
            query = query.where(table.columns.user_id == original, User.id != original)
            await session.execute(insert(table).from_select(["user_id", *(column.name for column in copied)], query))
        if database.writing.dialect.name == "postgresql":  # so that autovacuum does not run during the rounds
            await session.execute(text("ANALYZE"))
        claimable = select(User.id, User.uuid, UserChallenge.id).join_from(
            User, UserChallenge, UserChallenge.user_id == User.id
        )
        claimable = claimable.where(UserChallenge.status == ChallengeStatus.COMPLETED, User.id != original)
        found = [Person(*row) for row in await session.execute(claimable.order_by(User.id))]
    await database.close()
    return found


async def _rows(url: str) -> dict[str, int]:
    database = open_database(url, seconds=None)
    counts: dict[str, int] = {}
    async with database.read() as session:
        for table in COUNTED:
            query = select(func.count()).select_from(table)
            if table is UserChallenge:
                query = query.where(UserChallenge.status == ChallengeStatus.CLAIMED)
            counts[table.__tablename__] = await session.scalar(query) or 0
    await database.close()
    return counts

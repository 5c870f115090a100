"""Queries on templates, challenges, metrics, points and badges."""

from datetime import datetime
from typing import Any

from sqlalchemy import BindParameter, bindparam, func, select
from sqlalchemy.ext.asyncio import AsyncSession

from api.db.upsert import insert_into
from api.kakei.challenges.rules import ChallengeStatus, Claimed, Standing
from api.models import (
    ChallengeMetric,
    ChallengeTemplate,
    MonthlySummary,
    PointEntry,
    Reflection,
    UserBadge,
    UserChallenge,
    WeeklySummary,
)

BADGES, UPLOADS = 1, 2
"""Classes of advisory locks on users; the second key is the user. A transaction takes UPLOADS first and BADGES last,
which prevents deadlocks."""

type ChallengeRow = tuple[UserChallenge, ChallengeTemplate]


async def template(session: AsyncSession, template_id: int) -> ChallengeTemplate | None:
    return await session.get(ChallengeTemplate, template_id)


async def challenges_of(
    session: AsyncSession,
    user_id: int,
    month: str | None = None,
    *,
    after: int = 0,
    limit: int | None = None,
    for_update: bool = False,
) -> list[ChallengeRow]:
    """The challenges with their templates; `for_update` locks the challenges until the end of the transaction."""
    query = select(UserChallenge, ChallengeTemplate).join(
        ChallengeTemplate, ChallengeTemplate.id == UserChallenge.challenge_template_id
    )
    query = query.where(UserChallenge.user_id == user_id, UserChallenge.id > after).limit(limit)
    if month is not None:
        query = query.where(UserChallenge.month == month)
    if for_update:
        query = query.with_for_update(of=UserChallenge)
    return [(row[0], row[1]) for row in await session.execute(query.order_by(UserChallenge.id))]


async def challenge_for_update(session: AsyncSession, user_id: int, challenge_id: int) -> ChallengeRow | None:
    """The challenge, locked until the end of the transaction (SQLite has only one writer anyway)."""
    mine = (UserChallenge.id == challenge_id, UserChallenge.user_id == user_id)
    challenge = await session.scalar(select(UserChallenge).where(*mine).with_for_update())
    if challenge is None:
        return None
    return challenge, await session.get_one(ChallengeTemplate, challenge.challenge_template_id)


async def challenge(session: AsyncSession, challenge_id: int) -> UserChallenge:
    return await session.get_one(UserChallenge, challenge_id)


async def accept_challenge(session: AsyncSession, **values: Any) -> int | None:
    """The new challenge's id, or None if this template was already accepted for this month."""
    insert = insert_into(session, UserChallenge).values(**values)
    insert = insert.on_conflict_do_nothing(index_elements=["user_id", "challenge_template_id", "month"])
    return await session.scalar(insert.returning(UserChallenge.id))


async def metrics_of(session: AsyncSession, user_id: int, month: str) -> dict[str, ChallengeMetric]:
    """The month's metrics by key; a challenge that a metric moves takes over the metric's consent."""
    found = await session.scalars(
        select(ChallengeMetric).where(ChallengeMetric.user_id == user_id, ChallengeMetric.month == month)
    )
    return {metric.metric_key: metric for metric in found}


async def alone_for(session: AsyncSession, user_id: int, lock: int) -> None:
    """Take an advisory lock for this user, so that each transaction sees the result of the previous one. BADGES covers
    the evaluation of badges, UPLOADS accepted challenges and metrics. SQLite has one writer anyway."""
    if session.get_bind().dialect.name == "postgresql":
        await session.execute(select(func.pg_advisory_xact_lock(lock, user_id)))


_USER: BindParameter[int] = bindparam("user_id")


def _of_user(counted: Any, table: type[Any]) -> Any:
    return select(counted).where(table.user_id == _USER).scalar_subquery()


_STANDING = select(
    _of_user(func.coalesce(func.sum(PointEntry.points), 0), PointEntry),
    *(_of_user(func.count(), table) for table in (UserChallenge, WeeklySummary, MonthlySummary, Reflection)),
)
_CLAIMED = (
    select(
        *(ChallengeTemplate.category, ChallengeTemplate.challenge_type, ChallengeTemplate.difficulty),
        UserChallenge.month,
    )
    .join(ChallengeTemplate, ChallengeTemplate.id == UserChallenge.challenge_template_id)
    .where(UserChallenge.user_id == _USER, UserChallenge.status == ChallengeStatus.CLAIMED)
)


async def standing_of(session: AsyncSession, user_id: int) -> Standing:
    user = {"user_id": user_id}
    points, accepted, weekly, monthly, reflections = (await session.execute(_STANDING, user)).one()
    claimed = tuple(Claimed(*row) for row in await session.execute(_CLAIMED, user))
    return Standing(int(points), accepted, claimed, weekly, monthly, reflections)


async def give_badge(session: AsyncSession, user_id: int, badge_id: int, reason: str, now: datetime) -> bool:
    """Whether the badge is new to the user."""
    insert = insert_into(session, UserBadge).values(user_id=user_id, badge_id=badge_id, reason=reason, earned_at=now)
    insert = insert.on_conflict_do_nothing(index_elements=["user_id", "badge_id"])
    return await session.scalar(insert.returning(UserBadge.id)) is not None


async def add_points(
    session: AsyncSession, user_id: int, points: int, cause: tuple[str, int], now: datetime, consent_id: int | None
) -> None:
    """Add a row to the ledger. Raises IntegrityError if this cause was already paid."""
    entry = PointEntry(user_id=user_id, points=points, cause=cause[0], cause_id=cause[1], created_at=now)
    entry.consent_id = consent_id
    session.add(entry)
    await session.flush()

"""Queries on templates, badges and earned badges."""

from typing import Any

from sqlalchemy import bindparam, inspect, select
from sqlalchemy.ext.asyncio import AsyncSession

from api.db.prepared import Prepared
from api.models import Badge, ChallengeTemplate, UserBadge


async def badges(session: AsyncSession, after: int = 0, limit: int | None = None) -> list[Badge]:
    return list(await session.scalars(select(Badge).where(Badge.id > after).order_by(Badge.id).limit(limit)))


async def templates(session: AsyncSession, after: int, limit: int, **filters: Any) -> list[ChallengeTemplate]:
    """At most `limit` templates after an id, whose columns equal the `filters` that are not None."""
    wanted = [getattr(ChallengeTemplate, name) == value for name, value in filters.items() if value is not None]
    query = select(ChallengeTemplate).where(ChallengeTemplate.id > after, *wanted)
    return list(await session.scalars(query.order_by(ChallengeTemplate.id).limit(limit)))


_BADGE = Prepared(lambda _: select(*inspect(Badge).columns).where(Badge.id == bindparam("badge_id")))


async def badges_by_id(session: AsyncSession, ids: list[int]) -> list[Badge]:
    """Rows with the badges' attributes, by id. There are few: those that one request has earned."""
    return [await _BADGE.row(session, badge_id=badge_id) for badge_id in sorted(ids)]


async def earned_badges(session: AsyncSession, user_id: int) -> list[tuple[UserBadge, Badge]]:
    query = select(UserBadge, Badge).join(Badge, Badge.id == UserBadge.badge_id).where(UserBadge.user_id == user_id)
    return [(row[0], row[1]) for row in await session.execute(query.order_by(UserBadge.earned_at, Badge.id))]

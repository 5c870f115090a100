"""Badges are earned by whatever a person does: claims, acceptances and summaries all end here."""

from dataclasses import replace
from datetime import datetime

from sqlalchemy.ext.asyncio import AsyncSession

from api.kakei.catalogue.queries import badges, earned_badges
from api.kakei.challenges import queries
from api.kakei.challenges.rules import OF_POINTS, reason_if_earned
from api.models import Badge
from data.catalog import catalogue


async def award_badges(session: AsyncSession, user_id: int, now: datetime) -> list[Badge]:
    """Give the user every badge earned by now, with its points, and return the new ones.

    Badges that look at points come last, so that the points of the others count for them.
    """
    await queries.alone_for(session, user_id)
    standing = await queries.standing_of(session, user_id)
    had = {badge.id for _, badge in await earned_badges(session, user_id)}
    awarded = []
    for badge in sorted(await badges(session), key=lambda badge: badge.rule["kind"] in OF_POINTS):
        reason = None if badge.id in had else reason_if_earned(badge.rule, standing, catalogue("levels"))
        if reason is None or not await queries.give_badge(session, user_id, badge.id, reason, now):
            continue
        awarded.append(badge)
        if badge.points:
            await queries.add_points(session, user_id, badge.points, "badge_earned", badge.id, now)
            standing = replace(standing, total_points=standing.total_points + badge.points)
    return awarded

"""Badges are earned by whatever a person does: claims, acceptances, summaries and reflections all end here."""

from dataclasses import replace
from datetime import datetime

from sqlalchemy.ext.asyncio import AsyncSession

from api.kakei.catalogue.queries import badges_by_id, badges_not_earned
from api.kakei.challenges import queries
from api.kakei.challenges.rules import OF_POINTS, reason_if_earned
from api.kakei.consent.queries import stamp
from api.models import Badge
from data.catalog import catalogue


async def award_badges(session: AsyncSession, user_id: int, now: datetime) -> list[Badge]:
    """Give the user every badge earned by now, with its points, and return the new ones.

    Badges that look at points come last, so that the points of the others count for them.
    """
    await queries.alone_for(session, user_id)
    standing = await queries.standing_of(session, user_id)
    awarded = []
    missing = await badges_not_earned(session, user_id)
    for badge in sorted(missing, key=lambda badge: badge.rule["kind"] in OF_POINTS):
        reason = reason_if_earned(badge.rule, standing, catalogue("levels"))
        if reason is None or not await queries.give_badge(session, user_id, badge.id, reason, now):
            continue
        awarded.append(badge.id)
        if badge.points:
            cause = ("badge_earned", badge.id)
            await queries.add_points(session, user_id, badge.points, cause, now, await stamp(session, user_id))
            standing = replace(standing, total_points=standing.total_points + badge.points)
    return await badges_by_id(session, awarded)

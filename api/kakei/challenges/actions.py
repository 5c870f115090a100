"""Updates challenges and awards badges after claims, acceptances, summaries and reflections."""

from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal

from sqlalchemy.ext.asyncio import AsyncSession

from api.kakei.catalog.queries import badges_by_id, badges_not_earned
from api.kakei.challenges import queries
from api.kakei.challenges.rules import OF_POINTS, ChallengeStatus, reason_if_earned, status_at
from api.kakei.consent.queries import consent_id_in_force
from api.models import Badge, ChallengeTemplate, UserChallenge
from data.catalog import catalog


@dataclass(frozen=True)
class Progress:
    """A person's reported progress: `made_at` is the effective time, `received_at` is now."""

    value: Decimal
    made_at: datetime
    received_at: datetime
    consent_id: int | None


def move_challenge(challenge: UserChallenge, template: ChallengeTemplate, progress: Progress) -> bool:
    """Set an open challenge to that progress, unless the stored one is later. Returns whether it was applied."""
    if challenge.progress_at is not None and progress.made_at < challenge.progress_at:
        return False
    mark_changed(challenge, progress.received_at, progress.consent_id)
    challenge.progress_at = progress.made_at
    challenge.current_progress = progress.value
    status = status_at(progress.value, template.target_value)
    if status is not ChallengeStatus.COMPLETED:
        challenge.completed_at = None
    elif challenge.completed_at is None:
        challenge.completed_at = max(progress.made_at, challenge.accepted_at)
    challenge.status = status
    return True


def mark_changed(challenge: UserChallenge, now: datetime, consent_id: int | None) -> None:
    """Record a change. A challenge with one change without consent stays without: consent is not retroactive."""
    challenge.changed_at = now
    challenge.consent_id = consent_id if challenge.consent_id is not None else None


async def award_badges(session: AsyncSession, user_id: int, now: datetime) -> list[Badge]:
    """Give the user all badges earned until now, with their points, and return the new ones.

    Badges that depend on points come last, so that the points of the other badges count for them.
    """
    await queries.alone_for(session, user_id, queries.BADGES)
    standing = await queries.standing_of(session, user_id)
    awarded = []
    missing = await badges_not_earned(session, user_id)
    for badge in sorted(missing, key=lambda badge: badge.rule["kind"] in OF_POINTS):
        reason = reason_if_earned(badge.rule, standing, catalog("levels"))
        if reason is None or not await queries.give_badge(session, user_id, badge.id, reason, now):
            continue
        awarded.append(badge.id)
        if badge.points:
            cause = ("badge_earned", badge.id)
            await queries.add_points(
                session, user_id, badge.points, cause, now, await consent_id_in_force(session, user_id)
            )
            standing = replace(standing, total_points=standing.total_points + badge.points)
    return await badges_by_id(session, awarded)

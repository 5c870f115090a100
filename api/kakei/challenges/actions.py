"""What moves a challenge, and what earns a badge: claims, acceptances, summaries and reflections all end here."""

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
    """How far a person says they have come: `made_at` is the effective time, `received_at` is now."""

    value: Decimal
    made_at: datetime
    received_at: datetime
    consent_id: int | None


def move_challenge(challenge: UserChallenge, template: ChallengeTemplate, progress: Progress) -> bool:
    """Bring an open challenge to that progress, unless its own was made later. Whether it was applied."""
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
    """Note a change. What came once without consent stays without: a later consent does not reach back."""
    challenge.changed_at = now
    challenge.consent_id = consent_id if challenge.consent_id is not None else None


async def award_badges(session: AsyncSession, user_id: int, now: datetime) -> list[Badge]:
    """Give the user every badge earned by now, with its points, and return the new ones.

    Badges that look at points come last, so that the points of the others count for them.
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

"""Accepts, moves and claims challenges, and awards badges after claims, acceptances, summaries and reflections."""

from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal
from typing import Any

from sqlalchemy.ext.asyncio import AsyncSession

from api.clock import effective_time
from api.db.upsert import Upserted
from api.kakei.accounts.queries import Writer
from api.kakei.catalog.queries import badges_by_id
from api.kakei.challenges import queries, rules
from api.kakei.challenges.queries import ChallengeRow
from api.kakei.challenges.rules import OF_POINTS, ChallengeStatus, Counts, reason_if_earned, status_at
from api.kakei.coach.queries import was_given
from api.kakei.consent.queries import consent_id_in_force
from api.models import Badge, ChallengeMetric, ChallengeTemplate, UserChallenge
from data.catalog import catalog

UNKNOWN = "This user has no such challenge."
AI = "ai"
"""Source of a challenge that the coach suggested."""


class ChallengeRefused(Exception):
    """Nothing was changed; the message says why."""


class ChallengeUnknown(ChallengeRefused):
    """The person has no such challenge."""


class SuggestionUnknown(ChallengeRefused):
    """The coach gave the person no such suggestion."""


class ChallengeAlreadyAccepted(ChallengeRefused):
    """The person accepted the template for that month before."""


class ChallengeAlreadyClaimed(ChallengeRefused):
    """The reward was paid before."""


class ChallengeNotCompleted(ChallengeRefused):
    """There is no reward yet."""


class ChallengeNotBegun(ChallengeRefused):
    """The month has not begun."""


class ChallengeExpired(ChallengeRefused):
    """The month is over."""


@dataclass(frozen=True)
class Sender:
    """The person who sends something, the consent in force, and when it was received."""

    user_id: int
    time_zone: str | None
    consent_id: int | None
    now: datetime

    def status_of(self, challenge: UserChallenge) -> ChallengeStatus:
        """The current status of one of their challenges."""
        return rules.status_on(challenge.status, challenge.month, challenge.accepted_at, self.now, self.time_zone)


@dataclass(frozen=True)
class Acceptance:
    """A template that a person accepts for a month. `suggestion_id` is the coach's, for the source `AI`."""

    template: ChallengeTemplate
    month: str
    source: str
    suggestion_id: str | None
    client_timestamp: datetime | None


@dataclass(frozen=True)
class Metrics:
    """The totals of a month so far, by metric."""

    month: str
    values: dict[str, Decimal]
    client_timestamp: datetime | None


@dataclass(frozen=True)
class Progress:
    """A person's reported progress: `made_at` is the effective time, `received_at` is now."""

    value: Decimal
    made_at: datetime
    received_at: datetime
    consent_id: int | None


@dataclass(frozen=True)
class Paid:
    """A claimed challenge with its template in one row, the person's points, and the new badges."""

    challenge: Any
    total_points: int
    badges: list[Badge]


async def sender_of(session: AsyncSession, writer: Writer, now: datetime) -> Sender:
    """The person, as they send now."""
    return Sender(writer.id, writer.time_zone, await consent_id_in_force(session, writer.id), now)


async def accept_challenge(session: AsyncSession, sender: Sender, wanted: Acceptance) -> ChallengeRow:
    """Accept a template once a month. Metrics that were uploaded for that month count immediately. Raises
    SuggestionUnknown, ChallengeAlreadyAccepted.
    """
    template = wanted.template
    suggestion_id = wanted.suggestion_id if wanted.source == AI else None
    if wanted.source == AI and not (suggestion_id and await was_given(session, sender.user_id, suggestion_id)):
        raise SuggestionUnknown("source ai needs a suggestion of the coach's.")
    await queries.alone_for(session, sender.user_id, queries.UPLOADS)
    accepted_at = effective_time(wanted.client_timestamp, sender.now)
    accepted = await queries.accept_challenge(
        session,
        user_id=sender.user_id,
        challenge_template_id=template.id,
        month=wanted.month,
        status=ChallengeStatus.ACCEPTED,
        current_progress=Decimal(0),
        source=wanted.source,
        ai_suggestion_id=suggestion_id,
        accepted_at=accepted_at,
        changed_at=sender.now,
        consent_id=sender.consent_id,
    )
    if accepted is None:
        raise ChallengeAlreadyAccepted("This template was accepted for this month already.")
    challenge = await queries.challenge(session, accepted)
    if rules.counts_for(wanted.month, accepted_at, sender.now, sender.time_zone) is Counts.YES:
        metric = (await queries.metrics_of(session, sender.user_id, wanted.month)).get(template.metric_key)
        if metric is not None:
            _take_over(challenge, template, metric, sender)
    await award_badges(session, sender.user_id, sender.now)
    return challenge, template


async def report_progress(
    session: AsyncSession, sender: Sender, challenge_id: int, value: Decimal, client_timestamp: datetime | None
) -> tuple[ChallengeRow, bool]:
    """Set the progress of an open challenge. Returns whether it was applied; later progress stays. Raises
    ChallengeUnknown, ChallengeAlreadyClaimed, ChallengeNotBegun, ChallengeExpired.
    """
    challenge, template = await _locked(session, sender, challenge_id)
    made_at = rules.made_in(challenge.month, effective_time(client_timestamp, sender.now), sender.time_zone)
    _check_open(challenge, made_at, sender)
    applied = move_challenge(challenge, template, Progress(value, made_at, sender.now, sender.consent_id))
    return (challenge, template), applied


async def claim_challenge(
    session: AsyncSession, uuid: str, challenge_id: int, client_timestamp: datetime | None, now: datetime
) -> Paid:
    """Pay the reward of a completed challenge, once. Raises ChallengeUnknown, which also covers an unknown user,
    ChallengeAlreadyClaimed, ChallengeNotCompleted.
    """
    challenge = await queries.claimable(session, uuid, challenge_id)
    if challenge is None:
        raise ChallengeUnknown(UNKNOWN)
    if challenge.status == ChallengeStatus.CLAIMED:
        raise ChallengeAlreadyClaimed("The reward was claimed before; nothing was paid.")
    status = rules.status_on(challenge.status, challenge.month, challenge.accepted_at, now, challenge.time_zone)
    if challenge.status != ChallengeStatus.COMPLETED:
        raise ChallengeNotCompleted(f"This challenge is {status}.")
    claimed_at = max(effective_time(client_timestamp, now), challenge.completed_at or now)
    claimed = await queries.claim(session, challenge, claimed_at, now)
    cause = ("challenge_claimed", challenge.id)
    reward = (challenge.user_id, challenge.reward_points)
    await queries.add_points(session, *reward, cause, now, claimed.consent_id)
    badges, total = await _award(session, challenge.user_id, now)
    return Paid(challenge._replace(status=claimed.status, claimed_at=claimed.claimed_at), total, badges)


async def upload_metrics(
    session: AsyncSession, sender: Sender, sent: Metrics
) -> tuple[dict[str, Upserted[ChallengeMetric]], list[ChallengeRow]]:
    """Store the metrics of a month. Returns what is stored of each, and the open challenges that they moved."""
    await queries.alone_for(session, sender.user_id, queries.UPLOADS)
    received = {
        "client_timestamp": sent.client_timestamp,
        "received_at": sender.now,
        "consent_id": sender.consent_id,
    }
    stored: dict[str, Upserted[ChallengeMetric]] = {}
    for name, value in sorted(sent.values.items()):
        key = {"user_id": sender.user_id, "month": sent.month, "metric_key": name}
        stored[name] = await queries.put_metric(session, key | received | {"value": value})
    return stored, await _moved_by(session, sender, sent)


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


async def award_counted(session: AsyncSession, user_id: int, kind: str, now: datetime) -> None:
    """Award badges after a new row of a kind that is counted (`queries.COUNTED`). The transaction has the lock BADGES.
    Such a row earns only the badges of its kind, and by their points those of points."""
    if await queries.earned_by_count(session, user_id, kind):
        await _award(session, user_id, now)


async def award_badges(session: AsyncSession, user_id: int, now: datetime) -> list[Badge]:
    """Give the user all badges earned until now, with their points, and return the new ones."""
    await queries.alone_for(session, user_id, queries.BADGES)
    badges, _ = await _award(session, user_id, now)
    return badges


async def _award(session: AsyncSession, user_id: int, now: datetime) -> tuple[list[Badge], int]:
    """Does that in a transaction that has the lock BADGES. Returns the person's points, too.

    Badges that depend on points come last, so that the points of the other badges count for them.
    """
    standing, missing = await queries.standing_of(session, user_id)
    awarded = []
    for badge in sorted(missing, key=lambda badge: badge.kind in OF_POINTS):
        reason = reason_if_earned(badge, standing, catalog("levels"))
        if reason is None or not await queries.give_badge(session, user_id, badge.id, reason, now):
            continue
        awarded.append(badge.id)
        if badge.points:
            await queries.add_badge_points(session, user_id, badge.points, badge.id, now)
            standing = replace(standing, total_points=standing.total_points + badge.points)
    return await badges_by_id(session, awarded), standing.total_points


async def _moved_by(session: AsyncSession, sender: Sender, sent: Metrics) -> list[ChallengeRow]:
    """Update and return the open challenges of the month that use these metrics. The stored metrics do not matter: the
    latest total may be from after the month, and then it does not count."""
    now, zone = sender.now, sender.time_zone
    made_at = rules.made_in(sent.month, effective_time(sent.client_timestamp, now), zone)
    if rules.counts_for(sent.month, made_at, now, zone) is not Counts.YES:
        return []
    moved = []
    for challenge, template in await queries.challenges_of(session, sender.user_id, sent.month, for_update=True):
        is_open = sender.status_of(challenge) not in {ChallengeStatus.CLAIMED, ChallengeStatus.EXPIRED}
        if template.metric_key in sent.values and is_open:
            progress = Progress(sent.values[template.metric_key], made_at, now, sender.consent_id)
            if move_challenge(challenge, template, progress):
                moved.append((challenge, template))
    return moved


def _take_over(challenge: UserChallenge, template: ChallengeTemplate, metric: ChallengeMetric, sender: Sender) -> None:
    """Set a challenge that was just accepted to a metric of before, if that was made and received in time."""
    made_at = effective_time(metric.client_timestamp, metric.received_at)
    made_at = rules.made_in(challenge.month, made_at, sender.time_zone)
    if rules.counts_for(challenge.month, made_at, metric.received_at, sender.time_zone) is Counts.YES:
        consent_id = sender.consent_id if metric.consent_id is not None else None
        move_challenge(challenge, template, Progress(metric.value, made_at, sender.now, consent_id))


async def _locked(session: AsyncSession, sender: Sender, challenge_id: int) -> ChallengeRow:
    """The person's challenge, locked. Raises ChallengeUnknown."""
    row = await queries.challenge_for_update(session, sender.user_id, challenge_id)
    if row is None:
        raise ChallengeUnknown(UNKNOWN)
    return row


def _check_open(challenge: UserChallenge, made_at: datetime, sender: Sender) -> None:
    """Raise ChallengeRefused if progress does not count: the challenge is claimed or expired, or it was not made in
    the month."""
    if challenge.status == ChallengeStatus.CLAIMED:
        raise ChallengeAlreadyClaimed("A claimed challenge does not move any more.")
    counts = rules.counts_for(challenge.month, made_at, sender.now, sender.time_zone)
    if counts is Counts.NOT_BEGUN:
        raise ChallengeNotBegun("Progress counts from the first day of the month on.")
    if counts is Counts.GRACE_OVER or sender.status_of(challenge) is ChallengeStatus.EXPIRED:
        raise ChallengeExpired(f"Nothing counts for {challenge.month} any more.")
    if counts is Counts.DONE_LATER:
        days = rules.GRACE.days
        detail = f"This was done after {challenge.month}. What was done in it counts for {days} days more, by its "
        raise ChallengeExpired(detail + "client_timestamp.")

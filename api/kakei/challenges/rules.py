"""Computes the status of challenges and the badges that a person earned. Pure."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from enum import StrEnum
from typing import Any

from api.kakei.catalog.rules import level_of
from api.time_zones import local_date, zone_of

OF_POINTS = frozenset({"total_points", "level"})
"""Kinds of badge rules that depend on points. They are evaluated last, and their badges give no points."""


GRACE = timedelta(days=7)
"""How long after a month its challenges accept progress made in it. A phone that is offline for a holiday week loses
nothing, and the rewards of a month are settled soon after it."""
WESTERNMOST, EASTERNMOST = timedelta(hours=-12), timedelta(hours=14)
"""The smallest and the largest offset from UTC of all time zones (IANA time zone database)."""
EARLIEST_MONTH = "2000-01"
"""Same as for timestamps (`api.http.types.EARLIEST`): an earlier month means a wrong phone clock."""


class ChallengeStatus(StrEnum):
    """`expired` is never stored: it is computed from the month, the acceptance and the clock."""

    ACCEPTED = "accepted"
    IN_PROGRESS = "in_progress"
    COMPLETED = "completed"
    CLAIMED = "claimed"
    EXPIRED = "expired"


@dataclass(frozen=True)
class Claimed:
    """A claimed challenge, as input of badge rules."""

    category: str
    challenge_type: str
    difficulty: str
    month: str


@dataclass(frozen=True)
class Standing:
    """The input of all badge rules."""

    total_points: int
    accepted: int
    claimed: tuple[Claimed, ...]
    weekly_summaries: int
    monthly_summaries: int
    reflections: int


@dataclass(frozen=True)
class Missing:
    """A badge that a person does not have, and its rule."""

    id: int
    kind: str
    at_least: int
    points: int


class Counts(StrEnum):
    """Whether an upload counts for a month, and if not, why."""

    YES = "yes"
    NOT_BEGUN = "not begun"
    """The month has not begun."""
    DONE_LATER = "done later"
    """It was done after the month."""
    GRACE_OVER = "grace over"
    """The month and its grace period are over."""


def counts_for(month: str, done_at: datetime, received_at: datetime, time_zone: str | None) -> Counts:
    """Whether something done at `done_at` (`api.clock.effective_time`) counts for a month.

    Where no zone is known, the month is as long as it is anywhere on earth. A client's clock that is behind does not
    hurt: that the month has begun is what our clock says (`made_in`)."""
    if _month(_latest_date(received_at, time_zone)) < month:
        return Counts.NOT_BEGUN
    if _month(local_date(received_at, time_zone) - GRACE) > month:
        return Counts.GRACE_OVER
    return Counts.DONE_LATER if is_after(month, done_at, time_zone) else Counts.YES


def made_in(month: str, made_at: datetime, time_zone: str | None) -> datetime:
    """When something was made that is sent for a month: at the earliest when the month begins. A clock that is behind
    loses nothing by it, and loses against every time inside the month."""
    return max(made_at, beginning_of(month, time_zone))


def beginning_of(month: str, time_zone: str | None) -> datetime:
    """The first moment of a month; where no zone is known, the first one anywhere."""
    first = datetime.strptime(month, "%Y-%m")  # noqa: DTZ007 - its zone comes now
    if time_zone is None:
        return first.replace(tzinfo=UTC) - EASTERNMOST
    return first.replace(tzinfo=zone_of(time_zone)).astimezone(UTC)


def is_after(month: str, moment: datetime, time_zone: str | None) -> bool:
    """Whether a moment is after a month; without a known zone, after it in all time zones."""
    earliest = local_date(moment, time_zone) if time_zone else (moment + WESTERNMOST).date()
    return _month(earliest) > month


def month_problem(month: str, now: datetime) -> str | None:
    """The error of a month that an app sends, or None. Past months are allowed; the latest is the next month, in the
    time zone that is furthest ahead."""
    this = _latest_date(now, None)
    latest = _month(this.replace(day=1) + timedelta(days=31))
    if month > latest:
        return f"at the latest the next month, {latest}"
    return f"not before {EARLIEST_MONTH}" if month < EARLIEST_MONTH else None


def status_on(stored: str, month: str, accepted_at: datetime, now: datetime, time_zone: str | None) -> ChallengeStatus:
    """The current status of a challenge. Unfinished ones expire after their month and its grace period, or immediately
    if they were accepted after the month. Completed ones stay claimable."""
    status = ChallengeStatus(stored)
    over = _month(local_date(now, time_zone) - GRACE) > month or is_after(month, accepted_at, time_zone)
    if over and status in {ChallengeStatus.ACCEPTED, ChallengeStatus.IN_PROGRESS}:
        return ChallengeStatus.EXPIRED
    return status


def _latest_date(moment: datetime, time_zone: str | None) -> date:
    """The person's date; without a known zone, the latest date of all time zones."""
    return local_date(moment, time_zone) if time_zone else (moment + EASTERNMOST).date()


def _month(day: date) -> str:
    return f"{day:%Y-%m}"


def status_at(progress: Decimal, target: Decimal) -> ChallengeStatus:
    """The status of an unclaimed challenge with this progress; a correction downwards reopens it."""
    if progress >= target:
        return ChallengeStatus.COMPLETED
    return ChallengeStatus.IN_PROGRESS if progress > 0 else ChallengeStatus.ACCEPTED


def metric_problem(value: Decimal, metric: Mapping[str, Any]) -> str | None:
    """The error of a month's total of a metric, or None."""
    if value > metric.get("maximum", value):
        return f"at most {metric['maximum']} {metric['unit']}"
    if metric["unit"] != "percent" and value != value.to_integral_value():
        return f"whole {metric['unit']}"
    return None


def quantity(kind: str, standing: Standing, levels: Iterable[Mapping[str, Any]]) -> int:
    """The quantity that a badge rule counts. Raises ValueError for an unknown kind."""
    name, _, which = kind.partition(":")
    claimed = standing.claimed
    number: int
    match name:
        case "total_points" | "weekly_summaries" | "monthly_summaries" | "reflections":
            number = getattr(standing, name)
        case "level":
            number = level_of(standing.total_points, levels).level
        case "challenges_accepted":
            number = standing.accepted
        case "challenges_claimed":
            number = len(claimed)
        case "challenges_claimed_by_category":
            number = sum(one.category == which for one in claimed)
        case "challenges_claimed_by_type":
            number = sum(one.challenge_type == which for one in claimed)
        case "hard_challenges_claimed":
            number = sum(one.difficulty == "hard" for one in claimed)
        case "months_active":
            number = len({one.month for one in claimed})
        case _:
            raise ValueError(f"no badge rule of kind {kind!r} is known")
    return number


def reason_if_earned(badge: Missing, standing: Standing, levels: Iterable[Mapping[str, Any]]) -> str | None:
    """Why a badge is earned, in words, or None if it is not."""
    reached = quantity(badge.kind, standing, levels)
    if reached < badge.at_least:
        return None
    return f"{badge.kind.replace('_', ' ').replace(':', ': ')} reached {badge.at_least}"

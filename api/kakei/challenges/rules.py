"""When a challenge is what, which level points make, and which badges a person has earned: pure arithmetic."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from enum import StrEnum
from typing import Any
from zoneinfo import ZoneInfo

OF_POINTS = frozenset({"total_points", "level"})
"""Kinds of badge rules that look at points. They are evaluated last, and such badges bring no points."""


class ChallengeStatus(StrEnum):
    """`expired` is never stored: it follows from the month and the clock."""

    ACCEPTED = "accepted"
    IN_PROGRESS = "in_progress"
    COMPLETED = "completed"
    CLAIMED = "claimed"
    EXPIRED = "expired"


@dataclass(frozen=True)
class Claimed:
    """A challenge whose reward was claimed, as badges see it."""

    category: str
    challenge_type: str
    difficulty: str
    month: str


@dataclass(frozen=True)
class Standing:
    """All that badges are judged by."""

    total_points: int
    accepted: int
    claimed: tuple[Claimed, ...]
    weekly_summaries: int
    monthly_summaries: int
    reflections: int


@dataclass(frozen=True)
class Level:
    """A level, and what is missing to the next; both None at the top."""

    level: int
    title: str
    next_title: str | None
    points_to_next: int | None


def local_date(now: datetime, time_zone: str | None) -> date:
    """The day at the person's place; UTC where no zone is known."""
    return now.astimezone(ZoneInfo(time_zone or "UTC")).date()


def status_on(stored: str, month: str, today: date) -> ChallengeStatus:
    """What a challenge is today: unfinished ones expire with their month, completed ones stay claimable."""
    status = ChallengeStatus(stored)
    over = month < f"{today:%Y-%m}"
    if over and status in {ChallengeStatus.ACCEPTED, ChallengeStatus.IN_PROGRESS}:
        return ChallengeStatus.EXPIRED
    return status


def status_at(progress: Decimal, target: Decimal) -> ChallengeStatus:
    """What progress makes of an open challenge; a correction downwards reopens it."""
    if progress >= target:
        return ChallengeStatus.COMPLETED
    return ChallengeStatus.IN_PROGRESS if progress > 0 else ChallengeStatus.ACCEPTED


def metric_problem(value: Decimal, metric: Mapping[str, Any]) -> str | None:
    """What is wrong with a month's total of a metric of the catalogue, or None."""
    if value > metric.get("maximum", value):
        return f"at most {metric['maximum']} {metric['unit']}"
    if metric["unit"] != "percent" and value != value.to_integral_value():
        return f"whole {metric['unit']}"
    return None


def level_of(total_points: int, levels: Iterable[Mapping[str, Any]]) -> Level:
    """The highest level that the points have reached."""
    ordered = sorted(levels, key=lambda level: level["from_points"])
    reached = [level for level in ordered if level["from_points"] <= total_points]
    here = reached[-1]
    above = ordered[len(reached)] if len(reached) < len(ordered) else None
    if above is None:
        return Level(here["level"], here["title"], None, None)
    return Level(here["level"], here["title"], above["title"], above["from_points"] - total_points)


def quantity(kind: str, standing: Standing, levels: Iterable[Mapping[str, Any]]) -> int:
    """What a badge's rule counts. Raises ValueError for a kind that nobody knows."""
    name, _, which = kind.partition(":")
    claimed = standing.claimed
    counted = {
        "total_points": standing.total_points,
        "level": level_of(standing.total_points, levels).level,
        "challenges_accepted": standing.accepted,
        "challenges_claimed": len(claimed),
        "challenges_claimed_by_category": sum(one.category == which for one in claimed),
        "challenges_claimed_by_type": sum(one.challenge_type == which for one in claimed),
        "hard_challenges_claimed": sum(one.difficulty == "hard" for one in claimed),
        "months_active": len({one.month for one in claimed}),
        "weekly_summaries": standing.weekly_summaries,
        "monthly_summaries": standing.monthly_summaries,
        "reflections": standing.reflections,
    }
    if name not in counted:
        raise ValueError(f"no badge rule of kind {kind!r} is known")
    return counted[name]


def reason_if_earned(rule: Mapping[str, Any], standing: Standing, levels: Iterable[Mapping[str, Any]]) -> str | None:
    """Why a badge is earned, in words, or None where it is not."""
    reached = quantity(rule["kind"], standing, levels)
    if reached < rule["at_least"]:
        return None
    return f"{rule['kind'].replace('_', ' ').replace(':', ': ')} reached {rule['at_least']}"

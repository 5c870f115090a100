"""The statistics of the dashboard. Each is a list of rows for a chart."""

from collections import Counter
from datetime import datetime, timedelta
from typing import Any, Literal

from prometheus_client import CollectorRegistry
from sqlalchemy import Date, Select, String, cast, distinct, func, select, union_all
from sqlalchemy.ext.asyncio import AsyncSession

from api.models import (
    AppEvent,
    Consent,
    DaySelection,
    Decision,
    Release,
    Suggestion,
    TodoAction,
    UserChallenge,
    WeeklySummary,
)

DAYS = 30
"""The number of days in the daily statistics."""

type Rows = list[dict[str, Any]]


def decisions_now(registry: CollectorRegistry) -> tuple[Rows, Rows]:
    """Decisions by coach and source, and fallbacks by coach and reason, since the service started. They include
    anonymous ones, which are stored nowhere else.
    """
    sources: Counter[tuple[str, str]] = Counter()
    reasons: Counter[tuple[str, str]] = Counter()
    for family in registry.collect():
        for sample in family.samples:
            if sample.name == "buddy_coach_decisions_total" and sample.value:
                coach = sample.labels["coach"]
                sources[coach, sample.labels["source"]] += int(sample.value)
                if reason := sample.labels["reason"]:
                    reasons[coach, reason] += int(sample.value)
    return (
        [{"source": source, "decisions": count, "coach": coach} for (coach, source), count in sorted(sources.items())],
        [{"reason": reason, "fallbacks": count, "coach": coach} for (coach, reason), count in sorted(reasons.items())],
    )


async def kept_by_day(session: AsyncSession, now: datetime, what: Literal["source", "fallback_reason"]) -> Rows:
    """Stored decisions of both coaches, by day and source, and the reason if the rules decided."""
    rows: Counter[tuple[str, str]] = Counter()
    for coach, model, day, recent in (
        ("budget", Decision, _day(session, Decision.decided_at), Decision.decided_at >= _since(now)),
        ("daily", DaySelection, DaySelection.day, DaySelection.day >= _since(now).date()),
    ):
        why = getattr(model, what)
        query: Select[Any] = select(day, why, func.count()).where(recent, why.is_not(None)).group_by(day, why)
        for on, value, count in await session.execute(query):
            rows[str(on), f"{coach}: {value}"] += count
    return [{"day": on, "decisions": count, what: value} for (on, value), count in sorted(rows.items())]


async def active_by_day(session: AsyncSession, now: datetime) -> Rows:
    """KakeiBuddy's users who sent something, and Kinderbud's households with an action, by day."""
    since = _since(now)
    traces = [
        select(who.label("who"), _day(session, moment).label("day")).where(moment >= since)
        for who, moment in (
            (AppEvent.user_id, AppEvent.received_at),
            (Decision.user_id, Decision.decided_at),
            (Suggestion.user_id, Suggestion.created_at),
            (UserChallenge.user_id, UserChallenge.changed_at),
            (WeeklySummary.user_id, WeeklySummary.received_at),
        )
    ]
    users = union_all(*traces).subquery()
    of_users = select(users.c.day, func.count(distinct(users.c.who))).group_by(users.c.day)
    of_households = (
        select(TodoAction.action_date, func.count(distinct(TodoAction.household_id)))
        .where(TodoAction.action_date >= since.date())
        .group_by(TodoAction.action_date)
    )
    rows = [
        {"day": str(day), "active": count, "who": who}
        for who, query in (("users", of_users), ("households", of_households))
        for day, count in await session.execute(query)
    ]
    return sorted(rows, key=lambda row: row["day"])


async def consents_now(session: AsyncSession) -> Rows:
    """By study version, how many people consent now, and how many withdrew."""
    newest = select(func.max(Consent.id)).group_by(Consent.user_id, Consent.study_version)
    query = (
        select(Consent.study_version, Consent.consented, func.count())
        .where(Consent.id.in_(newest))
        .group_by(Consent.study_version, Consent.consented)
        .order_by(Consent.study_version)
    )
    words = {True: "consent", False: "took it back"}
    return [
        {"study": study, "people": count, "state": words[bool(agreed)]}
        for study, agreed, count in await session.execute(query)
    ]


async def exports_by_day(session: AsyncSession, now: datetime) -> Rows:
    """Exports for researchers, by day."""
    day = _day(session, Release.snapshot_at)
    query = select(day, func.count()).where(Release.snapshot_at >= _since(now)).group_by(day).order_by(day)
    return [{"day": str(on), "exports": count} for on, count in await session.execute(query)]


def _since(now: datetime) -> datetime:
    return now - timedelta(days=DAYS)


def _day(session: AsyncSession, moment: Any) -> Any:
    """The day (UTC) of a timestamp, on either database."""
    if session.get_bind().dialect.name == "postgresql":
        return cast(func.timezone("UTC", moment), Date)
    return func.date(moment, type_=String)

"""The admin's SQL: its operators, and the statistics of the dashboard, each a list of rows for a chart."""

from collections import Counter
from datetime import datetime, timedelta
from typing import Any, Literal

from sqlalchemy import ColumnElement, Date, Select, String, and_, cast, delete, distinct, func, select, union_all
from sqlalchemy.ext.asyncio import AsyncSession

from api.db.upsert import insert_into
from api.models import (
    AppEvent,
    Consent,
    DaySelection,
    Decision,
    Operator,
    OperatorBrowser,
    OperatorSession,
    Release,
    Suggestion,
    TodoAction,
    UserChallenge,
    WeeklySummary,
)

DAYS = 30
"""The number of days in the daily statistics."""

type Rows = list[dict[str, Any]]


async def operator_named(session: AsyncSession, name: str, *, for_update: bool = False) -> Operator | None:
    query = select(Operator).where(Operator.name == name)
    return await session.scalar(query.with_for_update() if for_update else query)


async def set_password(session: AsyncSession, name: str, password_hash: str | None, now: datetime) -> None:
    """Store the operator with this password. It ends every session and forgets every known browser."""
    made = insert_into(session, Operator).values(name=name, password_hash=password_hash, created_at=now)
    await session.execute(made.on_conflict_do_update(index_elements=["name"], set_={"password_hash": password_hash}))
    await session.execute(delete(OperatorSession))
    await session.execute(delete(OperatorBrowser))


async def operator_in_browser(
    session: AsyncSession, name: str, known: tuple[ColumnElement[bool], ...]
) -> tuple[Operator | None, str | None]:
    """The account of that name, and the digest of the requesting browser if the account knows it."""
    query = (
        select(Operator, OperatorBrowser.digest)
        .outerjoin(OperatorBrowser, and_(OperatorBrowser.owner_id == Operator.id, *known))
        .where(Operator.name == name)
    )
    found = (await session.execute(query)).first()
    return (found[0], found[1]) if found is not None else (None, None)


async def operator_of(
    session: AsyncSession, working: tuple[ColumnElement[bool], ...]
) -> tuple[OperatorSession, Operator] | None:
    """The session that meets these conditions, and its operator if they have a password."""
    query = (
        select(OperatorSession, Operator)
        .join(Operator, Operator.id == OperatorSession.owner_id)
        .where(*working, Operator.password_hash.is_not(None))
    )
    found = (await session.execute(query)).one_or_none()
    return (found[0], found[1]) if found is not None else None


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

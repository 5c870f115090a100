"""Queries on studies, decision points and outcomes."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from functools import cache
from typing import Any

from sqlalchemy import Insert, Select, bindparam, func, inspect, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from api.db.prepared import Prepared
from api.db.upsert import insert_for, insert_into
from api.kakei.studies.rules import STOPPED
from api.models import Candidate, Consent, Decision, Outcome, Study, WeeklySummary
from data.rewards.outcomes import CUT_OFF, NEXT_CONTEXT

_RUNNING = Prepared(
    lambda _: select(*inspect(Study).columns).where(
        Study.study_version == bindparam("version"), Study.phase != STOPPED, Study.started_at <= bindparam("now")
    )
)
_OF_WEEK = Prepared(
    lambda _: select(*inspect(Decision).columns).where(
        Decision.user_id == bindparam("user_id"),
        Decision.study_id == bindparam("study_id"),
        Decision.local_week == bindparam("monday"),
    )
)
_LAST = Prepared(
    lambda _: (
        select(Decision.levels)
        .where(Decision.user_id == bindparam("user_id"))
        .order_by(Decision.decided_at.desc(), Decision.id.desc())
        .limit(1)
    )
)


def _decided_between(*columns: Any) -> Select[Any]:
    """These columns of a person's decision points from `first` to `last` in the study of that version."""
    return (
        select(*columns)
        .join(Study, Study.id == Decision.study_id)
        .where(Decision.user_id == bindparam("user_id"), Study.study_version == bindparam("version"))
        .where(Decision.decided_at >= bindparam("first"), Decision.decided_at <= bindparam("last"))
    )


_RIPENING = Prepared(lambda _: _decided_between(Decision.id, Decision.decided_at))
_WITHOUT_NEXT_CONTEXT = Prepared(
    lambda _: (
        _decided_between(Decision.id, Decision.decided_at, Decision.context)
        .join(Outcome, Outcome.decision_key == Decision.id)
        .where(Outcome.context_at.is_(None))
    )
)
_AWAIT_OUTCOME = Prepared(
    lambda dialect: insert_for(dialect, Outcome).values(
        decision_key=bindparam("decision_key", type_=Outcome.decision_key.type),
        user_id=bindparam("user_id", type_=Outcome.user_id.type),
    )
)


@dataclass(frozen=True)
class Standing:
    """The progress of a study."""

    study: Study
    participants: int
    decisions: int
    by_phase: dict[str, int]
    with_context: int
    with_summary: int


async def study_named(session: AsyncSession, version: str) -> Study | None:
    return await session.scalar(select(Study).where(Study.study_version == version))


async def running_study(session: AsyncSession, version: str, now: datetime) -> Study | None:
    """The study of a version, if it has begun and is not stopped: a row with its attributes."""
    found: Study | None = await _RUNNING.row(session, version=version, now=now)
    return found


async def studies(session: AsyncSession) -> list[Study]:
    """All studies, newest first."""
    return list(await session.scalars(select(Study).order_by(Study.id.desc())))


async def standing_of(session: AsyncSession, study: Study) -> Standing:
    mine = Decision.study_id == study.id
    by_phase = await session.execute(select(Decision.phase, func.count()).where(mine).group_by(Decision.phase))
    counts = {phase: count for phase, count in by_phase}  # noqa: C416 - `dict` does not accept rows as pairs
    people = await session.scalar(select(func.count(Decision.user_id.distinct())).where(mine))
    outcomes = select(func.count(Outcome.context_at), func.count(Outcome.summary_at))
    found = (await session.execute(outcomes.join(Decision, Decision.id == Outcome.decision_key).where(mine))).one()
    return Standing(study, people or 0, sum(counts.values()), counts, found[0], found[1])


async def freeze(session: AsyncSession, policy_id: str, graph: bytes, card: bytes, now: datetime) -> None:
    """Store an artifact; a repeat changes nothing."""
    insert = insert_into(session, Candidate).values(policy_id=policy_id, graph=graph, card=card, frozen_at=now)
    await session.execute(insert.on_conflict_do_nothing(index_elements=["policy_id"]))


async def candidate_named(session: AsyncSession, policy_id: str) -> Candidate | None:
    return await session.get(Candidate, policy_id)


async def decision_of_week(session: AsyncSession, user_id: int, study_id: int, monday: date) -> Decision | None:
    """A person's decision point in a week: a row with its attributes."""
    found: Decision | None = await _OF_WEEK.row(session, user_id=user_id, study_id=study_id, monday=monday)
    return found


async def last_levels(session: AsyncSession, user_id: int) -> list[int] | None:
    """The levels of a person's last decision."""
    found = await _LAST.row(session, user_id=user_id)
    return None if found is None else found.levels


@cache
def _add(columns: tuple[str, ...], *, is_in_study: bool) -> Prepared:
    """Stores a decision with these columns; of a study, only the first one of a person's week."""
    values = {name: bindparam(name, type_=getattr(Decision, name).type) for name in columns}

    def make(dialect: str) -> Insert:
        insert = insert_for(dialect, Decision).values(values)
        if is_in_study:
            insert = insert.on_conflict_do_nothing(index_elements=["user_id", "study_id", "local_week"])
        return insert.returning(Decision.id)

    return Prepared(make)


async def add_decision(session: AsyncSession, values: dict[str, Any]) -> bool:
    """Store a decision. Returns False if the person already has one in that study and week."""
    is_in_study = values["study_id"] is not None
    added = await _add(tuple(values), is_in_study=is_in_study).row(session, **values)
    if added is not None and is_in_study:
        await _AWAIT_OUTCOME.rows(session, decision_key=added.id, user_id=values["user_id"])
    return added is not None


async def without_next_context(session: AsyncSession, user_id: int, version: str, now: datetime) -> list[Decision]:
    """A person's decision points that wait for their next context and may receive it now: id, time and context."""
    earliest, latest = NEXT_CONTEXT
    values = {"user_id": user_id, "version": version, "first": now - latest, "last": now - earliest}
    return await _WITHOUT_NEXT_CONTEXT.rows(session, **values)


async def ripening(session: AsyncSession, user_id: int, version: str, now: datetime) -> list[Decision]:
    """A person's decision points whose cut-off is in the future: id and time."""
    values = {"user_id": user_id, "version": version, "first": now - CUT_OFF, "last": now + timedelta(days=1)}
    return await _RIPENING.rows(session, **values)


async def summaries_at(
    session: AsyncSession, user_id: int, version: str, keys: Iterable[tuple[int, int]]
) -> list[WeeklySummary]:
    """The weekly summaries by (month_key, week_key) that were received under consent to the study."""
    wanted = list(keys)
    months = {month for month, _ in wanted}
    query = (
        select(WeeklySummary)
        .join(Consent, Consent.id == WeeklySummary.consent_id)
        .where(WeeklySummary.user_id == user_id, WeeklySummary.month_key.in_(months))
        .where(Consent.study_version == version)
    )
    return [row for row in await session.scalars(query) if (row.month_key, row.week_key) in wanted]


async def observe_first(session: AsyncSession, decision_key: int, values: dict[str, Any]) -> None:
    """Enter the next context, unless one is stored already."""
    mine = update(Outcome).where(Outcome.decision_key == decision_key, Outcome.context_at.is_(None))
    await session.execute(mine.values(**values))


async def observe(session: AsyncSession, decision_key: int, values: dict[str, Any]) -> None:
    """Enter or correct a part of an outcome."""
    await session.execute(update(Outcome).where(Outcome.decision_key == decision_key).values(**values))

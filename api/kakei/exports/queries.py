"""Queries of an export on one consistent snapshot, and the ledger of releases."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import CTE, Integer, Select, func, insert, select, tuple_, union
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import aliased

from api.db.upsert import effective_time_of
from api.kakei.challenges.rules import GRACE, ChallengeStatus
from api.models import (
    AppEvent,
    ChallengeMetric,
    ChallengeTemplate,
    Consent,
    Decision,
    MonthlySummary,
    Outcome,
    Participant,
    PointEntry,
    Profile,
    ProgressSnapshot,
    Reflection,
    Release,
    ReleasedParticipant,
    Response,
    UserChallenge,
    WeeklySummary,
)
from data.rewards.outcomes import CUT_OFF

NOT_NEEDED = frozenset(
    {
        *("user_id", "consent_id", "fingerprint", "challenge_template_id", "ai_suggestion_id", "progress_at"),
        *("changed_at", "cause_id", "decision_id", "study_id", "local_week", "because"),
    }
)
"""Columns of exported rows that are not read; `consent_id` always is."""
INSERT_ROWS = 10_000
"""Rows of the ledger written at a time."""
ZONES = timedelta(days=1)
"""A month ends within a day of its end in UTC; its challenges expire `GRACE` later."""


@dataclass(frozen=True)
class Scope:
    """The filter of an export: the study, and optionally only people who changed since an earlier release."""

    study_version: str | None = None
    changed_since: datetime | None = None
    earlier: Release | None = None
    zones_changed: tuple[tuple[str, str], ...] = ()
    """Study and zone of people for whom it changed whether their time zone is shown."""


async def begin_snapshot(session: AsyncSession) -> None:
    """Give the session a snapshot of the database that later writes do not change."""
    if session.get_bind().dialect.name == "postgresql":
        options = {"isolation_level": "REPEATABLE READ", "postgresql_readonly": True}
        await session.connection(execution_options=options)


def allowed(scope: Scope) -> CTE:
    """Participants who may be exported now: their newest consent entry and their newest one for the study are consents,
    and no withdrawal follows the latter. A withdrawal covers all studies."""
    now, own = aliased(Consent), aliased(Consent)
    newest = select(func.max(Consent.id)).group_by(Consent.user_id)
    newest_of_study = select(func.max(Consent.id)).group_by(Consent.user_id, Consent.study_version)
    back = aliased(Consent)
    taken_back = select(func.max(back.id)).where(back.user_id == Participant.user_id, ~back.consented)
    query = (
        select(
            Participant.user_id,
            Participant.study_version,
            Participant.pseudonym,
            Participant.split,
            Participant.joined_at,
            now.data_mode.label("mode_now"),
            own.participant_code,
            Profile.time_zone.label("zone"),
            Profile.income_range_id,
            Profile.user_profile,
            Profile.budget_cycle_start_day,
        )
        .join(now, now.user_id == Participant.user_id)
        .join(own, (own.user_id == Participant.user_id) & (own.study_version == Participant.study_version))
        .outerjoin(Profile, Profile.user_id == Participant.user_id)
        .where(now.id.in_(newest), own.id.in_(newest_of_study))
        .where(own.id > func.coalesce(taken_back.scalar_subquery(), 0))
    )
    for entry in (now, own):
        query = query.where(entry.consented, entry.age_confirmed, entry.allow_research_export)
    if scope.study_version is not None:
        query = query.where(Participant.study_version == scope.study_version)
    return query.cte("allowed")


def people(scope: Scope) -> Select[Any]:
    """The participants; an export of changes also includes all of them, because their rows are few."""
    who = allowed(scope)
    return select(who).order_by(who.c.pseudonym)


def consents(scope: Scope) -> Select[Any]:
    """All consent entries of the allowed participants; an export of changes also includes all of them."""
    who = allowed(scope)
    query = select(
        Consent.id.label("consent_id"),
        *(who.c.pseudonym, who.c.study_version, who.c.zone, who.c.mode_now),
        *(Consent.consented, Consent.age_confirmed, Consent.allow_research_export),
        *(Consent.data_mode, Consent.received_at),
    ).join(who, (who.c.user_id == Consent.user_id) & (who.c.study_version == Consent.study_version))
    return query.order_by(who.c.pseudonym, Consent.id)


def received(table: type[Any], scope: Scope, who: CTE, *columns: Any) -> Select[Any]:
    """Rows of a table received under consent to the participant's study: these columns and `consent_id`, which is the
    key of `consents`. `who` are the allowed participants."""
    then = aliased(Consent)
    query = (
        select(table.consent_id, *columns)
        .join(then, then.id == table.consent_id)
        .join(who, (who.c.user_id == table.user_id) & (who.c.study_version == then.study_version))
    )
    return _changed(query, who, scope).order_by(who.c.pseudonym, table.id)


def responses(scope: Scope) -> Select[Any]:
    """Answers with their version among the answers to the same instrument in the same phase and period. The latest
    effective time is the current one, as in `latest_response`."""
    who = allowed(scope)
    group = (who.c.pseudonym, Response.instrument_key, Response.phase, Response.period)
    when = (effective_time_of(Response), Response.id)
    version = func.row_number(type_=Integer).over(partition_by=group, order_by=when).label("version")
    versions = func.count().over(partition_by=group).label("versions")
    return received(Response, scope, who, *_needed(Response), version, versions)


def challenges(scope: Scope) -> Select[Any]:
    template = ChallengeTemplate
    of_template = (template.slug, template.metric_key, template.target_value, template.unit, template.reward_points)
    query = received(UserChallenge, scope, allowed(scope), *_needed(UserChallenge), *of_template)
    return query.join(template, template.id == UserChallenge.challenge_template_id)


def outcomes(scope: Scope) -> Select[Any]:
    """Outcomes of decision points with their decisions. All decisions are included, so that the numbering is equal;
    decisions that no study drew have no outcome."""
    query = received(Decision, scope, allowed(scope), Decision.decided_at, Decision.phase)
    return query.outerjoin(Outcome, Outcome.decision_key == Decision.id).add_columns(*_needed(Outcome))


def _whole(table: type[Any]) -> Callable[[Scope], Select[Any]]:
    return lambda scope: received(table, scope, allowed(scope), *_needed(table))


def _needed(table: type[Any]) -> list[Any]:
    """The columns that are exported or that the rules need."""
    return [column for column in table.__table__.columns if not column.primary_key and column.name not in NOT_NEEDED]


SELECTS: dict[str, Callable[[Scope], Select[Any]]] = {
    "responses": responses,
    "scores": responses,
    "reflections": _whole(Reflection),
    "events": _whole(AppEvent),
    "challenge_metrics": _whole(ChallengeMetric),
    "progress_snapshots": _whole(ProgressSnapshot),
    "weekly_summaries": _whole(WeeklySummary),
    "monthly_summaries": _whole(MonthlySummary),
    "challenges": challenges,
    "points": _whole(PointEntry),
    "decisions": _whole(Decision),
    "outcomes": outcomes,
}
"""The query for each table of the dataset but those of people and their consents."""

CHANGED_AT = (
    *(table.received_at for table in (Consent, Response, Reflection, AppEvent, ChallengeMetric, ProgressSnapshot)),
    *(WeeklySummary.received_at, MonthlySummary.received_at, UserChallenge.changed_at, PointEntry.created_at),
    *(Decision.decided_at, Outcome.context_at, Outcome.summary_at, Profile.updated_at),
)
"""All moments that mark a change of a person's data."""


async def enrolled(session: AsyncSession, scope: Scope) -> int:
    """The number of people who ever took part, regardless of their current consent."""
    query = select(func.count()).select_from(Participant)
    if scope.study_version is not None:
        query = query.where(Participant.study_version == scope.study_version)
    return await session.scalar(query) or 0


async def release_named(session: AsyncSession, name: str) -> Release | None:
    return await session.scalar(select(Release).where(Release.name == name))


async def releases(session: AsyncSession) -> list[Release]:
    """The ledger, newest first."""
    return list(await session.scalars(select(Release).order_by(Release.id.desc())))


async def changed_people(session: AsyncSession, scope: Scope) -> set[str]:
    """The pseudonyms in an export of changes."""
    who = allowed(scope)
    return set(await session.scalars(_changed(select(who.c.pseudonym), who, scope)))


async def released_before(session: AsyncSession, scope: Scope) -> set[str]:
    """The pseudonyms in the earlier release."""
    assert scope.earlier is not None  # noqa: S101 - only called for an export of changes
    left = select(ReleasedParticipant.pseudonym).where(ReleasedParticipant.release_id == scope.earlier.id)
    return set(await session.scalars(left))


async def add_release(session: AsyncSession, release: Release, released: Iterable[str]) -> None:
    """Add an export and its pseudonyms to the ledger."""
    session.add(release)
    await session.flush()
    entries = [{"release_id": release.id, "pseudonym": pseudonym} for pseudonym in released]
    for start in range(0, len(entries), INSERT_ROWS):
        await session.execute(insert(ReleasedParticipant), entries[start : start + INSERT_ROWS])


def _changed(query: Select[Any], who: CTE, scope: Scope) -> Select[Any]:
    """Restrict `query` to people who changed since the earlier release, or were not in it."""
    if scope.changed_since is None or scope.earlier is None:
        return query
    since = f"{scope.changed_since - ZONES - GRACE:%Y-%m}"
    unfinished = UserChallenge.status.in_((ChallengeStatus.ACCEPTED, ChallengeStatus.IN_PROGRESS))
    may_have_expired = select(UserChallenge.user_id).where(unfinished, UserChallenge.month >= since)
    ripened = select(Decision.user_id).where(
        Decision.study_id.is_not(None), Decision.decided_at > scope.changed_since - CUT_OFF
    )
    moved = union(
        *(select(moment.class_.user_id).where(moment > scope.changed_since) for moment in CHANGED_AT),
        *(may_have_expired, ripened),
    )
    had = select(ReleasedParticipant.pseudonym).where(ReleasedParticipant.release_id == scope.earlier.id)
    changed = who.c.user_id.in_(moved) | who.c.pseudonym.not_in(had)
    if scope.zones_changed:  # SQLAlchemy writes an empty list of pairs in a way that SQLite does not read
        changed |= tuple_(who.c.study_version, who.c.zone).in_(scope.zones_changed)
    return query.where(changed)

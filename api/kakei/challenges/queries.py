"""Queries on templates, challenges, metrics, points and badges."""

from collections.abc import Callable
from datetime import datetime
from typing import Any

from sqlalchemy import BindParameter, ColumnClause, bindparam, case, func, literal_column, select, union_all, update
from sqlalchemy.ext.asyncio import AsyncSession

from api.db.prepared import Prepared
from api.db.upsert import Latest, Upserted, insert_for, insert_into
from api.http.user_ids import canonical_id
from api.kakei.accounts.queries import id_of
from api.kakei.challenges.rules import ChallengeStatus, Claimed, Missing, Standing
from api.kakei.consent.queries import id_in_force
from api.models import (
    Badge,
    ChallengeMetric,
    ChallengeTemplate,
    MonthlySummary,
    PointEntry,
    Profile,
    Reflection,
    User,
    UserBadge,
    UserChallenge,
    WeeklySummary,
)

BADGES, UPLOADS = 1, 2
"""Classes of advisory locks on users; the second key is the user. A transaction takes UPLOADS first and BADGES last,
which prevents deadlocks."""

TOTAL = "total_points"
COUNTED = {"weekly_summaries": WeeklySummary, "monthly_summaries": MonthlySummary, "reflections": Reflection}
"""The tables whose rows earn badges by their number, by the kind of the badge's rule."""

type ChallengeRow = tuple[UserChallenge, ChallengeTemplate]


async def template(session: AsyncSession, template_id: int) -> ChallengeTemplate | None:
    return await session.get(ChallengeTemplate, template_id)


async def challenges_of(
    session: AsyncSession,
    user_id: int,
    month: str | None = None,
    *,
    after: int = 0,
    limit: int | None = None,
    for_update: bool = False,
) -> list[ChallengeRow]:
    """The challenges with their templates; `for_update` locks the challenges until the end of the transaction."""
    query = select(UserChallenge, ChallengeTemplate).join(
        ChallengeTemplate, ChallengeTemplate.id == UserChallenge.challenge_template_id
    )
    query = query.where(UserChallenge.user_id == user_id, UserChallenge.id > after).limit(limit)
    if month is not None:
        query = query.where(UserChallenge.month == month)
    if for_update:
        query = query.with_for_update(of=UserChallenge)
    return [(row[0], row[1]) for row in await session.execute(query.order_by(UserChallenge.id))]


async def challenge_for_update(session: AsyncSession, user_id: int, challenge_id: int) -> ChallengeRow | None:
    """The challenge, locked until the end of the transaction (SQLite has only one writer anyway)."""
    mine = (UserChallenge.id == challenge_id, UserChallenge.user_id == user_id)
    challenge = await session.scalar(select(UserChallenge).where(*mine).with_for_update())
    if challenge is None:
        return None
    return challenge, await session.get_one(ChallengeTemplate, challenge.challenge_template_id)


CHALLENGE = (
    *(UserChallenge.id, UserChallenge.challenge_template_id, UserChallenge.month, UserChallenge.status),
    *(UserChallenge.current_progress, UserChallenge.source, UserChallenge.ai_suggestion_id),
    *(UserChallenge.accepted_at, UserChallenge.completed_at, UserChallenge.claimed_at),
)
TEMPLATE = (
    *(ChallengeTemplate.slug, ChallengeTemplate.title, ChallengeTemplate.metric_key),
    *(ChallengeTemplate.target_value, ChallengeTemplate.unit, ChallengeTemplate.reward_points),
)
_CLAIMABLE = Prepared(
    lambda _: (
        select(UserChallenge.user_id, Profile.time_zone, *CHALLENGE, *TEMPLATE)
        .join(User, User.id == UserChallenge.user_id)
        .join(ChallengeTemplate, ChallengeTemplate.id == UserChallenge.challenge_template_id)
        .outerjoin(Profile, Profile.user_id == User.id)
        .where(UserChallenge.id == bindparam("challenge_id"), User.id == id_of(bindparam("uuid"), bindparam("sent")))
        .with_for_update(key_share=True, of=(User, UserChallenge))
    )
)
_CLAIM = Prepared(
    lambda _: (
        update(UserChallenge)
        .where(UserChallenge.id == bindparam("challenge_id"))
        .values(
            status=ChallengeStatus.CLAIMED.value,
            claimed_at=bindparam("at"),
            changed_at=bindparam("now"),
            consent_id=case((UserChallenge.consent_id.is_not(None), id_in_force(bindparam("owner")))),
        )
        .returning(UserChallenge.status, UserChallenge.claimed_at, UserChallenge.consent_id)
    )
)


async def claimable(session: AsyncSession, uuid: str, challenge_id: int) -> Any:
    """A user's challenge with its template and the user's zone, None if there is none. The challenge is locked, and the
    user cannot be erased: FOR NO KEY UPDATE of both, which is the least that two claims exclude each other by."""
    return await _CLAIMABLE.row(session, uuid=canonical_id(uuid), sent=uuid, challenge_id=challenge_id)


async def claim(session: AsyncSession, challenge: Any, at: datetime, now: datetime) -> Any:
    """Set a challenge of `claimable` to claimed. Returns what changed. A challenge without consent stays without."""
    return await _CLAIM.row(session, challenge_id=challenge.id, owner=challenge.user_id, at=at, now=now)


async def challenge(session: AsyncSession, challenge_id: int) -> UserChallenge:
    return await session.get_one(UserChallenge, challenge_id)


async def accept_challenge(session: AsyncSession, **values: Any) -> int | None:
    """The new challenge's id, or None if this template was already accepted for this month."""
    insert = insert_into(session, UserChallenge).values(**values)
    insert = insert.on_conflict_do_nothing(index_elements=["user_id", "challenge_template_id", "month"])
    return await session.scalar(insert.returning(UserChallenge.id))


async def metrics_of(session: AsyncSession, user_id: int, month: str) -> dict[str, ChallengeMetric]:
    """The month's metrics by key; a challenge that a metric moves takes over the metric's consent."""
    found = await session.scalars(
        select(ChallengeMetric).where(ChallengeMetric.user_id == user_id, ChallengeMetric.month == month)
    )
    return {metric.metric_key: metric for metric in found}


_METRICS = Latest(ChallengeMetric, ("user_id", "month", "metric_key"))


async def put_metric(session: AsyncSession, values: dict[str, Any]) -> Upserted[ChallengeMetric]:
    """Store a metric of a month unless a later value is there."""
    return await _METRICS.put(session, values)


async def alone_for(session: AsyncSession, user_id: int, lock: int) -> None:
    """Take an advisory lock for this user, so that each transaction sees the result of the previous one. BADGES covers
    the evaluation of badges, UPLOADS accepted challenges and metrics. SQLite has one writer anyway."""
    if session.get_bind().dialect.name == "postgresql":
        await session.execute(select(func.pg_advisory_xact_lock(lock, user_id)))


_USER: BindParameter[int] = bindparam("user_id", required=True)


def lock_badges(user_id: Any) -> Callable[[str], list[Any]]:
    """The lock BADGES as a column that a statement returns. The statements after it see what the last transaction with
    this lock did."""
    lock = func.pg_advisory_xact_lock(BADGES, user_id).label("locked")
    return lambda dialect: [lock] if dialect == "postgresql" else []


_ZERO: ColumnClause[int] = literal_column("0")
_NO_TEXT: ColumnClause[str] = literal_column("''")


def _standing(what: str, number: Any, *texts: Any, least: Any = _ZERO, points: Any = _ZERO) -> Any:
    """A row of what a person has and of what is missing, so that one statement reads all of it."""
    filled = (*texts, *[_NO_TEXT] * (4 - len(texts)))
    return select(
        literal_column(f"'{what}'").label("what"),
        number.label("number"),
        *(text.label(name) for name, text in zip("abcd", filled, strict=True)),
        least.label("least"),
        points.label("points"),
    )


def _count(what: str, table: type[Any]) -> Any:
    return _standing(what, func.count()).where(table.user_id == _USER)


def _kind_of(badge: type[Badge]) -> Any:
    """The kind of a badge's rule."""
    return badge.rule["kind"].as_string()


def _least_of(badge: type[Badge]) -> Any:
    """The least number that a badge's rule asks for."""
    return badge.rule["at_least"].as_integer()


_NOT_EARNED = (UserBadge.badge_id == Badge.id) & (UserBadge.user_id == _USER)
_STANDING = Prepared(
    lambda _: union_all(
        _standing(TOTAL, func.coalesce(func.sum(PointEntry.points), 0)).where(PointEntry.user_id == _USER),
        _count("accepted", UserChallenge),
        *(_count(what, table) for what, table in COUNTED.items()),
        _standing(
            *("claimed", UserChallenge.id, ChallengeTemplate.category, ChallengeTemplate.challenge_type),
            *(ChallengeTemplate.difficulty, UserChallenge.month),
        )
        .join(ChallengeTemplate, ChallengeTemplate.id == UserChallenge.challenge_template_id)
        .where(UserChallenge.user_id == _USER, UserChallenge.status == ChallengeStatus.CLAIMED.value),
        _standing("missing", Badge.id, _kind_of(Badge), least=_least_of(Badge), points=Badge.points)
        .outerjoin(UserBadge, _NOT_EARNED)
        .where(UserBadge.id.is_(None)),
    )
)


async def standing_of(session: AsyncSession, user_id: int) -> tuple[Standing, list[Missing]]:
    """What a person has done, and the badges that they do not have, by id."""
    counts: dict[str, int] = {}
    claimed, missing = [], []
    for row in await _STANDING.rows(session, user_id=user_id):
        if row.what == "claimed":
            claimed.append(Claimed(row.a, row.b, row.c, row.d))
        elif row.what == "missing":
            missing.append(Missing(row.number, row.a, row.least, row.points))
        else:
            counts[row.what] = int(row.number)
    standing = Standing(claimed=tuple(claimed), **counts)
    return standing, sorted(missing, key=lambda badge: badge.id)


_EARNED = {
    kind: Prepared(
        lambda _, kind=kind, table=table: (  # type: ignore[misc]
            select(Badge.id)
            .outerjoin(UserBadge, _NOT_EARNED)
            .where(UserBadge.id.is_(None), _kind_of(Badge) == kind)
            .where(_least_of(Badge) <= select(func.count()).where(table.user_id == _USER).scalar_subquery())
            .limit(1)
        )
    )
    for kind, table in COUNTED.items()
}


async def earned_by_count(session: AsyncSession, user_id: int, kind: str) -> bool:
    """Whether the number of a person's rows earns a badge that they do not have; `kind` is one of COUNTED."""
    return await _EARNED[kind].row(session, user_id=user_id) is not None


_GIVE_BADGE = Prepared(
    lambda dialect: (
        insert_for(dialect, UserBadge)
        .values({name: bindparam(name) for name in ("user_id", "badge_id", "reason", "earned_at")})
        .on_conflict_do_nothing(index_elements=["user_id", "badge_id"])
        .returning(UserBadge.id)
    )
)


async def give_badge(session: AsyncSession, user_id: int, badge_id: int, reason: str, now: datetime) -> bool:
    """Whether the badge is new to the user."""
    given = {"badge_id": badge_id, "reason": reason, "earned_at": now}
    return await _GIVE_BADGE.row(session, user_id=user_id, **given) is not None


def _points(consent_id: Any) -> Prepared:
    """Adds a row to the ledger under this consent, and takes the lock BADGES."""
    values: dict[str, Any] = {
        name: bindparam(name) for name in ("user_id", "points", "cause", "cause_id", "created_at")
    }
    return Prepared(
        lambda dialect: (
            insert_for(dialect, PointEntry)
            .values(values | {"consent_id": consent_id})
            .returning(PointEntry.id, *lock_badges(PointEntry.user_id)(dialect))
        )
    )


_POINTS, _POINTS_NOW = _points(bindparam("consent_id")), _points(id_in_force(bindparam("user_id")))


async def add_points(
    session: AsyncSession, user_id: int, points: int, cause: tuple[str, int], now: datetime, consent_id: int | None
) -> None:
    """Add a row to the ledger, and take the lock BADGES. Raises the driver's error if this cause was already paid."""
    entry = {"points": points, "cause": cause[0], "cause_id": cause[1], "created_at": now, "consent_id": consent_id}
    await _POINTS.rows(session, user_id=user_id, **entry)


async def add_badge_points(session: AsyncSession, user_id: int, points: int, badge_id: int, now: datetime) -> None:
    """Add the points of a badge to the ledger, under the consent in force."""
    entry = {"points": points, "cause": "badge_earned", "cause_id": badge_id, "created_at": now}
    await _POINTS_NOW.rows(session, user_id=user_id, **entry)

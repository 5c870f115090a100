"""Routes of a user's challenges from acceptance to claim, and of the metrics that move them."""

from datetime import datetime
from decimal import Decimal
from typing import Annotated, Any

from fastapi import APIRouter, Path, Query, Request, Response
from sqlalchemy.ext.asyncio import AsyncSession

from api.clock import effective_time
from api.db.upsert import Upserted, put_latest
from api.dependencies import Now, ReadSession, WriteSession
from api.http import problems
from api.http.idempotency import IdempotentRoute
from api.http.openapi import problem_responses
from api.http.pagination import LINK, LONGEST_PAGE, Cursor, Limit, from_cursor, link_next
from api.http.problems import FieldError, ProblemOccurred
from api.http.types import Month
from api.http.user_ids import cannot_be_guessed
from api.kakei.accounts.dependencies import get_user_or_404
from api.kakei.accounts.queries import profile_of, total_points
from api.kakei.catalog.schemas import BadgeOut
from api.kakei.challenges import queries, rules
from api.kakei.challenges.actions import Progress, award_badges, mark_changed, move_challenge
from api.kakei.challenges.rules import ChallengeStatus, Counts
from api.kakei.challenges.schemas import (
    ChallengeMetricsCreate,
    ChallengeMetricsOut,
    Claim,
    UserChallengeClaim,
    UserChallengeCreate,
    UserChallengeOut,
    UserChallengeProgressed,
    UserChallengeUpdateProgress,
)
from api.kakei.coach.queries import was_given
from api.kakei.consent.queries import consent_id_in_force
from api.kakei.idempotency import Once
from api.models import ChallengeMetric, ChallengeTemplate, UserChallenge
from data.catalog import catalog, metric_keys

router = APIRouter(tags=["challenges"], route_class=IdempotentRoute)
RowId = Annotated[int, Path(ge=1, le=2**31 - 1)]


@router.get(
    "/api/users/{uuid}/challenges",
    operation_id="challenges_list",
    summary="A user's challenges",
    responses={200: {"headers": LINK}, **problem_responses(404, 422, 503)},
)
async def list_challenges(
    uuid: str,
    session: ReadSession,
    now: Now,
    request: Request,
    response: Response,
    month: Annotated[Month | None, Query(description="YYYY-MM")] = None,
    limit: Limit = LONGEST_PAGE,
    cursor: Cursor = None,
) -> list[UserChallengeOut]:
    """The challenges of a month, or all of them, in the order of acceptance."""
    user = await get_user_or_404(session, uuid)
    zone = await _zone(session, user.id)
    (after,) = from_cursor(cursor, 1) or (0,)
    found = await queries.challenges_of(session, user.id, month, after=after, limit=limit + 1)
    if len(found) > limit:
        link_next(request, response, (found[limit - 1][0].id,))
    return [_out(*row, now, zone) for row in found[:limit]]


@router.post(
    "/api/users/{uuid}/challenges/{challenge_template_id}/accept",
    operation_id="challenges_accept",
    summary="Accept a challenge for a month",
    status_code=201,
    dependencies=[Once],
    responses=problem_responses(404, 409, 413, 422, 503),
)
async def accept(
    uuid: str, challenge_template_id: RowId, body: UserChallengeCreate, session: WriteSession, now: Now
) -> UserChallengeOut:
    """Accepts each template once a month, at the latest for the next month. Metrics already uploaded for that month
    count immediately. `client_timestamp` is the time of acceptance. A challenge accepted after its month is `expired`
    immediately."""
    user = await get_user_or_404(session, uuid)
    template = await queries.template(session, challenge_template_id)
    if template is None:
        raise ProblemOccurred(problems.TEMPLATE_UNKNOWN, "GET /templates lists the templates.")
    if body.challenge_template_id != challenge_template_id:
        raise _invalid("challenge_template_id", "differs from the path")
    if wrong := rules.month_problem(body.month_range, now):
        raise _invalid("month_range", wrong)
    suggestion_id = body.ai_suggestion_id if body.source == "ai" else None
    if body.source == "ai" and not (suggestion_id and await was_given(session, user.id, suggestion_id)):
        unknown = FieldError("ai_suggestion_id", "is not a suggestion that the coach gave this user")
        raise ProblemOccurred(problems.SUGGESTION_UNKNOWN, "source ai needs a suggestion of the coach's.", [unknown])
    await queries.alone_for(session, user.id, queries.UPLOADS)
    zone, consent_id = await _zone(session, user.id), await consent_id_in_force(session, user.id)
    accepted_at = effective_time(body.client_timestamp, now)
    accepted = await queries.accept_challenge(
        session,
        user_id=user.id,
        challenge_template_id=template.id,
        month=body.month_range,
        status=ChallengeStatus.ACCEPTED,
        current_progress=Decimal(0),
        source=body.source,
        ai_suggestion_id=suggestion_id,
        accepted_at=accepted_at,
        changed_at=now,
        consent_id=consent_id,
    )
    if accepted is None:
        raise ProblemOccurred(problems.CHALLENGE_ALREADY_ACCEPTED, "This template was accepted for this month already.")
    challenge = await queries.challenge(session, accepted)
    metric = (await queries.metrics_of(session, user.id, body.month_range)).get(template.metric_key)
    if metric is not None and rules.counts_for(body.month_range, accepted_at, now, zone) is Counts.YES:
        made_at = effective_time(metric.client_timestamp, metric.received_at)
        made_at = rules.made_in(body.month_range, made_at, zone)
        if rules.counts_for(body.month_range, made_at, metric.received_at, zone) is Counts.YES:
            consent_id = consent_id if metric.consent_id is not None else None
            move_challenge(challenge, template, Progress(metric.value, made_at, now, consent_id))
    await award_badges(session, user.id, now)
    return _out(challenge, template, now, zone)


@router.post(
    "/api/users/{uuid}/challenges/{user_challenge_id}/progress",
    operation_id="challenges_progress",
    summary="Report progress",
    dependencies=[Once],
    responses=problem_responses(404, 409, 413, 422, 503),
)
async def progress(
    uuid: str, user_challenge_id: RowId, body: UserChallengeUpdateProgress, session: WriteSession, now: Now
) -> UserChallengeProgressed:
    """Completes the challenge at the target; may be corrected downwards until the claim. The latest client time wins:
    `applied` is false if later progress is stored. Progress made in the month (by `client_timestamp`) counts until
    7 days after it; otherwise 409 `challenge_expired`, and 409 `challenge_not_begun` before the month has begun. A
    time before the month, from a clock that is behind, counts as the month's beginning."""
    user = await get_user_or_404(session, uuid)
    challenge, template = await _challenge(session, user.id, user_challenge_id)
    zone = await _zone(session, user.id)
    made_at = rules.made_in(challenge.month, effective_time(body.client_timestamp, now), zone)
    _check_open(challenge, made_at, now, zone)
    sent = Progress(body.current_progress, made_at, now, await consent_id_in_force(session, user.id))
    applied = move_challenge(challenge, template, sent)
    return UserChallengeProgressed(**_values(challenge, template, now, zone), applied=applied)


@router.post(
    "/api/users/{uuid}/challenges/{user_challenge_id}/claim",
    operation_id="challenges_claim",
    summary="Claim the reward of a completed challenge",
    dependencies=[Once],
    responses=problem_responses(404, 409, 413, 422, 503),
)
async def claim(
    uuid: str, user_challenge_id: RowId, session: WriteSession, now: Now, body: UserChallengeClaim | None = None
) -> Claim:
    """Pays exactly once, also with retries and concurrent claims, and also after the month. The body is optional."""
    user = await get_user_or_404(session, uuid)
    challenge, template = await _challenge(session, user.id, user_challenge_id)
    zone = await _zone(session, user.id)
    if challenge.status == ChallengeStatus.CLAIMED:
        raise ProblemOccurred(problems.CHALLENGE_ALREADY_CLAIMED, "The reward was claimed before; nothing was paid.")
    if challenge.status != ChallengeStatus.COMPLETED:
        raise ProblemOccurred(problems.CHALLENGE_NOT_COMPLETED, f"This challenge is {_status(challenge, now, zone)}.")
    claimed_at = effective_time(body.client_timestamp if body else None, now)
    challenge.status, challenge.claimed_at = ChallengeStatus.CLAIMED, max(claimed_at, challenge.completed_at or now)
    mark_changed(challenge, now, await consent_id_in_force(session, user.id))
    cause = ("challenge_claimed", challenge.id)
    await queries.add_points(session, user.id, template.reward_points, cause, now, challenge.consent_id)
    badges = await award_badges(session, user.id, now)
    return Claim(
        challenge=_out(challenge, template, now, zone),
        points_awarded=template.reward_points,
        total_points=await total_points(session, user.id),
        badges_awarded=[BadgeOut.model_validate(badge) for badge in badges],
    )


@router.post(
    "/api/users/{uuid}/challenge-metrics",
    operation_id="challenge_metrics_put",
    summary="Upload the month's metrics",
    dependencies=[Once],
    responses=problem_responses(404, 409, 413, 422, 503),
)
async def put_metrics(uuid: str, body: ChallengeMetricsCreate, session: WriteSession, now: Now) -> ChallengeMetricsOut:
    """Updates all open challenges of that month with these metrics. The latest client time wins. Metrics made in the
    month (by `client_timestamp`) update its challenges until 7 days after it. Metrics made later, or before the month
    has begun, are stored and update no challenge. A time before the month, from a clock that is behind, counts as the
    month's beginning. `metrics` is what is stored; a user whose id can be guessed is answered what this very request
    sent of `outdated_metrics` instead."""
    user = await get_user_or_404(session, uuid)
    if wrong := rules.month_problem(body.month_range, now):
        raise _invalid("month_range", wrong)
    bad = [
        FieldError(f"metrics.{metric['key']}", problem)
        for metric in catalog("metrics")
        if metric["key"] in body.metrics and (problem := rules.metric_problem(body.metrics[metric["key"]], metric))
    ]
    if bad:
        raise ProblemOccurred(problems.INVALID_INPUT, "; ".join(f"{e.field}: {e.message}" for e in bad), bad)
    await queries.alone_for(session, user.id, queries.UPLOADS)
    sent = {
        "client_timestamp": body.client_timestamp,
        "received_at": now,
        "consent_id": await consent_id_in_force(session, user.id),
    }
    stored: dict[str, Upserted[ChallengeMetric]] = {}
    for name, value in sorted(body.metrics.items()):
        key = {"user_id": user.id, "month": body.month_range, "metric_key": name}
        stored[name] = await put_latest(session, ChallengeMetric, key, sent | {"value": value})
    zone = await _zone(session, user.id)
    outdated, shown = [name for name, put in stored.items() if not put.applied], cannot_be_guessed(user.uuid)
    return ChallengeMetricsOut(
        month_range=body.month_range,
        metrics={name: put.row.value if put.applied or shown else body.metrics[name] for name, put in stored.items()},
        applied=not outdated,
        outdated_metrics=outdated,
        unknown_metrics=sorted(set(body.metrics) - metric_keys()),
        challenges=[_out(*row, now, zone) for row in await _moved_by(session, user.id, body, sent, zone)],
    )


async def _moved_by(
    session: AsyncSession, user_id: int, body: ChallengeMetricsCreate, sent: dict[str, Any], zone: str | None
) -> list[queries.ChallengeRow]:
    """Update and return the open challenges of the month that use these metrics. The stored metrics do not matter: the
    latest total may be from after the month, and then it does not count."""
    now = sent["received_at"]
    made_at = rules.made_in(body.month_range, effective_time(body.client_timestamp, now), zone)
    if rules.counts_for(body.month_range, made_at, now, zone) is not Counts.YES:
        return []
    moved = []
    for challenge, template in await queries.challenges_of(session, user_id, body.month_range, for_update=True):
        is_open = _status(challenge, now, zone) not in {ChallengeStatus.CLAIMED, ChallengeStatus.EXPIRED}
        if template.metric_key in body.metrics and is_open:
            progress = Progress(body.metrics[template.metric_key], made_at, now, sent["consent_id"])
            if move_challenge(challenge, template, progress):
                moved.append((challenge, template))
    return moved


async def _challenge(session: AsyncSession, user_id: int, challenge_id: int) -> queries.ChallengeRow:
    """The user's challenge, locked. Raises ProblemOccurred (404)."""
    row = await queries.challenge_for_update(session, user_id, challenge_id)
    if row is None:
        raise ProblemOccurred(problems.CHALLENGE_UNKNOWN, "This user has no such challenge.")
    return row


def _check_open(challenge: UserChallenge, made_at: datetime, now: datetime, zone: str | None) -> None:
    """Raise ProblemOccurred (409) if progress does not count: claimed, expired, or not made in the month."""
    if challenge.status == ChallengeStatus.CLAIMED:
        raise ProblemOccurred(problems.CHALLENGE_ALREADY_CLAIMED, "A claimed challenge does not move any more.")
    counts = rules.counts_for(challenge.month, made_at, now, zone)
    if counts is Counts.NOT_BEGUN:
        raise ProblemOccurred(problems.CHALLENGE_NOT_BEGUN, "Progress counts from the first day of the month on.")
    if counts is Counts.GRACE_OVER or _status(challenge, now, zone) is ChallengeStatus.EXPIRED:
        raise ProblemOccurred(problems.CHALLENGE_EXPIRED, f"Nothing counts for {challenge.month} any more.")
    if counts is Counts.DONE_LATER:
        days = rules.GRACE.days
        detail = f"This was done after {challenge.month}. What was done in it counts for {days} days more, by its "
        raise ProblemOccurred(problems.CHALLENGE_EXPIRED, detail + "client_timestamp.")


async def _zone(session: AsyncSession, user_id: int) -> str | None:
    profile = await profile_of(session, user_id)
    return profile.time_zone if profile else None


def _status(challenge: UserChallenge, now: datetime, zone: str | None) -> ChallengeStatus:
    return rules.status_on(challenge.status, challenge.month, challenge.accepted_at, now, zone)


def _invalid(field: str, message: str) -> ProblemOccurred:
    return ProblemOccurred(problems.INVALID_INPUT, f"{field}: {message}", [FieldError(field, message)])


def _out(challenge: UserChallenge, template: ChallengeTemplate, now: datetime, zone: str | None) -> UserChallengeOut:
    return UserChallengeOut(**_values(challenge, template, now, zone))


def _values(challenge: UserChallenge, template: ChallengeTemplate, now: datetime, zone: str | None) -> dict[str, Any]:
    of_challenge = ("id", "current_progress", "source", "ai_suggestion_id", "accepted_at", "completed_at", "claimed_at")
    of_template = ("slug", "title", "metric_key", "target_value", "unit", "reward_points")
    return {
        **{name: getattr(challenge, name) for name in of_challenge},
        **{name: getattr(template, name) for name in of_template},
        "challenge_template_id": template.id,
        "month_range": challenge.month,
        "status": _status(challenge, now, zone),
    }

"""Templates, a user's challenges from accepting to claiming, the metrics that move them, badges."""

from datetime import date, datetime
from decimal import Decimal
from typing import Annotated

from fastapi import APIRouter, Path, Query, Request, Response
from sqlalchemy.ext.asyncio import AsyncSession

from api import errors
from api.dependencies import Now, ReadSession, WriteSession
from api.errors import FieldError, ProblemOccurred
from api.kakei.accounts.queries import profile_of, total_points
from api.kakei.catalogue.schemas import BadgeOut
from api.kakei.challenges import queries, rules
from api.kakei.challenges.actions import award_badges
from api.kakei.challenges.rules import ChallengeStatus
from api.kakei.challenges.schemas import (
    ChallengeMetricsCreate,
    ChallengeMetricsOut,
    Claim,
    UserChallengeCreate,
    UserChallengeOut,
    UserChallengeUpdateProgress,
)
from api.kakei.coach.queries import was_given
from api.kakei.consent.queries import stamp
from api.kakei.once import Once
from api.kakei.person import person
from api.models import ChallengeTemplate, UserChallenge
from api.once import OnceRoute
from api.openapi import problems
from api.paging import LINK, LONGEST_PAGE, Cursor, Limit, from_cursor, link_next
from api.wire import Month
from data.catalog import catalogue, metric_keys

router = APIRouter(tags=["challenges"], route_class=OnceRoute)
RowId = Annotated[int, Path(ge=1, le=2**31 - 1)]


@router.get(
    "/api/users/{uuid}/challenges",
    operation_id="challenges_list",
    summary="A user's challenges",
    responses={200: {"headers": LINK}, **problems(404, 422, 503)},
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
    """The challenges of a month, or all of them, in the order in which they were accepted."""
    user = await person(session, uuid)
    today = await _today(session, now, user.id)
    (after,) = from_cursor(cursor, 1) or (0,)
    found = await queries.challenges_of(session, user.id, month, after=after, limit=limit + 1)
    if len(found) > limit:
        link_next(request, response, (found[limit - 1][0].id,))
    return [_out(*row, today) for row in found[:limit]]


@router.post(
    "/api/users/{uuid}/challenges/{challenge_template_id}/accept",
    operation_id="challenges_accept",
    summary="Accept a challenge for a month",
    status_code=201,
    dependencies=[Once],
    responses=problems(404, 409, 413, 422, 503),
)
async def accept(
    uuid: str, challenge_template_id: RowId, body: UserChallengeCreate, session: WriteSession, now: Now
) -> UserChallengeOut:
    """Each template once a month. What was uploaded of its metric for that month counts from the start."""
    user = await person(session, uuid)
    template = await queries.template(session, challenge_template_id)
    if template is None:
        raise ProblemOccurred(errors.TEMPLATE_UNKNOWN, "GET /templates lists the templates.")
    if body.challenge_template_id != challenge_template_id:
        differs = FieldError("challenge_template_id", "differs from the path")
        raise ProblemOccurred(errors.INVALID_INPUT, "challenge_template_id: differs from the path", [differs])
    suggestion_id = body.ai_suggestion_id if body.source == "ai" else None
    if body.source == "ai" and not (suggestion_id and await was_given(session, user.id, suggestion_id)):
        unknown = FieldError("ai_suggestion_id", "not a suggestion that the coach gave this user")
        raise ProblemOccurred(errors.SUGGESTION_UNKNOWN, "source ai needs a suggestion of the coach's.", [unknown])
    metrics = await queries.metrics_of(session, user.id, body.month_range)
    moved_by = metrics.get(template.metric_key)
    progress = moved_by.value if moved_by else Decimal(0)
    consent_id = await stamp(session, user.id)
    status = rules.status_at(progress, template.target_value)
    accepted = await queries.accept_challenge(
        session,
        user_id=user.id,
        challenge_template_id=template.id,
        month=body.month_range,
        status=status,
        current_progress=progress,
        source=body.source,
        ai_suggestion_id=suggestion_id,
        accepted_at=now,
        completed_at=now if status is ChallengeStatus.COMPLETED else None,
        changed_at=now,
        consent_id=consent_id if moved_by is None or moved_by.consent_id is not None else None,
    )
    if accepted is None:
        raise ProblemOccurred(errors.CHALLENGE_ALREADY_ACCEPTED, "This template was accepted for this month already.")
    await award_badges(session, user.id, now)
    return _out(await queries.challenge(session, accepted), template, await _today(session, now, user.id))


@router.post(
    "/api/users/{uuid}/challenges/{user_challenge_id}/progress",
    operation_id="challenges_progress",
    summary="Report progress",
    dependencies=[Once],
    responses=problems(404, 409, 413, 422, 503),
)
async def progress(
    uuid: str, user_challenge_id: RowId, body: UserChallengeUpdateProgress, session: WriteSession, now: Now
) -> UserChallengeOut:
    """Completes at the target; may be corrected downwards until the reward is claimed."""
    user = await person(session, uuid)
    challenge, template, today = await _open_challenge(session, now, user.id, user_challenge_id)
    _move(challenge, template, body.current_progress, now, await stamp(session, user.id))
    return _out(challenge, template, today)


@router.post(
    "/api/users/{uuid}/challenges/{user_challenge_id}/claim",
    operation_id="challenges_claim",
    summary="Claim the reward of a completed challenge",
    dependencies=[Once],
    responses=problems(404, 409, 422, 503),
)
async def claim(uuid: str, user_challenge_id: RowId, session: WriteSession, now: Now) -> Claim:
    """Pays exactly once, whatever retries and races do."""
    user = await person(session, uuid)
    row = await queries.challenge_for_update(session, user.id, user_challenge_id)
    if row is None:
        raise ProblemOccurred(errors.CHALLENGE_UNKNOWN, "This user has no such challenge.")
    challenge, template = row
    today = await _today(session, now, user.id)
    if challenge.status == ChallengeStatus.CLAIMED:
        raise ProblemOccurred(errors.CHALLENGE_ALREADY_CLAIMED, "The reward was claimed before; nothing was paid.")
    if challenge.status != ChallengeStatus.COMPLETED:
        status = rules.status_on(challenge.status, challenge.month, today)
        raise ProblemOccurred(errors.CHALLENGE_NOT_COMPLETED, f"This challenge is {status}.")
    consent_id = await stamp(session, user.id)
    challenge.status, challenge.claimed_at = ChallengeStatus.CLAIMED, now
    _changed(challenge, now, consent_id)
    cause = ("challenge_claimed", challenge.id)
    await queries.add_points(session, user.id, template.reward_points, cause, now, challenge.consent_id)
    badges = await award_badges(session, user.id, now)
    return Claim(
        challenge=_out(challenge, template, today),
        points_awarded=template.reward_points,
        total_points=await total_points(session, user.id),
        badges_awarded=[BadgeOut.model_validate(badge) for badge in badges],
    )


@router.post(
    "/api/users/{uuid}/challenge-metrics",
    operation_id="challenge_metrics_put",
    summary="Upload the month's metrics",
    dependencies=[Once],
    responses=problems(404, 409, 413, 422, 503),
)
async def put_metrics(uuid: str, body: ChallengeMetricsCreate, session: WriteSession, now: Now) -> ChallengeMetricsOut:
    """Moves every open challenge of that month whose metric is among them."""
    user = await person(session, uuid)
    wrong = [
        FieldError(f"metrics.{metric['key']}", problem)
        for metric in catalogue("metrics")
        if metric["key"] in body.metrics and (problem := rules.metric_problem(body.metrics[metric["key"]], metric))
    ]
    if wrong:
        raise ProblemOccurred(errors.INVALID_INPUT, "; ".join(f"{e.field}: {e.message}" for e in wrong), wrong)
    consent_id = await stamp(session, user.id)
    for name, value in sorted(body.metrics.items()):
        key = {"user_id": user.id, "month": body.month_range, "metric_key": name}
        values = {
            "value": value,
            "client_timestamp": body.client_timestamp,
            "received_at": now,
            "consent_id": consent_id,
        }
        await queries.put_metric(session, key, values)
    stored = await queries.metrics_of(session, user.id, body.month_range)
    today = await _today(session, now, user.id)
    moved = []
    for challenge, template in await queries.challenges_of(session, user.id, body.month_range, for_update=True):
        status = rules.status_on(challenge.status, challenge.month, today)
        if template.metric_key in body.metrics and status not in {ChallengeStatus.CLAIMED, ChallengeStatus.EXPIRED}:
            by = stored[template.metric_key]
            _move(challenge, template, by.value, now, consent_id if by.consent_id is not None else None)
            moved.append(_out(challenge, template, today))
    return ChallengeMetricsOut(
        month_range=body.month_range,
        metrics={name: stored[name].value for name in sorted(body.metrics)},
        unknown_metrics=sorted(set(body.metrics) - metric_keys()),
        challenges=moved,
    )


async def _open_challenge(
    session: AsyncSession, now: datetime, user_id: int, challenge_id: int
) -> tuple[UserChallenge, ChallengeTemplate, date]:
    """A challenge that may still move. Raises ProblemOccurred: 404 unknown, 409 claimed or expired."""
    row = await queries.challenge_for_update(session, user_id, challenge_id)
    if row is None:
        raise ProblemOccurred(errors.CHALLENGE_UNKNOWN, "This user has no such challenge.")
    today = await _today(session, now, user_id)
    status = rules.status_on(row[0].status, row[0].month, today)
    if status is ChallengeStatus.CLAIMED:
        raise ProblemOccurred(errors.CHALLENGE_ALREADY_CLAIMED, "A claimed challenge does not move any more.")
    if status is ChallengeStatus.EXPIRED:
        raise ProblemOccurred(errors.CHALLENGE_EXPIRED, "The month of this challenge is over.")
    return *row, today


def _move(
    challenge: UserChallenge, template: ChallengeTemplate, to: Decimal, now: datetime, consent_id: int | None
) -> None:
    _changed(challenge, now, consent_id)
    status = rules.status_at(to, template.target_value)
    challenge.current_progress = to
    if status is not ChallengeStatus.COMPLETED:
        challenge.completed_at = None
    elif challenge.completed_at is None:
        challenge.completed_at = now
    challenge.status = status


def _changed(challenge: UserChallenge, now: datetime, consent_id: int | None) -> None:
    """What came once without consent stays without: later consent does not reach back."""
    challenge.changed_at = now
    challenge.consent_id = consent_id if challenge.consent_id is not None else None


async def _today(session: AsyncSession, now: datetime, user_id: int) -> date:
    profile = await profile_of(session, user_id)
    return rules.local_date(now, profile.time_zone if profile else None)


def _out(challenge: UserChallenge, template: ChallengeTemplate, today: date) -> UserChallengeOut:
    return UserChallengeOut(
        id=challenge.id,
        challenge_template_id=template.id,
        slug=template.slug,
        title=template.title,
        metric_key=template.metric_key,
        month_range=challenge.month,
        status=rules.status_on(challenge.status, challenge.month, today),
        current_progress=challenge.current_progress,
        target_value=template.target_value,
        unit=template.unit,
        reward_points=template.reward_points,
        source=challenge.source,
        ai_suggestion_id=challenge.ai_suggestion_id,
        accepted_at=challenge.accepted_at,
        completed_at=challenge.completed_at,
        claimed_at=challenge.claimed_at,
    )

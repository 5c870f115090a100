"""Routes of a user's challenges from acceptance to claim, and of the metrics that move them."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Annotated, Any

from fastapi import APIRouter, Path, Query, Request, Response

from api.dependencies import Now, ReadSession
from api.http import problems
from api.http.idempotency import IdempotentRoute
from api.http.openapi import problem_responses
from api.http.pagination import LINK, LONGEST_PAGE, Cursor, Limit, from_cursor, link_next
from api.http.problems import FieldError, ProblemOccurred
from api.http.types import Month
from api.http.user_ids import cannot_be_guessed
from api.kakei.accounts.dependencies import get_user_or_404, writer_or_404
from api.kakei.accounts.queries import profile_of
from api.kakei.accounts.rules import is_possible
from api.kakei.catalog.schemas import BadgeOut
from api.kakei.challenges import actions, queries, rules
from api.kakei.challenges.actions import Acceptance, ChallengeRefused, ChallengeUnknown, Metrics
from api.kakei.challenges.rules import ChallengeStatus
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
from api.kakei.idempotency import OnceSession
from api.models import ChallengeTemplate, UserChallenge
from data.catalog import catalog, metric_keys

PROBLEMS: dict[type[ChallengeRefused], tuple[problems.ErrorKind, list[FieldError]]] = {
    actions.SuggestionUnknown: (
        problems.SUGGESTION_UNKNOWN,
        [FieldError("ai_suggestion_id", "is not a suggestion that the coach gave this user")],
    ),
    actions.ChallengeUnknown: (problems.CHALLENGE_UNKNOWN, []),
    actions.ChallengeAlreadyAccepted: (problems.CHALLENGE_ALREADY_ACCEPTED, []),
    actions.ChallengeAlreadyClaimed: (problems.CHALLENGE_ALREADY_CLAIMED, []),
    actions.ChallengeNotCompleted: (problems.CHALLENGE_NOT_COMPLETED, []),
    actions.ChallengeNotBegun: (problems.CHALLENGE_NOT_BEGUN, []),
    actions.ChallengeExpired: (problems.CHALLENGE_EXPIRED, []),
}
"""How a refused action is answered."""

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
    profile = await profile_of(session, user.id)
    zone = profile.time_zone if profile else None
    (after,) = from_cursor(cursor, 1) or (0,)
    found = await queries.challenges_of(session, user.id, month, after=after, limit=limit + 1)
    if len(found) > limit:
        link_next(request, response, (found[limit - 1][0].id,))
    return [
        _out(challenge, template, rules.status_on(challenge.status, challenge.month, challenge.accepted_at, now, zone))
        for challenge, template in found[:limit]
    ]


@router.post(
    "/api/users/{uuid}/challenges/{challenge_template_id}/accept",
    operation_id="challenges_accept",
    summary="Accept a challenge for a month",
    status_code=201,
    responses=problem_responses(404, 409, 413, 422, 503),
)
async def accept(
    uuid: str, challenge_template_id: RowId, body: UserChallengeCreate, session: OnceSession, now: Now
) -> UserChallengeOut:
    """Accepts each template once a month, at the latest for the next month. Metrics already uploaded for that month
    count immediately. `client_timestamp` is the time of acceptance. A challenge accepted after its month is `expired`
    immediately."""
    writer = await writer_or_404(session, uuid)
    template = await queries.template(session, challenge_template_id)
    if template is None:
        raise ProblemOccurred(problems.TEMPLATE_UNKNOWN, "GET /templates lists the templates.")
    if body.challenge_template_id != challenge_template_id:
        raise _invalid("challenge_template_id", "differs from the path")
    if wrong := rules.month_problem(body.month_range, now):
        raise _invalid("month_range", wrong)
    sender = await actions.sender_of(session, writer, now)
    wanted = Acceptance(template, body.month_range, body.source, body.ai_suggestion_id, body.client_timestamp)
    with _refusals():
        challenge, _ = await actions.accept_challenge(session, sender, wanted)
    return _out(challenge, template, sender.status_of(challenge))


@router.post(
    "/api/users/{uuid}/challenges/{user_challenge_id}/progress",
    operation_id="challenges_progress",
    summary="Report progress",
    responses=problem_responses(404, 409, 413, 422, 503),
)
async def progress(
    uuid: str, user_challenge_id: RowId, body: UserChallengeUpdateProgress, session: OnceSession, now: Now
) -> UserChallengeProgressed:
    """Completes the challenge at the target; may be corrected downwards until the claim. The latest client time wins:
    `applied` is false if later progress is stored. Progress made in the month (by `client_timestamp`) counts until
    7 days after it; otherwise 409 `challenge_expired`, and 409 `challenge_not_begun` before the month has begun. A
    time before the month, from a clock that is behind, counts as the month's beginning."""
    sender = await actions.sender_of(session, await writer_or_404(session, uuid), now)
    with _refusals():
        (challenge, template), applied = await actions.report_progress(
            session, sender, user_challenge_id, body.current_progress, body.client_timestamp
        )
    return UserChallengeProgressed(**_values(challenge, template, sender.status_of(challenge)), applied=applied)


@router.post(
    "/api/users/{uuid}/challenges/{user_challenge_id}/claim",
    operation_id="challenges_claim",
    summary="Claim the reward of a completed challenge",
    responses=problem_responses(404, 409, 413, 422, 503),
)
async def claim(
    uuid: str, user_challenge_id: RowId, session: OnceSession, now: Now, body: UserChallengeClaim | None = None
) -> Claim:
    """Pays exactly once, also with retries and concurrent claims, and also after the month. The body is optional."""
    with _refusals():
        try:
            if not is_possible(uuid):
                raise ChallengeUnknown
            paid = await actions.claim_challenge(
                session, uuid, user_challenge_id, body.client_timestamp if body else None, now
            )
        except ChallengeUnknown:
            await writer_or_404(session, uuid)  # it may be the user that is unknown
            raise
    return Claim(
        challenge=_out(paid.challenge, paid.challenge, ChallengeStatus.CLAIMED),
        points_awarded=paid.challenge.reward_points,
        total_points=paid.total_points,
        badges_awarded=[BadgeOut.model_validate(badge) for badge in paid.badges],
    )


@router.post(
    "/api/users/{uuid}/challenge-metrics",
    operation_id="challenge_metrics_put",
    summary="Upload the month's metrics",
    responses=problem_responses(404, 409, 413, 422, 503),
)
async def put_metrics(uuid: str, body: ChallengeMetricsCreate, session: OnceSession, now: Now) -> ChallengeMetricsOut:
    """Updates all open challenges of that month with these metrics. The latest client time wins. Metrics made in the
    month (by `client_timestamp`) update its challenges until 7 days after it. Metrics made later, or before the month
    has begun, are stored and update no challenge. A time before the month, from a clock that is behind, counts as the
    month's beginning. `metrics` is what is stored; a user whose id can be guessed is answered what this very request
    sent of `outdated_metrics` instead."""
    writer = await writer_or_404(session, uuid)
    if wrong := rules.month_problem(body.month_range, now):
        raise _invalid("month_range", wrong)
    bad = [
        FieldError(f"metrics.{metric['key']}", problem)
        for metric in catalog("metrics")
        if metric["key"] in body.metrics and (problem := rules.metric_problem(body.metrics[metric["key"]], metric))
    ]
    if bad:
        raise ProblemOccurred(problems.INVALID_INPUT, "; ".join(f"{e.field}: {e.message}" for e in bad), bad)
    sender = await actions.sender_of(session, writer, now)
    sent = Metrics(body.month_range, body.metrics, body.client_timestamp)
    stored, moved = await actions.upload_metrics(session, sender, sent)
    outdated, shown = [name for name, put in stored.items() if not put.applied], cannot_be_guessed(writer.uuid)
    return ChallengeMetricsOut(
        month_range=body.month_range,
        metrics={name: put.row.value if put.applied or shown else body.metrics[name] for name, put in stored.items()},
        applied=not outdated,
        outdated_metrics=outdated,
        unknown_metrics=sorted(set(body.metrics) - metric_keys()),
        challenges=[_out(challenge, template, sender.status_of(challenge)) for challenge, template in moved],
    )


@contextmanager
def _refusals() -> Iterator[None]:
    """Answers a refused action with its problem."""
    try:
        yield
    except ChallengeRefused as refused:
        kind, fields = PROBLEMS[type(refused)]
        raise ProblemOccurred(kind, str(refused), fields) from refused


def _invalid(field: str, message: str) -> ProblemOccurred:
    return ProblemOccurred(problems.INVALID_INPUT, f"{field}: {message}", [FieldError(field, message)])


def _out(challenge: UserChallenge, template: ChallengeTemplate, status: ChallengeStatus) -> UserChallengeOut:
    return UserChallengeOut(**_values(challenge, template, status))


def _values(challenge: UserChallenge, template: ChallengeTemplate, status: ChallengeStatus) -> dict[str, Any]:
    of_challenge = ("id", "current_progress", "source", "ai_suggestion_id", "accepted_at", "completed_at", "claimed_at")
    of_template = ("slug", "title", "metric_key", "target_value", "unit", "reward_points")
    return {
        **{name: getattr(challenge, name) for name in of_challenge},
        **{name: getattr(template, name) for name in of_template},
        "challenge_template_id": challenge.challenge_template_id,
        "month_range": challenge.month,
        "status": status,
    }

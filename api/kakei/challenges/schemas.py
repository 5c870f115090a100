"""Request and response models of challenges and metrics."""

from typing import Annotated, Literal

from pydantic import AfterValidator, Field

from api.http.error_texts import described
from api.http.types import OF_NAME, WHOLE, Applied, ClientTime, Month, Quantity, StrictModel, Timestamp, example
from api.http.user_ids import canonical_id
from api.kakei.catalog.schemas import BADGE, BadgeOut
from api.kakei.challenges.rules import ChallengeStatus

MetricKey = Annotated[str, Field(pattern="^[a-z][a-z0-9_]{0,63}$"), described(OF_NAME)]


CHALLENGE = {
    "id": 7,
    "challenge_template_id": 12,
    "slug": "no-spend-weekend",
    "title": "No-spend weekend",
    "metric_key": "wants_free_weekends",
    "month_range": "2026-06",
    "status": "in_progress",
    "current_progress": 0.5,
    "target_value": 1,
    "unit": "weekends",
    "reward_points": 30,
    "source": "user",
    "ai_suggestion_id": None,
    "accepted_at": "2026-06-01T08:00:00.000Z",
    "completed_at": None,
    "claimed_at": None,
}


class UserChallengeCreate(StrictModel):
    """Accepts a template for a month, at the latest for the next one. A past month is accepted too, and the challenge
    is `expired` immediately. `ai` needs the id of a suggestion that the coach gave this user."""

    model_config = example(
        {"challenge_template_id": 12, "month_range": "2026-06", "source": "user", "ai_suggestion_id": None}
    )

    challenge_template_id: Annotated[int, Field(ge=1, le=2**31 - 1), WHOLE]
    month_range: Month
    source: Literal["user", "ai"]
    ai_suggestion_id: Annotated[str, Field(max_length=36), AfterValidator(canonical_id)] | None = None
    client_timestamp: ClientTime | None = None


class UserChallengeUpdateProgress(StrictModel):
    """The user's progress, in the template's unit."""

    model_config = example({"current_progress": 3, "client_timestamp": "2026-06-13T10:30:00Z"})

    current_progress: Quantity
    client_timestamp: ClientTime | None = None


class UserChallengeClaim(StrictModel):
    """When the reward was claimed, if the phone was offline then."""

    model_config = example({"client_timestamp": "2026-06-13T10:30:00Z"})

    client_timestamp: ClientTime | None = None


class UserChallengeOut(StrictModel):
    """The current state of a user's challenge. `expired` means that it was not completed in time: its month and the 7
    days after it are over, in the user's time zone if that is known, else in UTC; or it was accepted after its
    month."""

    model_config = example(CHALLENGE)

    id: int
    challenge_template_id: int
    slug: str
    title: str
    metric_key: str
    month_range: Month
    status: ChallengeStatus
    current_progress: Quantity
    target_value: Quantity
    unit: str
    reward_points: int
    source: str
    ai_suggestion_id: str | None
    accepted_at: Timestamp
    completed_at: Timestamp | None
    claimed_at: Timestamp | None


class UserChallengeProgressed(UserChallengeOut):
    """A challenge after an upload of progress."""

    model_config = example(CHALLENGE | {"applied": True})

    applied: Applied


class Claim(StrictModel):
    """The result of a claim."""

    model_config = example(
        {
            "challenge": CHALLENGE | {"status": "claimed"},
            "points_awarded": 30,
            "total_points": 150,
            "badges_awarded": [BADGE],
        }
    )

    challenge: UserChallengeOut
    points_awarded: int
    total_points: int
    badges_awarded: list[BadgeOut]


class ChallengeMetricsCreate(StrictModel):
    """Totals of the month so far; uploading again replaces, the latest client time wins. The month is at the latest
    the next one."""

    model_config = example(
        {
            "month_range": "2026-06",
            "metrics": {"expense_log_days": 12, "monthly_savings_goal_progress_percent": 65},
            "client_timestamp": "2026-06-13T10:30:00Z",
        }
    )

    month_range: Month
    metrics: Annotated[dict[MetricKey, Quantity], Field(min_length=1, max_length=200)]
    client_timestamp: ClientTime | None = None


class ChallengeMetricsOut(StrictModel):
    """The stored metrics, the unknown ones, and the challenges that they moved. `applied` is false if a later value of
    a metric was already stored; `outdated_metrics` names those."""

    model_config = example(
        {
            "month_range": "2026-06",
            "metrics": {"expense_log_days": 12, "monthly_savings_goal_progress_percent": 65},
            "applied": True,
            "outdated_metrics": [],
            "unknown_metrics": [],
            "challenges": [],
        }
    )

    month_range: Month
    metrics: dict[str, Quantity]
    applied: Applied
    outdated_metrics: list[str]
    unknown_metrics: list[str]
    challenges: list[UserChallengeOut]

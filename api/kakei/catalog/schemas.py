"""Response models of templates and badges."""

from typing import Annotated, Any, Literal

from pydantic import Field

from api.http.error_texts import described
from api.http.types import Quantity, StrictModel, Timestamp, example

Difficulty = Literal["easy", "medium", "hard"]
ChallengeType = Annotated[
    str, Field(max_length=32, pattern="^[a-z_]+$"), described("must be 1 to 32 small letters and underscores")
]

BADGE = {
    "id": 1,
    "slug": "first-step",
    "title": "First Step",
    "description": "You claimed your first challenge. This is how a habit begins.",
    "points": 0,
    "rule": {"kind": "challenges_claimed", "at_least": 1},
}
TEMPLATE = {
    "id": 12,
    "slug": "no-spend-weekend",
    "title": "No-spend weekend",
    "description": "Buy no wants on Saturday and Sunday; needs as usual.",
    "challenge_type": "spending",
    "category": "wants",
    "category_id": 2,
    "metric_key": "wants_free_weekends",
    "target_value": 1,
    "unit": "weekends",
    "reward_points": 30,
    "difficulty": "easy",
    "is_ai_suggested": False,
    "ai_suggestion": None,
}


class AiSuggestion(StrictModel):
    """Why the coach suggested a challenge."""

    suggestion_id: str
    reason: str
    lever: str


class TemplateOut(StrictModel):
    """A challenge that can be accepted for a month."""

    model_config = example(TEMPLATE)

    id: int
    slug: str
    title: str
    description: str
    challenge_type: str
    category: str
    category_id: int
    metric_key: str
    target_value: Quantity
    unit: str
    reward_points: int
    difficulty: str
    is_ai_suggested: bool = False
    ai_suggestion: AiSuggestion | None = None


class BadgeOut(StrictModel):
    """A badge, and the rule by which it is earned."""

    model_config = example(BADGE)

    id: int
    slug: str
    title: str
    description: str
    points: int
    rule: dict[str, Any]


class EarnedBadge(StrictModel):
    """A badge that the user earned, when and why."""

    badge: BadgeOut
    reason: str
    earned_at: Timestamp


class UserBadges(StrictModel):
    """A user's points, level and badges."""

    model_config = example(
        {
            "total_points": 150,
            "level": 2,
            "level_title": "Consistency Builder",
            "next_level_title": "Mindful Planner",
            "points_to_next_level": 100,
            "badges": [
                {"badge": BADGE, "reason": "challenges claimed reached 1", "earned_at": "2026-06-13T10:30:00.000Z"}
            ],
        }
    )

    total_points: int
    level: int
    level_title: str
    next_level_title: str | None
    points_to_next_level: int | None
    badges: list[EarnedBadge]

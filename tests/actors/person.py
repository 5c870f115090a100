"""A person with a phone, for tests that go through the API."""

import secrets
import uuid
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx

from api.kakei.coach.schemas import EXAMPLE_CONTEXT
from tests.actors.actor import Actor, named
from tests.support.challenges import FEW_DAYS
from tests.support.serving import CLIENT

PROFILE: dict[str, Any] = {
    "income_range_id": 3,
    "user_profile": "student",
    "allow_exact_income": False,
    "exact_income_local": None,
    "coach_style": 1,
    "savings_goal_type": "monthly",
    "saving_goal_value": 2500,
    "budget_cycle_start_day": 1,
}
WEEK: dict[str, Any] = {
    "month_key": 202606,
    "week_key": 2,
    "total_spent": 3200.5,
    "spent_wants": 900,
    "spent_needs": 1800.5,
    "spent_culture": 300,
    "spent_unexpected": 200,
    "logging_days_count": 5,
}
MONTH: dict[str, Any] = {
    "month_key": 202606,
    "total_spent": 14800,
    "spent_wants": 4200,
    "spent_needs": 8200,
    "spent_culture": 1600,
    "spent_unexpected": 800,
    "logging_days_count": 24,
}


CONSENT: dict[str, Any] = {
    "consented": True,
    "age_confirmed": True,
    "data_mode": "private",
    "participant_code": "P-001",
    "allow_research_export": True,
    "study_version": "gala-tale-2026-v1",
}
ANSWERS: dict[str, Any] = {
    "phase": "pre",
    "instrument_key": "budget_confidence",
    "response_type": "survey",
    "responses": {"q1": 4, "q2": 3},
}
REFLECTION: dict[str, Any] = {
    "phase": "weekly",
    "category": "wants",
    "reflection_text": "I noticed snacks were my biggest optional expense this week.",
    "confidence_rating": 4,
    "intended_action": "Limit snack purchases to weekends.",
}
EVENT: dict[str, Any] = {
    "event_name": "challenge_catalog_viewed",
    "context": {"source": "challenge_tab"},
    "client_timestamp": "2026-06-13T10:30:00Z",
}
METRICS: dict[str, Any] = {
    "month_range": "2026-06",
    "metrics": {"expense_log_days": 12, "monthly_savings_goal_progress_percent": 65},
    "client_timestamp": "2026-06-13T10:30:00Z",
}
SNAPSHOT: dict[str, Any] = {
    "month_range": "2026-06",
    "level": 2,
    "level_title": "Consistency Builder",
    "total_points": 150,
    "streak_days": 4,
    "active_missions_count": 2,
    "completed_missions_count": 1,
    "claimed_rewards_count": 1,
    "failed_missions_count": 0,
    "badges_earned_count": 1,
    "reflection_count": 2,
    "game_metrics": {},
    "learning_metrics": {},
    "badge_ids": [1],
    "mission_summary": [],
}


def somewhere() -> dict[str, str]:
    """The header by which a trusted proxy says that a client has an address of its own."""
    return {"X-Forwarded-For": f"10.{secrets.randbelow(256)}.{secrets.randbelow(256)}.{1 + secrets.randbelow(254)}"}


def this_month() -> str:
    return f"{datetime.now(UTC):%Y-%m}"


def next_month() -> str:
    return f"{datetime.now(UTC).replace(day=1) + timedelta(days=31):%Y-%m}"


@dataclass
class Person(Actor):
    """A new user with a random id."""

    uuid: str = field(default_factory=lambda: str(uuid.uuid4()))

    def __post_init__(self) -> None:
        created = CLIENT.post(f"{self.service.url}/api/users/", json={"uuid": self.uuid}, headers=somewhere())
        assert created.status_code == 201, created.text

    def ask(self, method: str, path: str, body: Any = None, **headers: str) -> httpx.Response:
        """The answer of any status; `path` begins below this user's."""
        url = f"{self.service.url}/api/users/{self.uuid}{path}"
        return CLIENT.request(method, url, json=body, headers=named(headers))

    def consent(self, **changes: Any) -> dict[str, Any]:
        entry: dict[str, Any] = self.data("POST", "/research/consent", CONSENT | changes)
        return entry

    def accept(self, template: int, month: str | None = None) -> dict[str, Any]:
        body = {
            "challenge_template_id": template,
            "month_range": month or this_month(),
            "source": "user",
            "ai_suggestion_id": None,
        }
        answer = self.post(f"/challenges/{template}/accept", body)
        assert answer.status_code == 201, answer.text
        accepted: dict[str, Any] = answer.json()
        return accepted

    def complete(self, template: dict[str, Any] = FEW_DAYS, month: str | None = None) -> dict[str, Any]:
        """Accept a challenge and reach its target. Returns it as it was accepted."""
        challenge = self.accept(template["id"], month)
        reached = {"current_progress": template["target_value"]}
        assert self.data("POST", f"/challenges/{challenge['id']}/progress", reached)["status"] == "completed"
        return challenge

    def ask_coach(self, **headers: str) -> httpx.Response:
        """The coach's answer to the example, as this person."""
        url, mine = f"{self.service.url}/coach/suggestions", {"X-User-UUID": self.uuid}
        return CLIENT.post(url, json=EXAMPLE_CONTEXT, headers=mine | named(headers))

    def points(self) -> int:
        total: int = self.read("/points")["total_points"]
        return total

"""Tables and their enums. Importing this package loads all of them, as Alembic and the erasure of a user require."""

from api.models.base import Base
from api.models.catalog import Badge, ChallengeTemplate, IncomeRange
from api.models.challenges import ChallengeMetric, PointEntry, UserBadge, UserChallenge
from api.models.coach import Candidate, Decision, Outcome, Study, Suggestion
from api.models.guides import Guide, GuideItem, GuideStage, Plan
from api.models.households import (
    Household,
    HouseholdBrowser,
    HouseholdLink,
    HouseholdParticipant,
    HouseholdSession,
    HouseholdToken,
    HouseholdUser,
)
from api.models.operators import Lease, Operator, OperatorBrowser, OperatorSession
from api.models.requests import HouseholdAnswer, IdempotencyKey
from api.models.research import (
    AppEvent,
    Consent,
    Participant,
    ProgressSnapshot,
    PseudonymKey,
    Received,
    Reflection,
    Release,
    ReleasedParticipant,
    Response,
)
from api.models.summaries import MonthlySummary, WeeklySummary
from api.models.todos import ChatMessage, CompletionRun, DayCuration, DayItem, DaySelection, Todo, TodoAction
from api.models.users import Profile, User

__all__ = [
    "AppEvent",
    "Badge",
    "Base",
    "Candidate",
    "ChallengeMetric",
    "ChallengeTemplate",
    "ChatMessage",
    "CompletionRun",
    "Consent",
    "DayCuration",
    "DayItem",
    "DaySelection",
    "Decision",
    "Guide",
    "GuideItem",
    "GuideStage",
    "Household",
    "HouseholdAnswer",
    "HouseholdBrowser",
    "HouseholdLink",
    "HouseholdParticipant",
    "HouseholdSession",
    "HouseholdToken",
    "HouseholdUser",
    "IdempotencyKey",
    "IncomeRange",
    "Lease",
    "MonthlySummary",
    "Operator",
    "OperatorBrowser",
    "OperatorSession",
    "Outcome",
    "Participant",
    "Plan",
    "PointEntry",
    "Profile",
    "ProgressSnapshot",
    "PseudonymKey",
    "Received",
    "Reflection",
    "Release",
    "ReleasedParticipant",
    "Response",
    "Study",
    "Suggestion",
    "Todo",
    "TodoAction",
    "User",
    "UserBadge",
    "UserChallenge",
    "WeeklySummary",
]

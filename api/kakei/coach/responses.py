"""Turns a decision into the answer for the app."""

from datetime import datetime

from uuid_utils import uuid7

from api.clock import timestamp
from api.kakei.coach.schemas import CoachAnswer, Suggestion
from coach_model.budget.actions import LEVELS
from coach_model.budget.coach import Decision
from coach_model.budget.messages import Message, Messages

ADJUSTMENTS = [float(level) for level in LEVELS]


def answer_of(
    decision: Decision, messages: Messages, created_at: datetime, suggestion_id: str | None = None
) -> CoachAnswer:
    """The answer for `decision`, the strongest change first; it includes levers that hold. It gets a new id unless one
    is given."""
    w, c, s = decision.levels
    suggestions = [
        suggestion_of(said, because)
        for said, because in zip((messages[0][w], messages[1][c], messages[2][s]), decision.because, strict=True)
    ]
    suggestions.sort(key=weakness)
    return CoachAnswer(
        suggestion_id=suggestion_id or new_suggestion_id(),
        source=decision.source,
        fallback_reason=decision.fallback_reason,
        policy_id=decision.policy_id,
        w_adj=ADJUSTMENTS[w],
        c_adj=ADJUSTMENTS[c],
        s_adj=ADJUSTMENTS[s],
        suggestions=suggestions,
        created_at=timestamp(created_at),
    )


def suggestion_of(said: Message, because: list[str]) -> Suggestion:
    """The suggestion for one lever, with the features behind it."""
    return Suggestion(
        said.code, said.lever, said.change_percent, said.title, said.message, because, said.challenge_slug
    )


def new_suggestion_id() -> str:
    """A UUIDv7 (RFC 9562): ids of suggestions sort by time."""
    return str(uuid7())


def weakness(suggestion: Suggestion | Message) -> int:
    """The key that sorts the strongest change first."""
    return -abs(suggestion.change_percent)

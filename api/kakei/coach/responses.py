"""Turns a decision into the answer for the app."""

import os
import time
from datetime import datetime

from api.clock import timestamp
from api.kakei.coach.schemas import CoachAnswer, Suggestion
from coach_model.budget.actions import LEVELS
from coach_model.budget.coach import Decision
from coach_model.budget.messages import Messages

ADJUSTMENTS = [float(level) for level in LEVELS]


def answer_of(
    decision: Decision, messages: Messages, created_at: datetime, suggestion_id: str | None = None
) -> CoachAnswer:
    """The answer for `decision`, the strongest change first; it includes levers that hold. It gets a new id unless one
    is given."""
    w, c, s = decision.levels
    suggestions = [
        Suggestion(said.code, said.lever, said.change_percent, said.title, said.message, because, said.challenge_slug)
        for said, because in zip((messages[0][w], messages[1][c], messages[2][s]), decision.because, strict=True)
    ]
    suggestions.sort(key=_weakness)
    return CoachAnswer(
        suggestion_id=suggestion_id or uuid7(),
        source=decision.source,
        fallback_reason=decision.fallback_reason,
        policy_id=decision.policy_id,
        w_adj=ADJUSTMENTS[w],
        c_adj=ADJUSTMENTS[c],
        s_adj=ADJUSTMENTS[s],
        suggestions=suggestions,
        created_at=timestamp(created_at),
    )


def uuid7() -> str:
    """A UUIDv7 (RFC 9562, section 5.7): 48 bits of milliseconds, then 74 random bits."""
    random = int.from_bytes(os.urandom(10)) >> 6
    value = (time.time_ns() // 1_000_000) << 80 | 0x7 << 76 | (random >> 62) << 64 | 0b10 << 62 | random & (1 << 62) - 1
    text = f"{value:032x}"
    return f"{text[:8]}-{text[8:12]}-{text[12:16]}-{text[16:20]}-{text[20:]}"


def _weakness(suggestion: Suggestion) -> int:
    return -abs(suggestion.change_percent)

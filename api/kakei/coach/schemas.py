"""Request and response models of the coach."""

from typing import Annotated, Any

import msgspec

from api.http.types import TIMESTAMP
from coach_model.policy import FallbackReason, Source


def _share(description: str) -> msgspec.Meta:
    return msgspec.Meta(ge=0, le=1, description=description)


class CoachContext(msgspec.Struct, forbid_unknown_fields=True):
    """The ten numbers that the coach sees, each in [0, 1]. Extra fields are rejected."""

    budget_used_ratio: Annotated[
        float, _share("Spent share of this cycle's budget, after refunds; 0 where they are more")
    ]
    needs_share: Annotated[
        float, _share("Needs, as a share of the money available in the last four weeks; 0 where refunds are more")
    ]
    wants_share: Annotated[float, _share("Wants, likewise")]
    culture_share: Annotated[float, _share("Culture, likewise")]
    unexpected_share: Annotated[float, _share("Unexpected spending, likewise")]
    savings_goal_progress: Annotated[float, _share("Saved share of the current saving goal")]
    prev_w_adj: Annotated[float, _share("Level of the wants lever that the app shows now")]
    prev_c_adj: Annotated[float, _share("Level of the culture lever that the app shows now")]
    prev_s_adj: Annotated[float, _share("Level of the savings lever that the app shows now")]
    risk_profile: Annotated[float, _share("Attitude to risk, 0 cautious to 1 daring")]


class Suggestion(msgspec.Struct):
    """The coach's suggestion for one lever."""

    code: str
    lever: str
    change_percent: int
    title: str
    message: str
    because: list[str]
    """Fields of the context that caused it, strongest first."""
    challenge_slug: str | None


class CoachAnswer(msgspec.Struct):
    """A decision: a level for each lever (0, 0.25, 0.5, 0.75 or 1; 0.5 holds), its source, and texts for the user.

    `fallback_reason` says why the rules decided instead of the policy; it is null if the policy decided, or if a study
    chose the rules."""

    suggestion_id: str
    source: Source
    fallback_reason: FallbackReason | None
    policy_id: str
    w_adj: float
    c_adj: float
    s_adj: float
    suggestions: list[Suggestion]
    created_at: Annotated[str, msgspec.Meta(extra_json_schema={"format": "date-time", "pattern": TIMESTAMP})]


class CoachBatch(msgspec.Struct, forbid_unknown_fields=True):
    """Up to 10,000 contexts. Each is validated separately: a bad one does not affect the others."""

    contexts: Annotated[
        list[Any],
        msgspec.Meta(
            max_length=10_000,
            extra_json_schema={
                "items": {
                    "anyOf": [
                        {"$ref": "#/components/schemas/CoachContext"},
                        {"description": "An entry that is no context is answered by null and named in `errors`."},
                    ]
                }
            },
        ),
    ]


class RowError(msgspec.Struct):
    """An invalid context of a batch."""

    index: int
    field: str
    message: str


class CoachBatchAnswer(msgspec.Struct):
    """The answers in the order of the contexts, null where a context was bad; `errors` says what was wrong with it."""

    answers: list[CoachAnswer | None]
    errors: list[RowError]


EXAMPLE_CONTEXT = {
    "budget_used_ratio": 0.72,
    "needs_share": 0.45,
    "wants_share": 0.28,
    "culture_share": 0.12,
    "unexpected_share": 0.05,
    "savings_goal_progress": 0.4,
    "prev_w_adj": 0.5,
    "prev_c_adj": 0.5,
    "prev_s_adj": 0.5,
    "risk_profile": 0.5,
}
EXAMPLE_ANSWER = {
    "suggestion_id": "0198d3a2-7c10-7b6e-9f5a-3c1d2e4f5a6b",
    "source": "policy",
    "fallback_reason": None,
    "policy_id": "budget/2026.11.1+3f2a9c1e",
    "w_adj": 0.25,
    "c_adj": 0.5,
    "s_adj": 0.75,
    "suggestions": [
        {
            "code": "trim_wants",
            "lever": "wants",
            "change_percent": -10,
            "title": "Trim wants a little",
            "message": "Take 10% off your wants plan this week.",
            "because": ["budget_used_ratio", "wants_share"],
            "challenge_slug": "no-spend-weekend",
        }
    ],
    "created_at": "2026-11-21T10:00:00.000Z",
}

"""Request and response models of research uploads."""

import json
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, Field

from api.http.error_texts import described
from api.http.text import check_texts
from api.http.types import OF_NAME, WHOLE, Applied, ClientTime, Month, StrictModel, Timestamp, Words, example

Phase = Literal["pre", "weekly", "monthly", "post", "followup"]
Track = Literal["core", "budgeting", "wellbeing", "usability", "game"]
Name = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]{0,63}$"), described(OF_NAME)]
Count = Annotated[int, Field(ge=0, le=2**31 - 1), WHOLE]
Number = Annotated[float, Field(allow_inf_nan=False)]
LARGEST_JSON = 16 * 1024
"""Bytes of a free-form part of an upload; SPSS holds text up to 32,767 bytes."""
DEEPEST_JSON = 20


def _small[T](value: T) -> T:
    if _is_deeper(value, DEEPEST_JSON):
        raise ValueError(f"must be nested at most {DEEPEST_JSON} deep")
    check_texts(value)
    if len(json.dumps(value, ensure_ascii=False, allow_nan=False).encode()) > LARGEST_JSON:
        raise ValueError(f"must be at most {LARGEST_JSON} bytes of JSON")
    return value


def _is_deeper(value: Any, depth: int) -> bool:
    """Whether lists and objects are nested deeper than `depth`."""
    layer = [value]
    for _ in range(depth + 1):
        inside = [part.values() if isinstance(part, dict) else part for part in layer if isinstance(part, dict | list)]
        layer = [one for part in inside for one in part]
        if not layer:
            return False
    return True


Scalar = bool | int | Number | Annotated[str, Field(max_length=1000)] | None
FreeForm = Annotated[dict[str, Any], Field(max_length=200), AfterValidator(_small)]


class OptionOut(StrictModel):
    """A response option."""

    value: int
    label: str


class ItemOut(StrictModel):
    """A question; its type decides which optional fields apply."""

    id: str
    text: str
    type: Literal["choice", "number", "text"]
    optional: bool
    options: Annotated[list[OptionOut], Field(strict=False)]
    minimum: float | None
    maximum: float | None
    unit: str
    maximum_length: int | None


class InstrumentOut(StrictModel):
    """An instrument, ready to display."""

    key: str
    version: str
    title: str
    description: str
    track: str
    phases: list[str]
    response_type: str
    instructions: str
    source: str
    licence: str
    score: str | None
    """The name of its score, None without a score."""
    items: list[ItemOut]


class ResponseCreate(StrictModel):
    """Answers by item. An item that was shown and skipped is null; an item that was not shown is absent."""

    model_config = example(
        {
            "phase": "pre",
            "instrument_key": "budget_confidence",
            "response_type": "survey",
            "responses": {"q1": 4, "q2": 3},
        }
    )

    phase: Phase
    instrument_key: Name
    response_type: Literal["survey", "assessment"]
    responses: Annotated[
        dict[
            Annotated[str, Field(max_length=64)],
            Annotated[int, WHOLE] | Number | Annotated[Words, Field(max_length=4000)] | None,
        ],
        Field(min_length=1, max_length=200),
    ]
    client_timestamp: ClientTime | None = None


class ResponseOut(StrictModel):
    """The stored answers and the missing items."""

    model_config = example(
        {
            "instrument_key": "budget_confidence",
            "instrument_version": "1",
            "phase": "pre",
            "period": "",
            "answered": 2,
            "skipped": [],
            "not_asked": ["q3", "q4", "q5", "q6"],
            "score": None,
            "score_missing": "NOT_ASKED",
            "received_at": "2026-06-13T10:30:00.000Z",
            "applied": True,
        }
    )

    instrument_key: str
    instrument_version: str
    phase: str
    period: str
    answered: int
    skipped: list[str]
    not_asked: list[str]
    score: float | None
    score_missing: str | None
    received_at: Timestamp
    applied: Applied


class EventCreate(StrictModel):
    """An event in the app, with the time of the app's clock."""

    model_config = example(
        {
            "event_name": "challenge_catalog_viewed",
            "context": {"source": "challenge_tab"},
            "client_timestamp": "2026-06-13T10:30:00Z",
        }
    )

    event_name: Name
    context: Annotated[dict[Name, Scalar], Field(max_length=50, default_factory=dict), AfterValidator(_small)]
    client_timestamp: ClientTime


class EventStored(StrictModel):
    """Whether the event is stored (without consent in force it is not), and whether its name is known."""

    model_config = example({"stored": True, "known": True})

    stored: bool
    known: bool | None = None


SNAPSHOT = {
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


class ProgressSnapshotCreate(StrictModel):
    """A person's progress in a month; a new upload replaces it, the latest client time wins."""

    model_config = example(SNAPSHOT)

    month_range: Month
    level: Count
    level_title: Annotated[Words, Field(max_length=100)]
    total_points: Count
    streak_days: Count
    active_missions_count: Count
    completed_missions_count: Count
    claimed_rewards_count: Count
    failed_missions_count: Count
    badges_earned_count: Count
    reflection_count: Count
    game_metrics: FreeForm = Field(default_factory=dict)
    learning_metrics: FreeForm = Field(default_factory=dict)
    badge_ids: Annotated[list[Count], Field(max_length=500, default_factory=list)]
    mission_summary: Annotated[list[Any], Field(max_length=500, default_factory=list), AfterValidator(_small)]
    client_timestamp: ClientTime | None = None


class ProgressSnapshotOut(ProgressSnapshotCreate):
    """A stored snapshot."""

    model_config = example(
        SNAPSHOT | {"client_timestamp": None, "received_at": "2026-06-14T08:00:00.000Z", "applied": True}
    )

    received_at: Timestamp
    applied: Applied

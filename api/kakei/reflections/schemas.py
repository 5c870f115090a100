"""Request and response models of reflections."""

from typing import Annotated, Literal

from pydantic import Field

from api.http.types import WHOLE, Applied, ClientTime, StrictModel, Timestamp, Words, example

Phase = Literal["pre", "weekly", "monthly", "post", "followup"]
Category = Literal["needs", "wants", "culture", "unexpected", "savings", "general"]

REFLECTION = {
    "phase": "weekly",
    "category": "wants",
    "reflection_text": "I noticed snacks were my biggest optional expense this week.",
    "confidence_rating": 4,
    "intended_action": "Limit snack purchases to weekends.",
}


class ReflectionCreate(StrictModel):
    """A person's text about their spending."""

    model_config = example(REFLECTION)

    phase: Phase
    category: Category
    reflection_text: Annotated[Words, Field(min_length=1, max_length=4000)]
    confidence_rating: Annotated[int, Field(ge=1, le=5), WHOLE] | None = None
    intended_action: Annotated[Words, Field(max_length=1000)] | None = None
    client_timestamp: ClientTime | None = None


class ReflectionOut(StrictModel):
    """The reflection's quality: a score from 0 to 1, a level, and what made it strong or is missing, in words."""

    model_config = example(
        {
            "id": 7,
            "quality_score": 0.65,
            "quality_level": "clear",
            "feedback": ["You noticed something concrete.", "How much was it, roughly?"],
            "received_at": "2026-06-14T08:00:00.000Z",
            "applied": True,
        }
    )

    id: int
    quality_score: float
    quality_level: str
    feedback: list[str]
    received_at: Timestamp
    applied: Applied

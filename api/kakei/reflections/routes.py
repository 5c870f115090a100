"""Routes of reflections and the feedback on them."""

from typing import Annotated

from fastapi import APIRouter, Header, Response

from api.dependencies import Now
from api.http.idempotency import IdempotentRoute
from api.http.openapi import problem_responses
from api.http.types import Words
from api.http.user_ids import cannot_be_guessed
from api.kakei.accounts.dependencies import get_user_or_404
from api.kakei.idempotency import OnceSession
from api.kakei.reflections.actions import keep_reflection
from api.kakei.reflections.rules import feedback, quality_of, texts_in
from api.kakei.reflections.schemas import ReflectionCreate, ReflectionOut
from coach_model.budget.messages import preferred_language
from data.catalog import catalog

router = APIRouter(prefix="/api/users/{uuid}", tags=["research"], route_class=IdempotentRoute)


@router.post(
    "/reflections",
    operation_id="reflections_create",
    summary="Store a reflection and get feedback",
    status_code=201,
    responses={
        200: {"model": ReflectionOut, "description": "Stored before"},
        **problem_responses(404, 409, 413, 422, 503),
    },
)
async def create(
    uuid: str,
    body: ReflectionCreate,
    session: OnceSession,
    now: Now,
    response: Response,
    accept_language: Annotated[Words, Header(description="Feedback in English or Japanese.")] = "en",
) -> ReflectionOut:
    """Feedback names what made the reflection strong and what is missing: an observation, an amount, a cause, a plan.
    It is deterministic, and length earns nothing. The same reflection sent again on the same day, or with the same
    `client_timestamp`, is not a second one. A user whose id can be guessed is not told when the same was stored before:
    `received_at` is now."""
    user = await get_user_or_404(session, uuid)
    quality = quality_of(body.reflection_text, body.intended_action, catalog("reflections"))
    content = body.model_dump(exclude={"client_timestamp"})
    stored, is_new = await keep_reflection(session, user.id, content, quality, body.client_timestamp, now)
    if not is_new:
        response.status_code = 200
    texts = texts_in(preferred_language(accept_language), catalog("reflections"))
    return ReflectionOut(
        id=stored.id,
        quality_score=float(stored.quality_score),
        quality_level=stored.quality_level,
        feedback=list(feedback(quality, texts)),
        received_at=stored.received_at if cannot_be_guessed(user.uuid) else now,
        applied=True,  # nothing replaces a reflection
    )

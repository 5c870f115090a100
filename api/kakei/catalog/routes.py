"""Routes of templates, badges, and the badges that a user earned."""

from typing import Annotated

from fastapi import APIRouter, Header, Query, Request, Response

from api.dependencies import ReadSession
from api.http.openapi import problem_responses
from api.http.pagination import LINK, LONGEST_PAGE, Cursor, Limit, from_cursor, link_next
from api.http.user_ids import cannot_be_guessed
from api.kakei.accounts.dependencies import get_user_or_404, owner
from api.kakei.accounts.queries import total_points
from api.kakei.catalog import queries, rules
from api.kakei.catalog.schemas import (
    AiSuggestion,
    BadgeOut,
    ChallengeType,
    Difficulty,
    EarnedBadge,
    TemplateOut,
    UserBadges,
)
from api.kakei.coach.queries import last_suggestions
from api.models import ChallengeTemplate, Suggestion
from coach_model.budget.messages import preferred_language, title_behind
from data.catalog import catalog

router = APIRouter(tags=["challenges"])


@router.get(
    "/badges",
    operation_id="badges_list",
    summary="All badges",
    responses={200: {"headers": LINK}, **problem_responses(422, 503)},
)
async def list_badges(
    session: ReadSession, request: Request, response: Response, limit: Limit = LONGEST_PAGE, cursor: Cursor = None
) -> list[BadgeOut]:
    """All badges with their rules."""
    (after,) = from_cursor(cursor, 1) or (0,)
    found = await queries.badges(session, after, limit + 1)
    if len(found) > limit:
        link_next(request, response, (found[limit - 1].id,))
    return [BadgeOut.model_validate(badge) for badge in found[:limit]]


@router.get(
    "/templates",
    operation_id="templates_list",
    summary="Challenge templates",
    responses={200: {"headers": LINK}, **problem_responses(404, 422, 503)},
)
async def list_templates(
    session: ReadSession,
    request: Request,
    response: Response,
    difficulty: Difficulty | None = None,
    category_id: Annotated[int | None, Query(ge=1, le=1000)] = None,
    challenge_type: ChallengeType | None = None,
    limit: Limit = LONGEST_PAGE,
    cursor: Cursor = None,
    x_user_uuid: Annotated[str | None, Header(description="Marks what the coach last suggested to this user.")] = None,
) -> list[TemplateOut]:
    """The challenges that can be accepted; filters combine. The coach's suggestions are marked only for UUIDs: an id
    that can be guessed must not reveal them."""
    (after,) = from_cursor(cursor, 1) or (0,)
    found = await queries.templates(
        session, after, limit + 1, difficulty=difficulty, category_id=category_id, challenge_type=challenge_type
    )
    if len(found) > limit:
        link_next(request, response, (found[limit - 1].id,))
    user = await get_user_or_404(session, x_user_uuid) if x_user_uuid is not None else None
    suggested = await last_suggestions(session, user.id) if user and cannot_be_guessed(user.uuid) else []
    told = {one.challenge_slug: one for one in suggested}
    language = preferred_language(request.headers.get("accept-language", ""))
    return [_template_out(template, told.get(template.slug), language) for template in found[:limit]]


@router.get(
    "/api/users/{uuid}/badges",
    operation_id="users_list_badges",
    summary="A user's badges",
    responses=problem_responses(403, 404, 503),
)
async def list_user_badges(uuid: str, session: ReadSession) -> UserBadges:
    """Points, level and badges, with when and why each was earned. Only for UUIDs."""
    user = await owner(session, uuid)
    total = await total_points(session, user.id)
    level = rules.level_of(total, catalog("levels"))
    earned = await queries.earned_badges(session, user.id)
    return UserBadges(
        total_points=total,
        level=level.level,
        level_title=level.title,
        next_level_title=level.next_title,
        points_to_next_level=level.points_to_next,
        badges=[
            EarnedBadge(badge=BadgeOut.model_validate(badge), reason=had.reason, earned_at=had.earned_at)
            for had, badge in earned
        ],
    )


def _template_out(template: ChallengeTemplate, told: Suggestion | None, language: str) -> TemplateOut:
    out = TemplateOut.model_validate(template)
    if told is None:
        return out
    reason = title_behind(told.challenge_slug, language)
    suggestion = AiSuggestion(suggestion_id=told.suggestion_id, reason=reason, lever=told.lever)
    return out.model_copy(update={"is_ai_suggested": True, "ai_suggestion": suggestion})

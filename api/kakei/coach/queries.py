"""Queries on the coach's stored suggestions."""

from datetime import datetime, timedelta

from sqlalchemy import delete, select
from sqlalchemy.ext.asyncio import AsyncSession

from api.kakei.coach.schemas import CoachAnswer
from api.models import Suggestion

KEPT = timedelta(days=60)
"""How long suggestions are kept: enough to accept a challenge of last month's suggestion."""


async def remember_suggestions(session: AsyncSession, user_id: int, answer: CoachAnswer, now: datetime) -> None:
    """Store the challenges that the answer suggests, and delete suggestions older than `KEPT`."""
    await session.execute(delete(Suggestion).where(Suggestion.created_at < now - KEPT))
    session.add_all(
        Suggestion(
            user_id=user_id,
            suggestion_id=answer.suggestion_id,
            lever=said.lever,
            challenge_slug=said.challenge_slug,
            created_at=now,
        )
        for said in answer.suggestions
        if said.challenge_slug is not None
    )


async def was_given(session: AsyncSession, user_id: int, suggestion_id: str) -> bool:
    """Whether the coach gave this user a suggestion with this id."""
    mine = select(Suggestion.id).where(Suggestion.user_id == user_id, Suggestion.suggestion_id == suggestion_id)
    return await session.scalar(mine.limit(1)) is not None


async def last_suggestions(session: AsyncSession, user_id: int) -> list[Suggestion]:
    """The suggestions of the coach's last answer to this user."""
    newest = select(Suggestion.suggestion_id).where(Suggestion.user_id == user_id)
    newest = newest.order_by(Suggestion.created_at.desc(), Suggestion.id.desc()).limit(1)
    mine = select(Suggestion).where(Suggestion.user_id == user_id)
    return list(await session.scalars(mine.where(Suggestion.suggestion_id == newest.scalar_subquery())))

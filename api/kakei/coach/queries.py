"""Queries on the coach's stored suggestions."""

from datetime import datetime, timedelta
from functools import cache
from typing import Any

from sqlalchemy import bindparam, delete, insert, select
from sqlalchemy.ext.asyncio import AsyncSession

from api.db.prepared import Prepared
from api.kakei.coach.schemas import CoachAnswer
from api.models import Suggestion

KEPT = timedelta(days=60)
"""How long suggestions are kept: enough to accept a challenge of last month's suggestion."""


_FORGET = Prepared(lambda _: delete(Suggestion).where(Suggestion.created_at < bindparam("before")))


@cache
def _remember(count: int) -> Prepared:
    """Stores so many suggestions at once, at most one for each lever; their parameters have numbers."""
    rows: list[dict[str, Any]] = [
        {
            "user_id": bindparam("user_id", type_=Suggestion.user_id.type),
            "suggestion_id": bindparam("suggestion_id", type_=Suggestion.suggestion_id.type),
            "created_at": bindparam("created_at", type_=Suggestion.created_at.type),
            "lever": bindparam(f"lever_{number}", type_=Suggestion.lever.type),
            "challenge_slug": bindparam(f"slug_{number}", type_=Suggestion.challenge_slug.type),
        }
        for number in range(count)
    ]
    return Prepared(lambda _: insert(Suggestion).inline().values(rows))


async def remember_suggestions(session: AsyncSession, user_id: int, answer: CoachAnswer, now: datetime) -> None:
    """Store the challenges that the answer suggests, and delete suggestions older than `KEPT`."""
    await _FORGET.rows(session, before=now - KEPT)
    said = [one for one in answer.suggestions if one.challenge_slug is not None]
    if said:
        told = {"user_id": user_id, "suggestion_id": answer.suggestion_id, "created_at": now}
        levers = {f"lever_{number}": one.lever for number, one in enumerate(said)}
        slugs = {f"slug_{number}": one.challenge_slug for number, one in enumerate(said)}
        await _remember(len(said)).rows(session, **told, **levers, **slugs)


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

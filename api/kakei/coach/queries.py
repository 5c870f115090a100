"""What is kept of the coach's suggestions, and of its decisions for those who consented."""

from datetime import datetime, timedelta

import numpy as np
from sqlalchemy import delete, select
from sqlalchemy.ext.asyncio import AsyncSession

from api.kakei.coach.schemas import CoachAnswer
from api.models import Decision as LoggedDecision
from api.models import Suggestion
from coach_model.budget.actions import LEVELS
from coach_model.budget.actions import SCHEMA_VERSION as ACTION_SCHEMA
from coach_model.budget.coach import Decision
from coach_model.budget.context import SCHEMA_VERSION as CONTEXT_SCHEMA
from coach_model.exploration import decision_seed, one_hot
from data.schema.learning import NO_STUDY

COACH = "coach"
"""Component of a decision that no study drew."""
KEPT = timedelta(days=60)
"""Long enough to accept a challenge of last month's suggestion."""


async def remember_suggestions(session: AsyncSession, user_id: int, answer: CoachAnswer, now: datetime) -> None:
    """Keep which challenges the answer points at, and forget what is older than `KEPT`."""
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


async def log_decision(
    session: AsyncSession,
    user_id: int,
    consent_id: int,
    context: tuple[float, ...],
    decision: Decision,
    answer: CoachAnswer,
) -> None:
    """Store a decision as it was drawn. Outside a study the coach is deterministic: its choice had probability 1."""
    chosen = one_hot(np.array([decision.levels]), len(LEVELS))[0]
    session.add(
        LoggedDecision(
            decision_id=answer.suggestion_id,
            user_id=user_id,
            consent_id=consent_id,
            decided_at=answer.created_at,
            policy_id=decision.policy_id,
            source=decision.source,
            fallback_reason=decision.fallback_reason,
            phase=NO_STUDY,
            component=COACH,
            epsilon=0.0,
            context=list(context),
            levels=decision.levels,
            distributions=chosen.tolist(),
            propensity=1.0,
            seed=decision_seed(answer.suggestion_id),
            context_schema=CONTEXT_SCHEMA,
            action_schema=ACTION_SCHEMA,
        )
    )


async def was_given(session: AsyncSession, user_id: int, suggestion_id: str) -> bool:
    """Whether the coach gave this user a suggestion with this id."""
    mine = select(Suggestion.id).where(Suggestion.user_id == user_id, Suggestion.suggestion_id == suggestion_id)
    return await session.scalar(mine.limit(1)) is not None


async def last_suggestions(session: AsyncSession, user_id: int) -> list[Suggestion]:
    """What the coach's last answer to this user pointed at."""
    newest = select(Suggestion.suggestion_id).where(Suggestion.user_id == user_id)
    newest = newest.order_by(Suggestion.created_at.desc(), Suggestion.id.desc()).limit(1)
    mine = select(Suggestion).where(Suggestion.user_id == user_id)
    return list(await session.scalars(mine.where(Suggestion.suggestion_id == newest.scalar_subquery())))

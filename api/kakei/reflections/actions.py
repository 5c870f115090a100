"""Stores reflections, once, with their quality."""

from datetime import datetime
from decimal import Decimal
from typing import Any

from sqlalchemy.ext.asyncio import AsyncSession

from api.kakei.challenges.actions import award_badges
from api.kakei.consent.queries import consent_id_in_force
from api.kakei.reflections.rules import Quality
from api.kakei.research.queries import add_once, reflection
from api.kakei.research.rules import fingerprint
from api.models import Reflection


async def keep_reflection(
    session: AsyncSession,
    user_id: int,
    content: dict[str, Any],
    quality: Quality,
    client_timestamp: datetime | None,
    now: datetime,
) -> tuple[Reflection, bool]:
    """Store a reflection and award badges for it. Returns the stored one, and whether it is new: the same on the same
    day, or with the same client's time, is a repeat.
    """
    mark = fingerprint(content, client_timestamp or now.date())
    values = content | {
        "user_id": user_id,
        "consent_id": await consent_id_in_force(session, user_id),
        "client_timestamp": client_timestamp,
        "received_at": now,
        "fingerprint": mark,
        "quality_score": Decimal(str(quality.score)),
        "quality_level": str(quality.level),
        "strengths": list(quality.strengths),
    }
    is_new = await add_once(session, Reflection, values)
    if is_new:
        await award_badges(session, user_id, now)
    return await reflection(session, user_id, mark), is_new

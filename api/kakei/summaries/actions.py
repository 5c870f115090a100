"""Stores summaries, and what follows from them: outcomes of studies, and badges."""

from datetime import datetime
from typing import Any

from sqlalchemy.ext.asyncio import AsyncSession

from api.db.upsert import Upserted, put_latest
from api.kakei.challenges.actions import award_badges
from api.kakei.consent.queries import consent_in_force
from api.kakei.studies.actions import observe_summary
from api.models import MonthlySummary, Profile, WeeklySummary


async def put_weekly(
    session: AsyncSession, key: dict[str, int], values: dict[str, Any], profile: Profile | None, now: datetime
) -> Upserted[WeeklySummary]:
    """Store a weekly summary unless a later one is there, and enter it as the outcome of the person's study."""
    consent = await consent_in_force(session, key["user_id"])
    received = {"consent_id": consent.id if consent else None, "received_at": now}
    put = await put_latest(session, WeeklySummary, key, values | received)
    if consent is not None:
        await observe_summary(session, consent, profile, (key["month_key"], key["week_key"]), now)
    await award_badges(session, key["user_id"], now)
    return put


async def put_monthly(
    session: AsyncSession, key: dict[str, int], values: dict[str, Any], now: datetime
) -> Upserted[MonthlySummary]:
    """Store a monthly summary unless a later one is there."""
    consent = await consent_in_force(session, key["user_id"])
    received = {"consent_id": consent.id if consent else None, "received_at": now}
    put = await put_latest(session, MonthlySummary, key, values | received)
    await award_badges(session, key["user_id"], now)
    return put

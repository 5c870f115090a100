"""Stores summaries, and what follows from them: outcomes of studies, and badges."""

from datetime import datetime
from typing import Any

from sqlalchemy.ext.asyncio import AsyncSession

from api.db.upsert import Upserted
from api.kakei.accounts.queries import Writer
from api.kakei.challenges.actions import award_counted
from api.kakei.consent.queries import consent_in_force
from api.kakei.studies.actions import observe_summary
from api.kakei.summaries import queries
from api.models import MonthlySummary, WeeklySummary


async def put_weekly(
    session: AsyncSession, writer: Writer, values: dict[str, Any], now: datetime
) -> Upserted[WeeklySummary]:
    """Store a weekly summary unless a later one is there, and enter it as the outcome of the person's study."""
    put = await queries.put_week(session, values | {"user_id": writer.id, "received_at": now})
    if not put.applied or put.row.consent_id is not None:
        consent = await consent_in_force(session, writer.id)
        if consent is not None:
            week = (values["month_key"], values["week_key"])
            await observe_summary(session, consent, writer.time_zone, week, now)
    if put.new:
        await award_counted(session, writer.id, "weekly_summaries", now)
    return put


async def put_monthly(
    session: AsyncSession, writer: Writer, values: dict[str, Any], now: datetime
) -> Upserted[MonthlySummary]:
    """Store a monthly summary unless a later one is there."""
    put = await queries.put_month(session, values | {"user_id": writer.id, "received_at": now})
    if put.new:
        await award_counted(session, writer.id, "monthly_summaries", now)
    return put

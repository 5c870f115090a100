"""Updates the runs of days with a completion after each change of the log. The household is locked."""

from datetime import date

from sqlalchemy.ext.asyncio import AsyncSession

from api.kinderbud.streaks import queries
from api.kinderbud.streaks.rules import with_day, without_day


async def count_day(session: AsyncSession, household_id: int, day: date) -> None:
    """Count a day that has its first completion."""
    await _change(session, household_id, day, adding=True)


async def uncount_day(session: AsyncSession, household_id: int, day: date) -> None:
    """Remove a day that lost its last completion."""
    await _change(session, household_id, day, adding=False)


async def _change(session: AsyncSession, household_id: int, day: date, *, adding: bool) -> None:
    before = await queries.runs_around(session, household_id, day)
    after = with_day(before, day) if adding else without_day(before, day)
    await queries.replace_runs(session, household_id, before - after, after - before)

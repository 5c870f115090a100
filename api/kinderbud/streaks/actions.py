"""Updates the runs of days with a completion after each change of the log. The household is locked."""

from datetime import date

from sqlalchemy import delete, select
from sqlalchemy.ext.asyncio import AsyncSession

from api.kinderbud.streaks.rules import DAY, Run, with_day, without_day
from api.models import CompletionRun


async def count_day(session: AsyncSession, household_id: int, day: date) -> None:
    """Count a day that has its first completion."""
    await _change(session, household_id, day, adding=True)


async def uncount_day(session: AsyncSession, household_id: int, day: date) -> None:
    """Remove a day that lost its last completion."""
    await _change(session, household_id, day, adding=False)


async def _change(session: AsyncSession, household_id: int, day: date, *, adding: bool) -> None:
    touching = (
        CompletionRun.household_id == household_id,
        CompletionRun.first_on <= day + DAY,
        CompletionRun.last_on >= day - DAY,
    )
    before = {Run(row.first_on, row.last_on) for row in await session.scalars(select(CompletionRun).where(*touching))}
    after = with_day(before, day) if adding else without_day(before, day)
    gone = [run.first_on for run in before - after]
    if gone:
        same = CompletionRun.household_id == household_id
        await session.execute(delete(CompletionRun).where(same, CompletionRun.first_on.in_(gone)))
    session.add_all(
        CompletionRun(household_id=household_id, first_on=run.first_on, last_on=run.last_on) for run in after - before
    )
    await session.flush()

"""Queries on the runs of days with a completion."""

from collections.abc import Iterable
from datetime import date

from sqlalchemy import delete, select
from sqlalchemy.ext.asyncio import AsyncSession

from api.kinderbud.streaks.rules import DAY, Run
from api.models import CompletionRun


async def runs_around(session: AsyncSession, household_id: int, day: date) -> set[Run]:
    """The runs that hold a day, or end or begin beside it."""
    touching = (
        CompletionRun.household_id == household_id,
        CompletionRun.first_on <= day + DAY,
        CompletionRun.last_on >= day - DAY,
    )
    return {Run(row.first_on, row.last_on) for row in await session.scalars(select(CompletionRun).where(*touching))}


async def replace_runs(session: AsyncSession, household_id: int, gone: Iterable[Run], new: Iterable[Run]) -> None:
    """Delete some runs of a household and add others."""
    first_days = [run.first_on for run in gone]
    if first_days:
        same = CompletionRun.household_id == household_id
        await session.execute(delete(CompletionRun).where(same, CompletionRun.first_on.in_(first_days)))
    session.add_all(CompletionRun(household_id=household_id, first_on=run.first_on, last_on=run.last_on) for run in new)
    await session.flush()

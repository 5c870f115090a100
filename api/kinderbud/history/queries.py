"""The action log by day, and counts over its last weeks. Each query reads only the days that it needs."""

from datetime import date

from sqlalchemy import ColumnElement, and_, func, select
from sqlalchemy.ext.asyncio import AsyncSession

from api.kinderbud.action_types import ActionType
from api.kinderbud.streaks.rules import DAY, Run
from api.models import CompletionRun, DayItem, GuideItem, HouseholdUser, Todo, TodoAction

type Entry = tuple[TodoAction, Todo, GuideItem | None, HouseholdUser | None]


async def actions_between(
    session: AsyncSession,
    household_id: int,
    first: date,
    last: date,
    *,
    participant_id: int | None = None,
    action_type: ActionType | None = None,
    performed_by: int | None = None,
) -> list[Entry]:
    """The remaining actions of some days, latest first."""
    query = (
        select(TodoAction, Todo, GuideItem, HouseholdUser)
        .join(Todo, Todo.id == TodoAction.todo_id)
        .outerjoin(GuideItem, GuideItem.id == Todo.guide_item_id)
        .outerjoin(HouseholdUser, HouseholdUser.id == TodoAction.performed_by)
        .where(
            TodoAction.household_id == household_id,
            TodoAction.action_date.between(first, last),
            TodoAction.undone_at.is_(None),
        )
        .order_by(TodoAction.action_date.desc(), TodoAction.created_at.desc(), TodoAction.id.desc())
    )
    if participant_id is not None:
        query = query.where(Todo.participant_id == participant_id)
    if action_type is not None:
        query = query.where(TodoAction.action_type == action_type)
    if performed_by is not None:
        query = query.where(TodoAction.performed_by == performed_by)
    return [(action, todo, item, user) for action, todo, item, user in await session.execute(query)]


async def completions_by_day(session: AsyncSession, household_id: int, first: date, last: date) -> dict[date, int]:
    """Completed todos on each of some days."""
    query = (
        select(TodoAction.action_date, func.count())
        .where(*_completed(household_id, first, last))
        .group_by(TodoAction.action_date)
    )
    return {key: count for key, count in await session.execute(query)}  # noqa: C416 - rows are not pairs for `dict`


async def completions_by_participant(
    session: AsyncSession, household_id: int, first: date, last: date
) -> dict[int, int]:
    """How many todos of each participant were completed in some days."""
    query = (
        select(Todo.participant_id, func.count())
        .select_from(TodoAction)
        .join(Todo, Todo.id == TodoAction.todo_id)
        .where(*_completed(household_id, first, last))
        .group_by(Todo.participant_id)
    )
    return {key: count for key, count in await session.execute(query)}  # noqa: C416 - rows are not pairs for `dict`


async def shown_or_done(session: AsyncSession, household_id: int, first: date, last: date) -> int:
    """How many todos were shown in some days, counted once per day, and how many were completed without being shown."""
    within = (DayItem.household_id == household_id, DayItem.day.between(first, last))
    shown = await session.scalar(select(func.count()).select_from(DayItem).where(*within)) or 0
    same = and_(
        DayItem.household_id == household_id,
        DayItem.todo_id == TodoAction.todo_id,
        DayItem.day == TodoAction.action_date,
    )
    unshown = (
        select(func.count())
        .select_from(TodoAction)
        .outerjoin(DayItem, same)
        .where(*_completed(household_id, first, last), DayItem.todo_id.is_(None))
    )
    return shown + (await session.scalar(unshown) or 0)


async def latest_run(session: AsyncSession, household_id: int, today: date) -> Run | None:
    """The run of days with a completion that includes today or yesterday."""
    touching = (
        CompletionRun.household_id == household_id,
        CompletionRun.first_on <= today,
        CompletionRun.last_on >= today - DAY,
    )
    row = await session.scalar(select(CompletionRun).where(*touching).order_by(CompletionRun.last_on.desc()).limit(1))
    return Run(row.first_on, row.last_on) if row else None


def _completed(household_id: int, first: date, last: date) -> tuple[ColumnElement[bool], ...]:
    return (
        TodoAction.household_id == household_id,
        TodoAction.action_date.between(first, last),
        TodoAction.action_type == ActionType.COMPLETED,
        TodoAction.undone_at.is_(None),
    )

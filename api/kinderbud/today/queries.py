"""The day's selection, and the last four weeks of it."""

from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta

from sqlalchemy import and_, bindparam, func, select
from sqlalchemy.ext.asyncio import AsyncSession

from api.db.upsert import insert_into
from api.kinderbud.action_types import ActionType
from api.models import DayCuration, DayItem, DaySelection, TodoAction
from coach_model.daily.candidates import WINDOW_DAYS

_SELECTION = select(DaySelection).where(
    DaySelection.household_id == bindparam("household_id"), DaySelection.day == bindparam("day")
)


@dataclass
class Window:
    """The last four weeks by todo: the days on which it was shown, the days on which it was done, and the number of
    snoozes.
    """

    about: dict[int, tuple[int, str]] = field(default_factory=dict)
    """Participant and area of the todos that were shown, of any stage or plan."""
    shown: defaultdict[int, list[date]] = field(default_factory=lambda: defaultdict(list))
    done: Counter[int] = field(default_factory=Counter)
    snoozes: Counter[int] = field(default_factory=Counter)


async def selection_of(session: AsyncSession, household_id: int, day: date) -> DaySelection | None:
    """The selection of a day."""
    return await session.scalar(_SELECTION, {"household_id": household_id, "day": day})


async def chosen_since(session: AsyncSession, since: date) -> set[tuple[int, date]]:
    """The chosen days of all households, by household and day."""
    query = select(DaySelection.household_id, DaySelection.day).where(DaySelection.day >= since)
    return {(household_id, day) for household_id, day in await session.execute(query)}


async def window(session: AsyncSession, household_id: int, today: date) -> Window:
    """The four weeks before today."""
    first = today - timedelta(days=WINDOW_DAYS)
    found = Window()
    done = and_(
        TodoAction.todo_id == DayItem.todo_id,
        TodoAction.action_date == DayItem.day,
        TodoAction.action_type == ActionType.COMPLETED,
        TodoAction.undone_at.is_(None),
    )
    within = (DayItem.household_id == household_id, DayItem.day >= first, DayItem.day < today)
    rows = await session.execute(
        select(DayItem.todo_id, DayItem.day, TodoAction.id).outerjoin(TodoAction, done).where(*within)
    )
    for todo_id, day, action_id in rows:
        found.shown[todo_id].append(day)
        found.done[todo_id] += action_id is not None
    snoozed = (
        TodoAction.household_id == household_id,
        TodoAction.action_date >= first,
        TodoAction.action_type == ActionType.SNOOZED,
        TodoAction.undone_at.is_(None),
    )
    counts = select(TodoAction.todo_id, func.count()).where(*snoozed).group_by(TodoAction.todo_id)
    for todo_id, count in await session.execute(counts):
        found.snoozes[todo_id] = count
    return found


async def add_items(session: AsyncSession, household_id: int, day: date, todo_ids: Sequence[int], first: int) -> None:
    """Add todos to a day's selection, from position `first` on. Existing entries keep their position."""
    rows = [
        {"household_id": household_id, "day": day, "todo_id": todo_id, "position": first + place}
        for place, todo_id in enumerate(todo_ids)
    ]
    if rows:
        await session.execute(insert_into(session, DayItem).values(rows).on_conflict_do_nothing())


async def acted_on(session: AsyncSession, household_id: int, day: date) -> set[int]:
    """Todos with an action on a day."""
    mine = (TodoAction.household_id == household_id, TodoAction.action_date == day, TodoAction.undone_at.is_(None))
    return set(await session.scalars(select(TodoAction.todo_id).where(*mine)))


async def claim_of(session: AsyncSession, household_id: int, day: date) -> DayCuration | None:
    """The claim of a request to Claude about a day, if there is or was one."""
    return await session.get(DayCuration, (household_id, day), populate_existing=True)


async def lease(
    session: AsyncSession, household_id: int, day: date, now: datetime, until: datetime, most: int
) -> bool | None:
    """Claim the day for a request to Claude. None while another request has it, False if it was claimed `most` times
    already. The household is locked.
    """
    found = await claim_of(session, household_id, day)
    if found is None:
        session.add(DayCuration(household_id=household_id, day=day, leased_until=until, triggers=1))
        return True
    if found.leased_until > now:
        return None
    if found.triggers >= most:
        return False
    found.leased_until, found.triggers = until, found.triggers + 1
    return True

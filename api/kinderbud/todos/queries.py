"""Todos with their items, and the action log."""

from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import ColumnElement, and_, func, or_, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from api.kinderbud.action_types import ActionType
from api.kinderbud.todos.rules import State, Status, status_on
from api.models import DayItem, Guide, GuideItem, GuideStage, HouseholdParticipant, Plan, Todo, TodoAction
from data.catalog.guides import Category, Frequency

LATEST_FIRST = (TodoAction.created_at.desc(), TodoAction.id.desc())
"""By time of action, then by arrival."""


@dataclass(frozen=True)
class Seen:
    """A todo, its participant, and its guide item if it comes from a guide."""

    todo: Todo
    participant: HouseholdParticipant
    item: GuideItem | None = None
    stage: GuideStage | None = None
    guide: Guide | None = None
    plan_active: bool | None = None

    @property
    def title(self) -> str:
        """The title of the item, else of the family's own todo."""
        return self.item.title if self.item else self.todo.title or ""

    @property
    def description(self) -> str | None:
        """The description of the item, else of the family's own todo."""
        return self.item.description if self.item else self.todo.description

    @property
    def frequency(self) -> Frequency:
        """The frequency of the item, else of the family's own todo."""
        return Frequency((self.item.frequency if self.item else self.todo.frequency) or Frequency.ONCE)

    @property
    def category(self) -> Category:
        """The category. The family's own todos are activities."""
        return Category(self.item.category) if self.item else Category.ACTIVITY

    @property
    def state(self) -> State:
        """The state that follows from the action log."""
        return State(self.todo.last_completed_on, self.todo.snoozed_until, self.todo.dismissed)

    @property
    def achieved(self) -> bool | None:
        """Whether a milestone is reached."""
        return self.todo.last_completed_on is not None if self.category is Category.MILESTONE else None

    @property
    def rests(self) -> bool:
        """Whether the todo is inactive: its plan has ended, or it is deleted."""
        return self.todo.deleted or self.plan_active is False

    def status(self, today: date) -> Status:
        """The status in today's list."""
        return status_on(self.state, today, rests_when_done=self.frequency is Frequency.ONCE)


_SEEN = (
    select(Todo, HouseholdParticipant, GuideItem, GuideStage, Guide, Plan.active)
    .join(HouseholdParticipant, HouseholdParticipant.id == Todo.participant_id)
    .outerjoin(GuideItem, GuideItem.id == Todo.guide_item_id)
    .outerjoin(GuideStage, GuideStage.id == GuideItem.stage_id)
    .outerjoin(Guide, Guide.id == GuideStage.guide_id)
    .outerjoin(Plan, Plan.id == Todo.plan_id)
)


def _of_stages(stages: dict[int, int]) -> list[ColumnElement[bool]]:
    """The items of stages, by plan, that are still in the catalog."""
    return [
        and_(Todo.plan_id == plan, GuideItem.stage_id == stage, ~GuideItem.retired) for plan, stage in stages.items()
    ]


def _is_current(stages: dict[int, int], today: date) -> ColumnElement[bool]:
    """The family's own todos, except those for once that were done before today, and those of the current stages."""
    open_today = or_(Todo.last_completed_on.is_(None), Todo.last_completed_on >= today)
    own = and_(Todo.plan_id.is_(None), or_(Todo.frequency != Frequency.ONCE, open_today))
    return or_(own, *_of_stages(stages))


_CURRENT_ORDER = (Todo.participant_id, GuideItem.position, Todo.id)


async def todo_in(session: AsyncSession, household_id: int, todo_id: int, *, deleted: bool = False) -> Seen | None:
    """A todo of the household. A deleted one only on request."""
    mine = (Todo.id == todo_id, Todo.household_id == household_id)
    row = (await session.execute(_SEEN.where(*mine))).one_or_none()
    return Seen(*row) if row is not None and (deleted or not row[0].deleted) else None


async def current_todos(session: AsyncSession, household_id: int, stages: dict[int, int], today: date) -> list[Seen]:
    """The family's own todos, and those of the current stages. `stages` is by plan. One-time todos that were done
    before today are left out.
    """
    mine = (Todo.household_id == household_id, ~Todo.deleted, _is_current(stages, today))
    rows = await session.execute(_SEEN.where(*mine).order_by(*_CURRENT_ORDER))
    return [Seen(*row) for row in rows]


@dataclass(frozen=True)
class Listed:
    """The todos of a day: `current` ones, those that the day showed in order, and the ids of those with an action."""

    current: list[Seen]
    shown: list[Seen]
    acted: set[int]


async def listed_on(session: AsyncSession, household_id: int, stages: dict[int, int], day: date) -> Listed:
    """Of a day, `current_todos` and `shown_on`, and the todos among them with an action, in one statement."""
    acts = (TodoAction.household_id == household_id, TodoAction.action_date == day, TodoAction.undone_at.is_(None))
    columns = (_is_current(stages, day), DayItem.position, Todo.id.in_(select(TodoAction.todo_id).where(*acts)))
    of_day = and_(DayItem.todo_id == Todo.id, DayItem.household_id == household_id, DayItem.day == day)
    mine = (Todo.household_id == household_id, ~Todo.deleted, or_(columns[0], DayItem.position.is_not(None)))
    query = _SEEN.add_columns(*columns).outerjoin(DayItem, of_day).where(*mine).order_by(*_CURRENT_ORDER)
    rows = [(Seen(*row[:-3]), *row[-3:]) for row in await session.execute(query)]
    shown = [(position, seen.todo.id, seen) for seen, _, position, _ in rows if position is not None]
    return Listed(
        [seen for seen, is_current, _, _ in rows if is_current],
        [seen for _, _, seen in sorted(shown, key=lambda one: one[:2])],
        {seen.todo.id for seen, _, _, is_acted in rows if is_acted},
    )


async def listed_todos(
    session: AsyncSession,
    household_id: int,
    stages: dict[int, int],
    *,
    category: Category | None = None,
    participant_id: int | None = None,
) -> list[Seen]:
    """Current todos, one-time todos that are done, and milestones reached in earlier stages: by participant and stage,
    the family's own last.
    """
    of_guides = _of_stages(stages)
    reached = and_(GuideItem.category == Category.MILESTONE, Todo.last_completed_on.is_not(None))
    wanted = [or_(Todo.plan_id.is_(None), reached, *of_guides)]
    if category is not None:
        own = [Todo.plan_id.is_(None)] if category is Category.ACTIVITY else []
        wanted.append(or_(GuideItem.category == category, *own))
    if participant_id is not None:
        wanted.append(Todo.participant_id == participant_id)
    query = _SEEN.where(Todo.household_id == household_id, ~Todo.deleted, *wanted)
    order = (GuideStage.position.nulls_last(), GuideItem.position, Todo.id)
    return [Seen(*row) for row in await session.execute(query.order_by(Todo.participant_id, *order))]


async def shown_on(session: AsyncSession, household_id: int, day: date) -> list[Seen]:
    """The todos that a day showed, in order."""
    query = _SEEN.join(DayItem, DayItem.todo_id == Todo.id).order_by(DayItem.position, Todo.id)
    mine = (DayItem.household_id == household_id, DayItem.day == day, ~Todo.deleted)
    return [Seen(*row) for row in await session.execute(query.where(*mine))]


async def completion_on(session: AsyncSession, todo_id: int, day: date) -> TodoAction | None:
    """The completion of a todo on a day."""
    same = (TodoAction.todo_id == todo_id, TodoAction.action_date == day, TodoAction.undone_at.is_(None))
    completed = TodoAction.action_type == ActionType.COMPLETED
    return await session.scalar(select(TodoAction).where(*same, completed))


async def last_of(session: AsyncSession, todo_id: int, action_type: ActionType) -> TodoAction | None:
    """The latest remaining action of a type."""
    same = (TodoAction.todo_id == todo_id, TodoAction.action_type == action_type, TodoAction.undone_at.is_(None))
    return await session.scalar(select(TodoAction).where(*same).order_by(*LATEST_FIRST).limit(1))


async def snooze_at(session: AsyncSession, todo_id: int, moment: datetime, until: date) -> TodoAction | None:
    """The remaining snooze of a todo with exactly that time."""
    same = (TodoAction.todo_id == todo_id, TodoAction.created_at == moment, TodoAction.snoozed_to == until)
    return await session.scalar(select(TodoAction).where(*same, TodoAction.undone_at.is_(None)).limit(1))


async def telling_actions(session: AsyncSession, todo_id: int) -> list[TodoAction]:
    """The part of the remaining log that determines the todo's state, in order: one action of each type, however long
    the log is, and the completion of the latest day if that is not the latest completion.
    """
    latest = [await last_of(session, todo_id, action_type) for action_type in ActionType]
    of_day = (
        select(TodoAction)
        .where(
            TodoAction.todo_id == todo_id,
            TodoAction.action_type == ActionType.COMPLETED,
            TodoAction.undone_at.is_(None),
        )
        .order_by(TodoAction.action_date.desc())
        .limit(1)
    )
    found = {action.id: action for action in [*latest, await session.scalar(of_day)] if action is not None}
    return sorted(found.values(), key=lambda action: (action.created_at, action.id))


async def undo(session: AsyncSession, todo_id: int, action_id: int, now: datetime) -> TodoAction | None:
    """Remove an action from the log. None if there is no such action any more."""
    same = (TodoAction.id == action_id, TodoAction.todo_id == todo_id, TodoAction.undone_at.is_(None))
    return await session.scalar(update(TodoAction).where(*same).values(undone_at=now).returning(TodoAction))


async def completions_on(session: AsyncSession, household_id: int, day: date) -> int:
    """How many todos a household completed on a day."""
    mine = (TodoAction.household_id == household_id, TodoAction.action_date == day, TodoAction.undone_at.is_(None))
    completed = TodoAction.action_type == ActionType.COMPLETED
    return await session.scalar(select(func.count()).where(*mine, completed)) or 0


async def latest_of_day(session: AsyncSession, household_id: int, day: date) -> dict[int, TodoAction]:
    """By todo, its latest remaining action on a day."""
    mine = (TodoAction.household_id == household_id, TodoAction.action_date == day, TodoAction.undone_at.is_(None))
    actions = await session.scalars(select(TodoAction).where(*mine).order_by(TodoAction.created_at, TodoAction.id))
    return {action.todo_id: action for action in actions}


async def own_count(session: AsyncSession, household_id: int) -> int:
    """The number of open todos of the family's own."""
    undone = or_(Todo.frequency != Frequency.ONCE, Todo.last_completed_on.is_(None))
    mine = (Todo.household_id == household_id, Todo.plan_id.is_(None), ~Todo.deleted, ~Todo.dismissed, undone)
    return await session.scalar(select(func.count()).where(*mine)) or 0


async def same_own(session: AsyncSession, participant_id: int, title: str, day: date) -> Todo | None:
    """A todo of the family's own that was added on that day with the same title."""
    same = (Todo.participant_id == participant_id, Todo.plan_id.is_(None), Todo.title == title, ~Todo.deleted)
    return await session.scalar(select(Todo).where(*same, Todo.created_on == day).limit(1))

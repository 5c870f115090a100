"""Actions on todos, for routes and pages. Each action locks the household, so that actions run one after another."""

from datetime import date, datetime
from typing import Any

from sqlalchemy.ext.asyncio import AsyncSession

from api.kinderbud.action_types import ActionType
from api.kinderbud.auth import Caller
from api.kinderbud.households.queries import locked
from api.kinderbud.streaks.actions import count_day, uncount_day
from api.kinderbud.todos import queries
from api.kinderbud.todos.queries import Seen
from api.kinderbud.todos.rules import When, done_when, snoozed_to, state_of
from api.models import HouseholdParticipant, Todo, TodoAction
from data.catalog.guides import Frequency

CUSTOM = "custom"
MOST_OWN = 200
"""The most open todos of a family's own: more than a family can read in a list."""


class PutAway(ValueError):
    """The todo is dismissed."""


class TooManyTodos(ValueError):
    """The family has reached the limit of its own todos."""


async def add_own(
    session: AsyncSession,
    caller: Caller,
    participant: HouseholdParticipant,
    title: str,
    description: str | None,
    frequency: Frequency,
) -> Todo:
    """Add a todo of the family's own. Raises TooManyTodos."""
    if await queries.own_count(session, caller.household.id) >= MOST_OWN:
        raise TooManyTodos(f"there are {MOST_OWN} todos of your own already; delete or put away some first")
    todo = Todo(
        household_id=caller.household.id,
        participant_id=participant.id,
        source_type=CUSTOM,
        title=title,
        description=description or None,
        frequency=frequency,
        dismissed=False,
        deleted=False,
        created_on=caller.today,
    )
    session.add(todo)
    await session.flush()
    return todo


async def edit_own(session: AsyncSession, todo: Todo, changes: dict[str, Any]) -> None:
    """Change a todo of the family's own. Values that are left out stay; only a description can be emptied. The
    household is locked.
    """
    for name, value in changes.items():
        if name == "description":
            todo.description = value or None
        elif value is not None:
            setattr(todo, name, value)
    await session.flush()


async def delete_own(session: AsyncSession, todo: Todo) -> None:
    """Delete a todo of the family's own; its actions stay in the history. The household is locked."""
    todo.deleted = True
    await session.flush()


async def complete(
    session: AsyncSession, caller: Caller, seen: Seen, notes: str | None, claimed: datetime | None = None
) -> TodoAction:
    """Complete a todo, today or on the day that the client claims. If it is completed already, on that day or
    permanently, that completion is returned, with the earlier time and the later notes. Raises PutAway and TooLongAgo.

    """
    when = done_when(claimed, caller.now, caller.household.time_zone)
    await _alone(session, caller, seen)
    done = await queries.completion_on(session, seen.todo.id, when.day)
    if done is None and seen.frequency is Frequency.ONCE:  # it was completed, on some day
        done = await queries.last_of(session, seen.todo.id, ActionType.COMPLETED)
    if done is not None:
        is_earlier = when.moment < done.created_at
        done.notes = notes if notes is not None and not (is_earlier and done.notes) else done.notes
        await session.flush()
        if is_earlier:
            await _date_back(session, caller, seen.todo, done, when)
        return done
    if seen.todo.dismissed:
        away = await queries.last_of(session, seen.todo.id, ActionType.SKIPPED)
        if away is not None and away.created_at <= when.moment:
            raise PutAway("this todo was put away for good; undo that first")
    action = await _enter(session, caller, seen.todo, ActionType.COMPLETED, when, notes=notes)
    await count_day(session, caller.household.id, when.day)
    return action


async def snooze(
    session: AsyncSession,
    caller: Caller,
    seen: Seen,
    days: int | None,
    reason: str | None,
    claimed: datetime | None = None,
) -> TodoAction:
    """Snooze a todo, from today or from the day that the client claims. A repeat is not a second snooze: one with the
    same claim, or one without a claim while the first is in force. Raises TooLongAgo.
    """
    when = done_when(claimed, caller.now, caller.household.time_zone)
    await _alone(session, caller, seen)
    until = snoozed_to(when.day, days, seen.category)
    same = await queries.snooze_at(session, seen.todo.id, when.moment, until)
    if same is not None and same.reason == reason:
        return same
    if when.moment == caller.now:
        latest = await queries.last_of(session, seen.todo.id, ActionType.SNOOZED)
        is_in_force = latest is not None and latest.snoozed_to == until == seen.todo.snoozed_until
        if latest is not None and is_in_force and (latest.action_date, latest.reason) == (when.day, reason):
            return latest
    return await _enter(session, caller, seen.todo, ActionType.SNOOZED, when, snoozed_to=until, reason=reason)


async def dismiss(
    session: AsyncSession, caller: Caller, seen: Seen, reason: str | None, claimed: datetime | None = None
) -> TodoAction:
    """Dismiss a todo until that is undone. Raises TooLongAgo."""
    when = done_when(claimed, caller.now, caller.household.time_zone)
    await _alone(session, caller, seen)
    latest = await queries.last_of(session, seen.todo.id, ActionType.SKIPPED)
    return latest or await _enter(session, caller, seen.todo, ActionType.SKIPPED, when, reason=reason)


async def undo(session: AsyncSession, caller: Caller, seen: Seen, action_id: int) -> TodoAction | None:
    """Undo an action once, in any order; the todo then follows from the rest of the log. None if there is no such
    action any more.
    """
    await _alone(session, caller, seen)
    action = await queries.undo(session, seen.todo.id, action_id, caller.now)
    if action is not None:
        await _follow_log(session, seen.todo)
        if action.action_type == ActionType.COMPLETED:
            await _uncount(session, caller, action.action_date)
    return action


async def _alone(session: AsyncSession, caller: Caller, seen: Seen) -> None:
    """Wait for other writers of the household, then reload the todo."""
    await locked(session, caller.household.id)
    await session.refresh(seen.todo)


async def _enter(
    session: AsyncSession,
    caller: Caller,
    todo: Todo,
    action_type: ActionType,
    when: When,
    *,
    snoozed_to: date | None = None,
    reason: str | None = None,
    notes: str | None = None,
) -> TodoAction:
    action = TodoAction(
        household_id=caller.household.id,
        todo_id=todo.id,
        action_type=action_type,
        action_date=when.day,
        snoozed_to=snoozed_to,
        reason=reason,
        notes=notes,
        performed_by=caller.user.id,
        created_at=when.moment,
    )
    session.add(action)
    await session.flush()
    await _follow_log(session, todo)
    return action


async def _date_back(session: AsyncSession, caller: Caller, todo: Todo, done: TodoAction, when: When) -> None:
    """Move a completion to an earlier time: another phone was first, and its upload came later."""
    before = done.action_date
    done.created_at, done.action_date = when.moment, when.day
    await session.flush()
    await _follow_log(session, todo)
    if before != when.day:
        await count_day(session, caller.household.id, when.day)
        await _uncount(session, caller, before)


async def _follow_log(session: AsyncSession, todo: Todo) -> None:
    """Update the todo's state from its remaining log."""
    state = state_of(await queries.telling_actions(session, todo.id))
    todo.last_completed_on = state.last_completed_on
    todo.snoozed_until = state.snoozed_until
    todo.dismissed = state.dismissed
    await session.flush()


async def _uncount(session: AsyncSession, caller: Caller, day: date) -> None:
    if not await queries.completions_on(session, caller.household.id, day):
        await uncount_day(session, caller.household.id, day)

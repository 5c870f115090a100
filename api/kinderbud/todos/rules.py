"""The state of a todo on a day: due, done, snoozed, dismissed. It follows from the remaining action log. Pure."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import StrEnum
from typing import Protocol

from api.clock import effective_time
from api.kinderbud.action_types import ActionType
from api.time_zones import local_date
from data.catalog.guides import Category, Frequency

PERIOD_DAYS = {Frequency.DAILY: 1, Frequency.WEEKLY: 7, Frequency.MONTHLY: 30, Frequency.QUARTERLY: 90}
"""How many days after a completion a todo is due again; `once` never is."""
SNOOZE_DAYS = {Category.ACTIVITY: 1, Category.MILESTONE: 7}
"""Default length of a snooze in days."""


DATED_BACK_DAYS = 7
"""How many days ago an action may have been done: a phone that was offline for a week loses nothing,
and earlier weeks do not change."""


class TooLongAgo(ValueError):
    """An action is dated further back than allowed."""


@dataclass(frozen=True)
class When:
    """When an action was done, and on which day of the household."""

    moment: datetime
    day: date


def done_when(claimed: datetime | None, now: datetime, time_zone: str) -> When:
    """The time of an action that arrives now, by the client's claim (`api.clock.effective_time`). A claim for tomorrow
    counts as now. Raises TooLongAgo.
    """
    today, moment = local_date(now, time_zone), effective_time(claimed, now)
    day = local_date(moment, time_zone)
    if day > today:
        return When(now, today)
    if (today - day).days > DATED_BACK_DAYS:
        raise TooLongAgo(f"is {(today - day).days} days ago; an action is dated back by {DATED_BACK_DAYS} at most")
    return When(moment, day)


class Status(StrEnum):
    PENDING = "pending"
    COMPLETED = "completed"
    SNOOZED = "snoozed"
    SKIPPED = "skipped"


class Action(Protocol):
    """An entry of the action log. Entries are ordered by time of action."""

    @property
    def action_type(self) -> str: ...
    @property
    def action_date(self) -> date: ...
    @property
    def snoozed_to(self) -> date | None: ...


@dataclass(frozen=True)
class State:
    """The state that follows from a todo's action log."""

    last_completed_on: date | None = None
    snoozed_until: date | None = None
    dismissed: bool = False


def state_of(remaining: Iterable[Action]) -> State:
    """The state that follows from a todo's remaining actions, in order.
    A completion ends a snooze, a later snooze replaces an earlier one, and a dismissal holds until it is undone.

    """
    completed, snoozed, dismissed = None, None, False
    for action in remaining:
        if action.action_type == ActionType.COMPLETED:
            completed = max(completed or action.action_date, action.action_date)
            snoozed = None
        elif action.action_type == ActionType.SNOOZED:
            snoozed = action.snoozed_to
        else:
            dismissed = True
    return State(completed, snoozed, dismissed)


def is_due(frequency: str, last_completed_on: date | None, today: date) -> bool:
    """Whether a todo of that frequency is due, regardless of snoozes."""
    if last_completed_on is None:
        return True
    period = PERIOD_DAYS.get(Frequency(frequency))
    return period is not None and (today - last_completed_on).days >= period


def is_snoozed(snoozed_until: date | None, today: date) -> bool:
    """Whether a todo is snoozed. On the last day of the snooze it is back."""
    return snoozed_until is not None and today < snoozed_until


def status_on(state: State, today: date, *, rests_when_done: bool) -> Status:
    """The status in a list. `rests_when_done` is true for one-time todos: they stay completed."""
    if state.dismissed:
        return Status.SKIPPED
    done = state.last_completed_on
    if done is not None and (rests_when_done or done >= today):
        return Status.COMPLETED
    return Status.SNOOZED if is_snoozed(state.snoozed_until, today) else Status.PENDING


def overdue(frequency: str, last_completed_on: date | None, created_on: date, today: date) -> float:
    """How overdue a due todo is, in periods: 1 on the day on which it becomes due. A todo that was never done is due
    since its creation. A one-time todo counts as monthly.
    """
    period = PERIOD_DAYS.get(Frequency(frequency), PERIOD_DAYS[Frequency.MONTHLY])
    if last_completed_on is None:
        return 1 + max(0, (today - created_on).days) / period
    return (today - last_completed_on).days / period


def snoozed_to(today: date, days: int | None, category: str) -> date:
    """The day on which a snoozed todo is back."""
    return today + timedelta(days=days or SNOOZE_DAYS[Category(category)])

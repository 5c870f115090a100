"""What belongs to the week after a decision: which context, which summary, and what they say together.

The window of a decision at time t is (t, t + 7 days]. Three rules:

- **Next context**: the first one that the app sends 5 to 10 days after t. The pace of spending and saving is measured
  from the decision's own context to it; where a budget cycle began in between, from the beginning of that cycle.
- **Summary**: `week_key` k of a month is the k-th calendar week, Monday to Sunday, that has a day in the month. What
  joins a decision is the calendar week whose Sunday lies in the window, on the person's calendar: one summary, or the
  two whose days make up the week where a month ends within it.
- **Cut-off**: what arrives later than 14 days after t changes nothing any more. A summary that was sent before its
  last day is no summary of the week yet.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

import numpy as np

from data.reward import SHORTEST_PART_DAYS, Outcome, Reward, reward_of

WINDOW = timedelta(days=7)
NEXT_CONTEXT = (timedelta(days=5), timedelta(days=10))
CUT_OFF = timedelta(days=14)
MONTHS = 12


@dataclass(frozen=True)
class Pace:
    """What two contexts say of the time between them, as shares of the budget cycle; NaN where a cycle began too
    recently to tell."""

    spent_share: float
    saved_share: float
    elapsed_share: float
    budget_used_up: float
    goal_reached: float


def is_next_context(decided_at: datetime, moment: datetime) -> bool:
    """Whether a context that is sent at `moment` can be the next one of a decision."""
    earliest, latest = NEXT_CONTEXT
    return earliest <= moment - decided_at <= latest


def pace_between(before: tuple[date, float, float], after: tuple[date, float, float], cycle_start_day: int) -> Pace:
    """From two contexts: the local date, `budget_used_ratio` and `savings_goal_progress` of each."""
    (first, used, saved), (last, used_after, saved_after) = before, after
    elapsed_before, _ = cycle_position(first, cycle_start_day)
    elapsed, days = cycle_position(last, cycle_start_day)
    anew = days < (last - first).days
    return Pace(
        spent_share=used_after - (0 if anew else used),
        saved_share=saved_after - (0 if anew else saved),
        elapsed_share=math.nan if days < SHORTEST_PART_DAYS else elapsed - (0 if anew else elapsed_before),
        budget_used_up=float(used_after >= 1),
        goal_reached=float(saved_after >= 1),
    )


def cycle_position(day: date, start_day: int) -> tuple[float, int]:
    """Elapsed share of the budget cycle in [0, 1) and whole days since it began, on a day. `start_day` is 1 to 28."""
    began = day.replace(day=start_day)
    if began > day:
        began = (began.replace(day=1) - timedelta(days=1)).replace(day=start_day)
    ends = (began.replace(day=1) + timedelta(days=31)).replace(day=start_day)
    return (day - began).days / (ends - began).days, (day - began).days


def week_of(month_key: int, week_key: int) -> tuple[date, date] | None:
    """The first and last day that summary `week_key` (from 1) of a month YYYYMM covers; None where the month has no
    such week."""
    first = date(month_key // 100, month_key % 100, 1)
    next_month = (first + timedelta(days=31)).replace(day=1)
    monday = first - timedelta(days=first.weekday()) + timedelta(weeks=week_key - 1)
    if monday >= next_month:
        return None
    return max(monday, first), min(monday + timedelta(days=6), next_month - timedelta(days=1))


def summaries_of(monday: date) -> list[tuple[int, int]]:
    """The keys (month_key, week_key) of the summaries that make up the calendar week of a Monday."""
    keys = []
    for day in (monday, monday + timedelta(days=6)):
        first = day.replace(day=1)
        key = (day.year * 100 + day.month, (day.day - 1 + first.weekday()) // 7 + 1)
        if key not in keys:
            keys.append(key)
    return keys


def monday_of(day: date) -> date:
    """The Monday of the calendar week, which is the ISO week."""
    return day - timedelta(days=day.weekday())


def week_that_ends_after(day: date) -> date:
    """The Monday of the calendar week whose Sunday lies in the seven days after a day."""
    return monday_of(day + timedelta(days=1))


def decided_before(monday: date) -> tuple[date, date]:
    """The first and last day on which a decision is joined by the summaries of a Monday's week."""
    return monday - timedelta(days=1), monday + timedelta(days=5)


def reward_of_one(pace: Pace | None, logging_days: int | None) -> Reward:
    """The reward of one outcome; NaN in what was not observed."""
    seen = pace or Pace(*[math.nan] * 5)
    days = math.nan if logging_days is None else float(logging_days)
    return reward_of(_outcome([seen], [days]))


def _outcome(paces: Sequence[Pace], logging_days: Sequence[float]) -> Outcome:
    columns = {name: np.array([getattr(pace, name) for pace in paces]) for name in Pace.__dataclass_fields__}
    return Outcome(**columns, logging_days=np.array(logging_days))

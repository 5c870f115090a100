"""The outcome of the week after a decision: the context and the summaries that belong to it, and their pace.

The window of a decision at time t is (t, t + 7 days]. There are three rules:

- **Next context**: the first one that the app sends 5 to 10 days after t. The pace of spending and saving is measured
  from the decision's own context to the next one. When a budget cycle begins in between, it is measured from the
  beginning of that cycle.
- **Summary**: `week_key` k of a month is the k-th calendar week, Monday to Sunday, that has a day in the month. A
  decision is joined with the calendar week whose Sunday lies in the window, on the person's calendar. That is one
  summary, or two when a month ends within the week.
- **Cut-off**: data that arrive later than 14 days after t change nothing. A summary that is sent before its last day
  does not count as a summary of the week.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta

import numpy as np

from data.rewards.reward import SHORTEST_PART_DAYS, Outcome, Reward, reward_of

NEXT_CONTEXT = (timedelta(days=5), timedelta(days=10))
"""Earliest and latest time of the next context, from the decision."""
CUT_OFF = timedelta(days=14)


@dataclass(frozen=True)
class Pace:
    """Spending and saving between two contexts, as shares of the budget, the goal and the budget cycle.

    `elapsed_share` is NaN when a cycle began less than `SHORTEST_PART_DAYS` before the second context.
    """

    spent_share: float
    saved_share: float
    elapsed_share: float
    budget_used_up: float
    goal_reached: float


def pace_between(before: tuple[date, float, float], after: tuple[date, float, float], cycle_start_day: int) -> Pace:
    """The pace between two contexts, each given as (local date, `budget_used_ratio`, `savings_goal_progress`)."""
    (first, used, saved), (last, used_after, saved_after) = before, after
    elapsed_before, _ = cycle_position(first, cycle_start_day)
    elapsed, days = cycle_position(last, cycle_start_day)
    new_cycle = days < (last - first).days
    return Pace(
        spent_share=used_after - (0 if new_cycle else used),
        saved_share=saved_after - (0 if new_cycle else saved),
        elapsed_share=math.nan if days < SHORTEST_PART_DAYS else elapsed - (0 if new_cycle else elapsed_before),
        budget_used_up=float(used_after >= 1),
        goal_reached=float(saved_after >= 1),
    )


def cycle_position(day: date, start_day: int) -> tuple[float, int]:
    """The elapsed share of the budget cycle in [0, 1) and the whole days since its beginning, on `day`. `start_day` is
    1 to 28."""
    began = day.replace(day=start_day)
    if began > day:
        began = (began.replace(day=1) - timedelta(days=1)).replace(day=start_day)
    ends = (began.replace(day=1) + timedelta(days=31)).replace(day=start_day)
    return (day - began).days / (ends - began).days, (day - began).days


def reward_of_one(pace: Pace | None, logging_days: int | None) -> Reward:
    """The reward of one outcome. A missing `pace` or `logging_days` gives NaN in the parts that depend on it."""
    seen = pace or Pace(*[math.nan] * 5)
    days = math.nan if logging_days is None else float(logging_days)
    return reward_of(_outcome([seen], [days]))


def _outcome(paces: Sequence[Pace], logging_days: Sequence[float]) -> Outcome:
    columns = {name: np.array([getattr(pace, name) for pace in paces]) for name in Pace.__dataclass_fields__}
    return Outcome(**columns, logging_days=np.array(logging_days))

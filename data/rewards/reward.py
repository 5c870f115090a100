"""The definition of the reward: how good was the week after a decision, in [0, 1].

The outcome window of a decision at time t is (t, t + 7 days]. It is measured by the *next context* (the first one 5 to
10 days after t) and by the logging days of the weekly summary. A summary belongs to the decision whose window contains
the summary's last day (`data/rewards/outcomes.py`).

The reward uses the pace *within* the window: the share of the cycle's budget that was spent in it, divided by the share
of the cycle that elapsed in it. When a new cycle begins inside the window, the part since then represents the week. If
that part is shorter than `SHORTEST_PART_DAYS`, the outcome is missing.

The reward uses no amounts, so that currencies do not matter to it. After refunds the spent share of a window can be
negative: such a week scores as the best pace does, and not higher.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

type Column = npt.NDArray[np.float64]

SHORTEST_PART_DAYS = 2
"""Minimum number of days from the beginning of a new cycle to the next context; with fewer the outcome is missing."""


@dataclass(frozen=True)
class RewardSpec:
    """A named and versioned definition of the reward. A pace is actual over planned: 1 means exactly as planned."""

    name: str = "budget-reward/1"
    budget_weight: float = 0.4
    savings_weight: float = 0.4
    logging_weight: float = 0.2
    budget_best: float = 0.8
    """Spending 20 % under plan scores 1. That is the largest change that a lever asks for; less spending scores 1,
    too."""
    budget_worst: float = 1.4
    """Spending 40 % over plan scores 0."""
    savings_best: float = 1.2
    """Saving 20 % over plan scores 1. That is the largest change that a lever asks for; saving nothing scores 0."""
    fewest_logging_days: int = 3
    """With fewer logging days the budget pace scores 0, because low spending may be unlogged spending."""


REWARD = RewardSpec()


@dataclass(frozen=True)
class Outcome:
    """The outcomes of n windows, (n,) each; NaN where a value was not observed."""

    spent_share: Column  # share of the cycle's budget spent in the window
    saved_share: Column  # share of the cycle's saving goal saved in the window
    elapsed_share: Column  # share of the cycle elapsed in the window
    budget_used_up: Column  # 1 where the next budget_used_ratio is 1: spending beyond it is not visible; else 0
    goal_reached: Column  # 1 where the next savings_goal_progress is 1, else 0
    logging_days: Column  # 0 to 7


@dataclass(frozen=True)
class Reward:
    """The components and their weighted sum, (n,) each in [0, 1]; NaN where the outcome was not observed."""

    budget_pace: Column
    savings_pace: Column
    logging: Column
    reward: Column


def reward_of(outcome: Outcome, spec: RewardSpec = REWARD) -> Reward:
    """The reward of each outcome window. Components are linear between the paces that score 0 and 1.

    A budget that is used up scores 0; a goal that is reached scores 1. A NaN in any input makes the reward NaN; missing
    values are never imputed.
    """
    spent = outcome.spent_share / outcome.elapsed_share
    saved = outcome.saved_share / outcome.elapsed_share
    enough_logging = np.where(np.isnan(outcome.logging_days), np.nan, outcome.logging_days >= spec.fewest_logging_days)
    within_budget = np.clip((spec.budget_worst - spent) / (spec.budget_worst - spec.budget_best), 0, 1)
    budget_pace = within_budget * (1 - outcome.budget_used_up) * enough_logging
    savings_pace = np.maximum(np.clip(saved / spec.savings_best, 0, 1), outcome.goal_reached)
    logging = np.clip(outcome.logging_days / 7, 0, 1)
    reward = spec.budget_weight * budget_pace + spec.savings_weight * savings_pace + spec.logging_weight * logging
    return Reward(budget_pace, savings_pace, logging, reward)

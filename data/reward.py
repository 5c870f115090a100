"""The one reward definition: how good was the week after a decision, in [0, 1]?

The outcome window of a decision at time t is (t, t + 7 days]. Two things that the app uploads anyway measure it: the
*next context* (the first one 5 to 10 days after t) and the weekly summary's logging days. `week_key` alone does not
date a week, so a summary joins the decision whose window holds the summary's last day.

What counts is the pace *within* the window: the share of the cycle's budget that was spent in it, over the share of
the cycle that went by in it. Where a new cycle began inside the window the part since then stands for the week; if
that part is shorter than `SHORTEST_PART_DAYS`, the outcome is missing.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

type Column = npt.NDArray[np.float64]

SHORTEST_PART_DAYS = 2
"""A new cycle that began later than this before the next context says nothing about the week."""


@dataclass(frozen=True)
class RewardSpec:
    """A named, versioned reward. Paces are over plan: 1 means exactly as planned."""

    name: str = "budget-reward/1"
    budget_weight: float = 0.4
    savings_weight: float = 0.4
    logging_weight: float = 0.2
    budget_best: float = 0.8
    """Spending 20 % under plan, the most that a lever asks for, scores 1; less brings nothing more."""
    budget_worst: float = 1.4
    """Spending 40 % over plan scores 0."""
    savings_best: float = 1.2
    """Saving 20 % over plan, the most that a lever asks for, scores 1; saving nothing scores 0."""
    fewest_logging_days: int = 3
    """With fewer days, low spending may be spending that nobody wrote down: the budget pace scores 0."""


REWARD = RewardSpec()


@dataclass(frozen=True)
class Outcome:
    """What the window shows, (n,) each; NaN where it was not observed."""

    spent_share: Column  # of the cycle's budget, in the window
    saved_share: Column  # of the cycle's saving goal, in the window
    elapsed_share: Column  # of the cycle, in the window
    budget_used_up: Column  # 1 where the next context says 1: what was spent beyond it cannot be seen
    goal_reached: Column  # 1 where the next context says 1
    logging_days: Column  # 0 to 7


@dataclass(frozen=True)
class Reward:
    """Each component and their weighted sum, (n,) in [0, 1]; NaN where the outcome was not observed."""

    budget_pace: Column
    savings_pace: Column
    logging: Column
    reward: Column


def reward_of(outcome: Outcome, spec: RewardSpec = REWARD) -> Reward:
    """The reward of each outcome window: linear between the paces that score 0 and 1.

    A budget that is used up scores 0, a goal that is reached scores 1. Missing stays missing: a NaN anywhere makes
    the reward NaN, it is never filled in.
    """
    spent = outcome.spent_share / outcome.elapsed_share
    saved = outcome.saved_share / outcome.elapsed_share
    trusted = np.where(np.isnan(outcome.logging_days), np.nan, outcome.logging_days >= spec.fewest_logging_days)
    within_budget = np.clip((spec.budget_worst - spent) / (spec.budget_worst - spec.budget_best), 0, 1)
    budget_pace = within_budget * (1 - outcome.budget_used_up) * trusted
    savings_pace = np.maximum(np.clip(saved / spec.savings_best, 0, 1), outcome.goal_reached)
    logging = np.clip(outcome.logging_days / 7, 0, 1)
    reward = spec.budget_weight * budget_pace + spec.savings_weight * savings_pace + spec.logging_weight * logging
    return Reward(budget_pace, savings_pace, logging, reward)

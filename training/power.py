"""How large must a confirm phase be? Planned by a formula, which docs/science.md checks by simulation."""

from dataclasses import dataclass

import numpy as np
from scipy import stats

from coach_model.budget.study import CONFIRM_EPSILON
from training.evidence import LEVEL, MINIMUM_RELEVANT_DIFFERENCE

RESIDUAL_SD = 0.21
"""Of the reward around q̂, within a round: what the simulator leaves (docs/science.md)."""
OBSERVED = 0.8
"""Share of outcomes that are observed."""
KEEPS_ASKING = 0.8
"""Share of participants and weeks with a decision: some do not open the app, some leave."""
ELIGIBLE = 3
"""Levels that a lever may usually take."""
LEVERS = 3


@dataclass(frozen=True)
class Plan:
    """A confirm phase and what it can show."""

    participants: int
    weeks: int
    difference: float
    differ_share: float
    error: float
    """Standard error of the paired difference."""
    power: float


def confirm_plan(
    participants: int,
    weeks: int,
    *,
    difference: float = MINIMUM_RELEVANT_DIFFERENCE,
    differ_share: float = 0.6,
    residual_sd: float = RESIDUAL_SD,
    epsilon: float = CONFIRM_EPSILON,
    observed: float = OBSERVED,
    asking: float = KEEPS_ASKING,
    level: float = LEVEL,
) -> Plan:
    """What so many participants and weeks can show:

        SE ≈ σ √(E[1{c≠r} (1/p_c + 1/p_r)] / n T)

    where a policy that differs in one lever is drawn with the probability below, and n T are the observed rounds.
    """
    own = 1 - epsilon + epsilon / ELIGIBLE
    drawn = (own**LEVERS + own ** (LEVERS - 1) * epsilon / ELIGIBLE) / 2
    rounds = participants * weeks * asking * observed
    error = residual_sd * float(np.sqrt(differ_share * 2 / drawn / rounds))
    power = float(stats.norm.sf(stats.norm.ppf(1 - level) - difference / error))
    return Plan(participants, weeks, difference, differ_share, error, power)


def participants_for(weeks: int, *, power: float = 0.9, **plan: float) -> int:
    """The fewest participants with at least that power; `plan` as `confirm_plan` takes it."""
    low, high = 2, 10_000_000
    while low < high:
        middle = (low + high) // 2
        low, high = (low, middle) if confirm_plan(middle, weeks, **plan).power >= power else (middle + 1, high)
    return low

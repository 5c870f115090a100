"""The size of a confirm phase, planned by a formula. docs/science.md checks the formula by simulation."""

from dataclasses import dataclass

import numpy as np
from scipy import stats

from coach_model.budget.study import CONFIRM_EPSILON
from training.budget.guardrails import MINIMUM_RELEVANT_DIFFERENCE
from training.budget.segments import LEVEL

RESIDUAL_SD = 0.21
"""Standard deviation of a round's reward around q̂ in the simulator (docs/science.md)."""
OBSERVED = 0.8
"""Share of observed outcomes."""
KEEPS_ASKING = 0.8
"""Share of participant weeks with a decision; in the others the app is not opened or the participant has left."""
ELIGIBLE = 3
"""Usual number of eligible levels of a lever."""
LEVERS = 3


@dataclass(frozen=True)
class Plan:
    """A planned confirm phase and its power."""

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
    """The standard error and the power of a confirm phase:

        SE ≈ σ √(E[1{c≠r} (1/p_c + 1/p_r)] / n T)

    where n T is the number of observed rounds. p_c and p_r are computed for policies that differ in one lever.
    """
    own = 1 - epsilon + epsilon / ELIGIBLE
    drawn = (own**LEVERS + own ** (LEVERS - 1) * epsilon / ELIGIBLE) / 2
    rounds = participants * weeks * asking * observed
    error = residual_sd * float(np.sqrt(differ_share * 2 / drawn / rounds))
    power = float(stats.norm.sf(stats.norm.ppf(1 - level) - difference / error))
    return Plan(participants, weeks, difference, differ_share, error, power)


def participants_for(weeks: int, *, power: float = 0.9, **plan: float) -> int:
    """The smallest number of participants with at least this power; `plan` holds arguments of `confirm_plan`."""
    low, high = 2, 10_000_000
    while low < high:
        middle = (low + high) // 2
        low, high = (low, middle) if confirm_plan(middle, weeks, **plan).power >= power else (middle + 1, high)
    return low

"""The size of a confirm phase by a formula for the bound alone. docs/science.md checks it by simulation, and
`training.trials.gate_power` simulates the whole gate."""

from dataclasses import dataclass

import numpy as np
from scipy import stats

from coach_model.budget.study import CONFIRM_EPSILON
from training.budget.guardrails import MINIMUM_RELEVANT_DIFFERENCE
from training.budget.segments import LEVEL
from training.ope.overlap import LARGEST_PARTICIPANT_SHARE, SMALLEST_EFFECTIVE_SAMPLE

RESIDUAL_SD = 0.21
"""Standard deviation of a round's reward around q̂ in the simulator (docs/science.md)."""
OBSERVED = 0.8
"""Share of observed outcomes."""
KEEPS_ASKING = 0.8
"""Share of participant weeks with a decision; in the others the app is not opened or the participant has left."""
ELIGIBLE = 3
"""Usual number of eligible levels of a lever."""
LEVERS = 3
EVEN_SHARE = 2.0
"""How many times the even share the largest share of the weight is, about."""


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
    """Of the bound alone."""
    effective_sample_size: float
    """Expected, in observed rounds where the policies differ; the gate needs 100."""
    problems: list[str]
    """Why the gate would refuse such a study for lack of overlap."""


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
    size = rounds * differ_share * drawn  # weights are 1 / drawn in a share `drawn` of the rounds, else 0
    problems = []
    if size < SMALLEST_EFFECTIVE_SAMPLE:
        problems.append(
            f"an effective sample size of about {size:.0f} where the policies differ; {SMALLEST_EFFECTIVE_SAMPLE} are "
            "needed"
        )
    if participants * LARGEST_PARTICIPANT_SHARE < EVEN_SHARE:
        problems.append(
            f"a participant of {participants} has more than {LARGEST_PARTICIPANT_SHARE:.0%} of the weight; about "
            f"{int(np.ceil(EVEN_SHARE / LARGEST_PARTICIPANT_SHARE))} are needed"
        )
    return Plan(participants, weeks, difference, differ_share, error, power, size, problems)


def participants_for(weeks: int, *, power: float = 0.9, **plan: float) -> int:
    """The smallest number of participants with at least this power of the bound, and with enough overlap; `plan` holds
    arguments of `confirm_plan`."""
    low, high = 2, 10_000_000
    while low < high:
        middle = (low + high) // 2
        found = confirm_plan(middle, weeks, **plan)
        low, high = (low, middle) if found.power >= power and not found.problems else (middle + 1, high)
    return low

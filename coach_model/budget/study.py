"""How a study draws decisions at random. The known probabilities make it possible to estimate other policies' values.

There are two phases. *Explore*: each lever is drawn from the base level mixed with uniform noise. *Confirm*: a fair
coin chooses the rules or the frozen candidate, each with a little noise. The service and the simulator both use this
module.
"""

from dataclasses import dataclass
from enum import StrEnum

import numpy as np
import numpy.typing as npt

from coach_model.budget.actions import LEVELS, Eligible, Levels
from coach_model.exploration import Distributions, draw, explored, joint_probability, one_hot, uniform

EXPLORE_EPSILON = 0.4
CONFIRM_EPSILON = 0.1
COIN = "component"
"""Label of the random number that chooses the component in a confirm phase. Each lever has a label of its own."""
FAIR = 0.5


class Phase(StrEnum):
    """The phases of a study, in order."""

    EXPLORE = "explore"
    CONFIRM = "confirm"


@dataclass(frozen=True)
class Drawn:
    """Drawn decisions with their exact probabilities."""

    levels: Levels  # (n, 3)
    distributions: Distributions  # (n, 3, 5) of the component that was drawn
    propensity: npt.NDArray[np.float64]  # (n,) of the three levels together, under the mixture
    from_candidate: npt.NDArray[np.bool_]  # (n,) the component; always False in the explore phase


def explore(seeds: list[str], base: Levels, eligible: Eligible, epsilon: float = EXPLORE_EPSILON) -> Drawn:
    """Draw from the `base` levels (n, 3) mixed with uniform noise over the eligible levels (n, 3, 5)."""
    distributions = explored(one_hot(base, len(LEVELS)), eligible, epsilon)
    levels = draw(seeds, distributions)
    return Drawn(levels, distributions, joint_probability(distributions, levels), np.zeros(len(seeds), dtype=bool))


def confirm(
    seeds: list[str], rules: Levels, candidate: Levels, eligible: Eligible, epsilon: float = CONFIRM_EPSILON
) -> Drawn:
    """Draw from a mixture of half rules and half candidate, (n, 3) each. The propensity is that of the mixture."""
    components = [explored(one_hot(levels, len(LEVELS)), eligible, epsilon) for levels in (rules, candidate)]
    from_candidate = np.array([uniform(seed, COIN) >= FAIR for seed in seeds], dtype=bool)
    distributions = np.where(from_candidate[:, None, None], components[1], components[0])
    levels = draw(seeds, distributions)
    propensity = sum(joint_probability(component, levels) for component in components) / 2
    return Drawn(levels, distributions, np.asarray(propensity), from_candidate)

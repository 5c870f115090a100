"""The rules of the budget coach: a table of conditions. The rules work without any learned policy.

Each condition that holds moves one lever by whole levels away from "hold". The sum of the moves is then limited to the
eligible levels. The table is data: Python, the ONNX graph and the documentation all use it. The signs of the moves keep
each lever monotone: a higher `wants_share`, all else equal, never loosens wants.
"""

from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from coach_model.budget.actions import (
    HOLD,
    LEVELS,
    LEVERS,
    PREVIOUS,
    Eligible,
    Levels,
    eligible_levels,
    essential_shares,
)
from coach_model.budget.context import FEATURES, Contexts

RULES_VERSION = "budget-rules/1"
ESSENTIALS = "needs_share + unexpected_share"
"""The only derived quantity that conditions may use."""
QUANTITIES = (*FEATURES, ESSENTIALS)


@dataclass(frozen=True)
class Condition:
    """Moves `lever` by `move` levels when every quantity reaches its `at_least` and stays under its `below`."""

    lever: str
    move: int
    at_least: dict[str, float] = field(default_factory=dict)
    below: dict[str, float] = field(default_factory=dict)


CONDITIONS = (
    Condition("wants", -1, at_least={"budget_used_ratio": 0.9}),
    Condition("wants", -1, at_least={"wants_share": 0.30}),
    Condition("wants", -1, at_least={"wants_share": 0.40}),
    Condition("wants", +1, below={"wants_share": 0.15, "budget_used_ratio": 0.5}),
    Condition("culture", -1, at_least={"budget_used_ratio": 0.9}),
    Condition("culture", -1, at_least={"culture_share": 0.20}),
    Condition("culture", +1, below={"culture_share": 0.06, "budget_used_ratio": 0.75}),
    Condition("savings", -1, at_least={ESSENTIALS: 0.70}),
    Condition("savings", -1, at_least={"unexpected_share": 0.15}),
    Condition("savings", +1, below={ESSENTIALS: 0.50, "budget_used_ratio": 0.75}),
)

# The same table as matrices, for m comparisons `quantity >= threshold` and c conditions. A condition needs a comparison
# to be true (+1), false (-1) or does not use it (0); it holds when the signed sum equals its number of `at_least`.
COMPARED = tuple(dict.fromkeys((q, t) for c in CONDITIONS for q, t in (*c.at_least.items(), *c.below.items())))
THRESHOLDS = np.array([threshold for _, threshold in COMPARED], dtype=np.float32)
COMPARED_COLUMNS = np.array([QUANTITIES.index(quantity) for quantity, _ in COMPARED])
CONDITION_SIGNS = np.array(
    [[(pair in c.at_least.items()) - (pair in c.below.items()) for c in CONDITIONS] for pair in COMPARED],
    dtype=np.float32,
)
REQUIRED_SUMS = np.array([len(c.at_least) for c in CONDITIONS], dtype=np.float32)
MOVES = np.array([[c.move * (c.lever == lever) for lever in LEVERS] for c in CONDITIONS], dtype=np.float32)


def fired_conditions(contexts: Contexts) -> npt.NDArray[np.bool_]:
    """(n, c): the conditions that hold."""
    quantities = np.concatenate([contexts, essential_shares(contexts)[:, None]], axis=1)
    reached = (quantities[:, COMPARED_COLUMNS] >= THRESHOLDS).astype(np.float32)
    fired: npt.NDArray[np.bool_] = reached @ CONDITION_SIGNS == REQUIRED_SUMS
    return fired


def requested_levels(fired: npt.NDArray[np.bool_]) -> Levels:
    """(n, 3): the levels that the conditions ask for, before they are limited to the eligible ones."""
    return np.clip(HOLD + fired.astype(np.float32) @ MOVES, 0, len(LEVELS) - 1).astype(np.int64)


def rules_levels(contexts: Contexts) -> Levels:
    """(n, 3): the eligible level nearest to what the conditions ask for."""
    return nearest_eligible(requested_levels(fired_conditions(contexts)), eligible_levels(contexts))


def rules_because(contexts: Contexts) -> list[list[list[str]]]:
    """For each row and lever, the features of the conditions that hold. Where eligibility limited the move, the
    previous level of the lever is added."""
    fired = fired_conditions(contexts)
    requested = requested_levels(fired)
    held_back = requested != nearest_eligible(requested, eligible_levels(contexts))
    return [
        [_features_behind(fired[row], lever, bool(held_back[row, lever])) for lever in range(len(LEVERS))]
        for row in range(len(contexts))
    ]


def _features_behind(fired: npt.NDArray[np.bool_], lever: int, held_back: bool) -> list[str]:
    features = [
        feature
        for condition, holds in zip(CONDITIONS, fired, strict=True)
        if holds and condition.lever == LEVERS[lever]
        for quantity in (*condition.at_least, *condition.below)
        for feature in quantity.split(" + ")
    ]
    if held_back:
        features.append(FEATURES[PREVIOUS.start + lever])
    return list(dict.fromkeys(features))


def nearest_eligible(requested: Levels, eligible: Eligible) -> Levels:
    """The eligible level nearest to each requested one. `eligible` has one more axis than `requested`: the levels."""
    lowest = eligible.argmax(axis=-1)
    highest = len(LEVELS) - 1 - eligible[..., ::-1].argmax(axis=-1)
    return np.clip(requested, lowest, highest)

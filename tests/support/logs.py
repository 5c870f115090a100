"""Small logs for tests."""

import numpy as np

from data.logs.budget import BudgetLog

TWO = np.array([0.5, 0.5, 0, 0, 0])


def hand_made(levels: list[list[int]], reward: list[float], participant: list[int]) -> BudgetLog:
    """A log with two levels of each lever, each drawn with probability 0.5."""
    n = len(levels)
    nothing = np.full(n, np.nan)
    return BudgetLog(
        context=np.full((n, 10), 0.5, dtype=np.float32),
        eligible=np.tile(TWO > 0, (n, 3, 1)),
        action=np.array(levels),
        distributions=np.tile(TWO, (n, 3, 1)),
        behavior=np.tile(TWO, (n, 3, 1)),
        rules=np.zeros((n, 3), dtype=np.int64),
        candidate=np.full((n, 3), -1),
        epsilon=np.ones(n),
        propensity=np.full(n, 0.125),
        reward=np.array(reward),
        participant=np.array(participant),
        study=np.full(n, "study"),
        week=np.arange(n),
        learns=np.zeros(n, dtype=bool),
        phase=np.full(n, "confirm"),
        component=np.full(n, "rules"),
        candidate_id=np.full(n, "candidate"),
        logging_days=nothing,
        next_needs_share=nothing,
        stays=nothing,
        income_range=nothing,
        user_profile=np.full(n, ""),
    )

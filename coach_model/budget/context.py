"""The context of the budget coach: ten numbers in [0, 1], in this order, as float32.

Shares are shares of the money available in the last four weeks (income after fixed costs). Their sum is usually below
one, because the rest was saved. `prev_*_adj` are the levels that the app shows now.
"""

import numpy as np
import numpy.typing as npt

type Contexts = npt.NDArray[np.float32]
"""(n, 10) float32, each in [0, 1], columns as `FEATURES`."""

SCHEMA_VERSION = "budget-context/1"

FEATURES = (
    "budget_used_ratio",
    "needs_share",
    "wants_share",
    "culture_share",
    "unexpected_share",
    "savings_goal_progress",
    "prev_w_adj",
    "prev_c_adj",
    "prev_s_adj",
    "risk_profile",
)

COLUMN = {name: index for index, name in enumerate(FEATURES)}


def validated(contexts: npt.ArrayLike) -> Contexts:
    """`contexts` as float32 (n, 10).

    Raises ValueError with the row and the feature when a value is missing, not finite or outside [0, 1].
    """
    array = np.asarray(contexts, dtype=np.float32)
    if array.shape[1:] != (len(FEATURES),):
        raise ValueError(f"contexts have shape {array.shape}, expected (n, {len(FEATURES)})")
    bad = np.argwhere(~((array >= 0) & (array <= 1)))  # NaN fails both comparisons
    if len(bad):
        row, column = bad[0]
        raise ValueError(f"row {row}: {FEATURES[column]} is {array[row, column]}, expected a number in [0, 1]")
    return array

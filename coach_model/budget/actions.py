"""What the budget coach may do: three levers, five levels each, and which levels are eligible in a context.

Every threshold is compared in float32, as the ONNX graph does, so that both always agree.
"""

from bisect import bisect_right
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from coach_model.budget.context import COLUMN, Contexts

type Levels = npt.NDArray[np.int64]
"""(n, 3) int64: an index into `LEVELS` for each lever."""
type Eligible = npt.NDArray[np.bool_]
"""(n, 3, 5) bool: which levels each lever may take."""

SCHEMA_VERSION = "budget-levels/1"

LEVERS = ("wants", "culture", "savings")
LEVELS = np.array([0.0, 0.25, 0.5, 0.75, 1.0], dtype=np.float32)
CHANGE_PERCENT = (-20, -10, 0, 10, 20)
HOLD = 2
"""Index of the level that changes nothing."""

SNAP_EDGES = np.array([0.125, 0.375, 0.625, 0.875], dtype=np.float32)
"""A previous adjustment is snapped to the nearest level; a tie goes up."""
PREVIOUS = slice(COLUMN["prev_w_adj"], COLUMN["prev_s_adj"] + 1)

BUDGET_NEARLY_USED = float(np.float32(0.9))
"""From this `budget_used_ratio` on, wants and culture are not loosened further."""
ESSENTIALS_HEAVY = float(np.float32(0.8))
"""From this share of needs and unexpected together on, savings are not raised further."""


def _eligibility_table() -> Eligible:
    """(2, 5, 5): by tight or not, by previous level, by level."""
    level = np.arange(len(LEVELS))
    previous = level[:, None]
    one_step = np.abs(level - previous) <= 1
    no_looser = level <= np.maximum(HOLD, previous - 1)
    return np.stack([one_step, one_step & no_looser])


ELIGIBILITY_TABLE = _eligibility_table()


def previous_levels(contexts: Contexts) -> Levels:
    """(n, 3): the levels that are in force, snapped."""
    return np.searchsorted(SNAP_EDGES, contexts[:, PREVIOUS], side="right")


def tight(contexts: Contexts) -> npt.NDArray[np.int64]:
    """(n, 3): 1 where money is too tight for a looser level of that lever."""
    budget = contexts[:, COLUMN["budget_used_ratio"]] >= np.float32(BUDGET_NEARLY_USED)
    essentials = essential_shares(contexts) >= np.float32(ESSENTIALS_HEAVY)
    return np.stack([budget, budget, essentials], axis=1).astype(np.int64)


def essential_shares(contexts: Contexts) -> npt.NDArray[np.float32]:
    """(n,): needs and unexpected together, added in float32."""
    shares: npt.NDArray[np.float32] = contexts[:, COLUMN["needs_share"]] + contexts[:, COLUMN["unexpected_share"]]
    return shares


def eligible_levels(contexts: Contexts) -> Eligible:
    """(n, 3, 5): the levels that the coach may choose; never empty, always a run without gaps."""
    mask: Eligible = ELIGIBILITY_TABLE[tight(contexts), previous_levels(contexts)]
    return mask


_EDGES = [float(edge) for edge in SNAP_EDGES]
_ROWS: list[list[list[bool]]] = ELIGIBILITY_TABLE.tolist()


def eligible_levels_of(context: Sequence[float], essentials: float) -> tuple[list[bool], list[bool], list[bool]]:
    """The same for one context, a row of `contexts.tolist()`; `essentials` is its needs and unexpected share, added in
    float32. Ten times as fast as arrays of one row, for the one answer that a person waits for."""
    spending = _ROWS[context[COLUMN["budget_used_ratio"]] >= BUDGET_NEARLY_USED]
    saving = _ROWS[essentials >= ESSENTIALS_HEAVY]
    wants, culture, savings = context[PREVIOUS]
    return (
        spending[bisect_right(_EDGES, wants)],
        spending[bisect_right(_EDGES, culture)],
        saving[bisect_right(_EDGES, savings)],
    )

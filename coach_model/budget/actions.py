"""The action space of the budget coach: three levers, five levels each, and the levels that a context allows.

Every threshold is compared in float32. The ONNX graph does the same, so both always agree.
"""

from bisect import bisect_right
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from coach_model.budget.context import COLUMN, Contexts

type Levels = npt.NDArray[np.int64]
"""(n, 3) int64: an index into `LEVELS` for each lever."""
type Eligible = npt.NDArray[np.bool_]
"""(n, 3, 5) bool: the levels that each lever may take."""

SCHEMA_VERSION = "budget-levels/1"

LEVERS = ("wants", "culture", "savings")
LEVELS = np.array([0.0, 0.25, 0.5, 0.75, 1.0], dtype=np.float32)
CHANGE_PERCENT = (-20, -10, 0, 10, 20)
HOLD = 2
"""Index of the level that changes nothing."""

SNAP_EDGES = np.array([0.125, 0.375, 0.625, 0.875], dtype=np.float32)
"""Limits between levels: a previous adjustment is rounded to the nearest level; a tie is rounded up."""
PREVIOUS = slice(COLUMN["prev_w_adj"], COLUMN["prev_s_adj"] + 1)

BUDGET_NEARLY_USED = float(np.float32(0.9))
"""Wants and culture are not loosened further when `budget_used_ratio` is at least this."""
ESSENTIALS_HEAVY = float(np.float32(0.8))
"""Savings are not raised further when the shares of needs and unexpected add up to at least this."""


def _eligibility_table() -> Eligible:
    """(2, 5, 5) bool, indexed by [tight, previous level, level]."""
    level = np.arange(len(LEVELS))
    previous = level[:, None]
    one_step = np.abs(level - previous) <= 1
    no_looser = level <= np.maximum(HOLD, previous - 1)
    return np.stack([one_step, one_step & no_looser])


ELIGIBILITY_TABLE = _eligibility_table()


def previous_levels(contexts: Contexts) -> Levels:
    """(n, 3): the levels that are in force, rounded to the nearest level."""
    return np.searchsorted(SNAP_EDGES, contexts[:, PREVIOUS], side="right")


def tight(contexts: Contexts) -> npt.NDArray[np.int64]:
    """(n, 3): 1 where too little money is left for a looser level of the lever, else 0."""
    used, essentials = contexts[:, COLUMN["budget_used_ratio"]], essential_shares(contexts)
    found = np.empty((len(contexts), len(LEVERS)), dtype=np.int64)
    found[:, 0] = found[:, 1] = used >= np.float32(BUDGET_NEARLY_USED)
    found[:, 2] = essentials >= np.float32(ESSENTIALS_HEAVY)
    return found


def essential_shares(contexts: Contexts) -> npt.NDArray[np.float32]:
    """(n,) float32: the sum of the needs share and the unexpected share."""
    shares: npt.NDArray[np.float32] = contexts[:, COLUMN["needs_share"]] + contexts[:, COLUMN["unexpected_share"]]
    return shares


def eligible_levels(contexts: Contexts) -> Eligible:
    """(n, 3, 5): the levels that the coach may choose: for each lever at least one, always consecutive levels."""
    mask: Eligible = ELIGIBILITY_TABLE[tight(contexts), previous_levels(contexts)]
    return mask


_EDGES = [float(edge) for edge in SNAP_EDGES]
_ELIGIBILITY_ROWS: list[list[list[bool]]] = ELIGIBILITY_TABLE.tolist()


def eligible_levels_of(context: Sequence[float], essentials: float) -> tuple[list[bool], list[bool], list[bool]]:
    """The eligible levels of one context, by lever. `context` is a row of `contexts.tolist()`; `essentials` is the
    row's value of `essential_shares`.

    For one row it is about ten times as fast as `eligible_levels`, and a request has one row.
    """
    spending = _ELIGIBILITY_ROWS[context[COLUMN["budget_used_ratio"]] >= BUDGET_NEARLY_USED]
    saving = _ELIGIBILITY_ROWS[essentials >= ESSENTIALS_HEAVY]
    wants, culture, savings = context[PREVIOUS]
    return (
        spending[bisect_right(_EDGES, wants)],
        spending[bisect_right(_EDGES, culture)],
        saving[bisect_right(_EDGES, savings)],
    )

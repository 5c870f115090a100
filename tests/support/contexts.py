"""Contexts for tests: hypothesis strategies that favour the thresholds, and millions of random ones."""

import numpy as np
from hypothesis import strategies as st
from hypothesis.extra import numpy as npst

from coach_model.budget.actions import BUDGET_NEARLY_USED, ESSENTIALS_HEAVY, SNAP_EDGES
from coach_model.budget.context import FEATURES, Contexts
from coach_model.budget.rules import THRESHOLDS

EDGES = sorted(
    {float(edge) for edge in (*SNAP_EDGES, *THRESHOLDS, BUDGET_NEARLY_USED, ESSENTIALS_HEAVY, 0.0, 0.5, 1.0)}
)


def neighbours(value: float) -> list[float]:
    """The float32 itself and the ones just below and above, within [0, 1]."""
    exact = np.float32(value)
    around = (np.nextafter(exact, np.float32(-1)), exact, np.nextafter(exact, np.float32(2)))
    return [float(v) for v in around if 0 <= v <= 1]


shares = st.one_of(st.floats(0, 1, width=32), st.sampled_from([near for edge in EDGES for near in neighbours(edge)]))


def contexts(rows: int = 1) -> st.SearchStrategy[Contexts]:
    """(rows, 10) contexts, often exactly on a threshold or one float beside it."""
    return npst.arrays(np.float32, (rows, len(FEATURES)), elements=shares)


def random_contexts(count: int, seed: int, around: Contexts | None = None) -> Contexts:
    """`count` contexts: half uniform, a quarter on thresholds, the rest near the rows of `around` if given."""
    rng = np.random.default_rng(seed)
    drawn = rng.random((count, len(FEATURES)), dtype=np.float32)
    near = np.array([n for edge in EDGES for n in neighbours(edge)], dtype=np.float32)
    quarter = count // 4
    drawn[:quarter] = near[rng.integers(0, len(near), (quarter, len(FEATURES)))]
    if around is not None:
        rows = around[rng.integers(0, len(around), quarter)] + rng.normal(0, 0.03, (quarter, len(FEATURES)))
        drawn[quarter : 2 * quarter] = np.clip(rows, 0, 1).round(4)
    return drawn

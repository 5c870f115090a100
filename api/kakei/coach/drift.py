"""How unlike the people whom the policy was learned from are those who ask it now?"""

from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from coach_model.budget.context import FEATURES, Contexts

FEWEST_CONTEXTS = 500
"""Below it the index says more about chance than about people."""
SMALLEST_COUNT = 0.5
"""Stands for an empty tenth, so that its logarithm exists."""
SUPPRESSED_COUNT = 2.0
"""Stands for a tenth that the card does not tell, since it holds fewer than five contexts."""


class Drift:
    """Counts contexts by feature and tenth of [0, 1], as the card of a policy does for its training."""

    def __init__(self, card: Mapping[str, Any]) -> None:
        self._training = _training_counts(card.get("training_contexts"))
        self._bins = self._training.shape[-1] if self._training.size else 0
        self._counts = np.zeros_like(self._training)
        self._offsets = np.arange(len(FEATURES)) * self._bins

    def count(self, contexts: Contexts) -> None:
        """Some more contexts (n, 10) were decided for."""
        if not self._bins:
            return
        tenths = np.minimum((contexts * self._bins).astype(np.int64), self._bins - 1)
        seen = np.bincount((tenths + self._offsets).ravel(), minlength=self._counts.size)
        self._counts += seen.reshape(self._counts.shape)

    def index(self) -> dict[str, float]:
        """By feature the population stability index Σ (p - q) ln(p / q) of those who ask, p, and the training, q;
        nothing before there are enough. By custom 0.1 is worth a look and 0.25 a new training."""
        if not self._bins or self._counts[0].sum() < FEWEST_CONTEXTS:
            return {}
        asked, trained = _shares(self._counts), _shares(self._training)
        found = ((asked - trained) * np.log(asked / trained)).sum(axis=1)
        return dict(zip(FEATURES, found.tolist(), strict=True))


def _training_counts(cells: Any) -> npt.NDArray[np.float64]:
    """(10, bins); empty where a card does not tell, or tells otherwise: without drift there is still a coach."""
    try:
        rows = [[SUPPRESSED_COUNT if cell is None else float(cell) for cell in cells[name]] for name in FEATURES]
        return np.array(rows, dtype=np.float64)
    except (TypeError, ValueError, KeyError):
        return np.zeros(0)


def _shares(counts: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    filled = np.maximum(counts, SMALLEST_COUNT)
    return np.asarray(filled / filled.sum(axis=1, keepdims=True))

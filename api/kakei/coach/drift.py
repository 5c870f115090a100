"""Measures the drift between the contexts of the training and the requested ones."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from coach_model.budget.context import FEATURES, Contexts

FEWEST_CONTEXTS = 500
"""Contexts below which the index is mostly noise."""
SMALLEST_COUNT = 0.5
"""Replaces an empty bin, so that its logarithm exists."""
SUPPRESSED_COUNT = 2.0
"""Replaces a bin that the card suppresses, because it holds fewer than five contexts."""


class Drift:
    """Counts contexts by feature and tenth of [0, 1], like the card of a policy does for its training."""

    def __init__(self, card: Mapping[str, Any]) -> None:
        self._training = _training_counts(card.get("training_contexts"))
        self._bins = self._training.shape[-1] if self._training.size else 0
        self._counts = np.zeros_like(self._training)
        self._offsets = np.arange(len(FEATURES)) * self._bins

    def count(self, contexts: Contexts) -> None:
        """Count contexts (n, 10) that were decided."""
        if not self._bins:
            return
        tenths = np.minimum((contexts * self._bins).astype(np.int64), self._bins - 1)
        seen = np.bincount((tenths + self._offsets).ravel(), minlength=self._counts.size)
        self._counts += seen.reshape(self._counts.shape)

    def index(self) -> dict[str, float]:
        """By feature the population stability index Σ (p - q) ln(p / q) of requests, p, and training, q; empty until
        there are enough contexts. By convention 0.1 calls for a check and 0.25 for a new training."""
        if not self._bins or self._counts[0].sum() < FEWEST_CONTEXTS:
            return {}
        asked, trained = _shares(self._counts), _shares(self._training)
        found = ((asked - trained) * np.log(asked / trained)).sum(axis=1)
        return dict(zip(FEATURES, found.tolist(), strict=True))


def _training_counts(cells: Any) -> npt.NDArray[np.float64]:
    """(10, bins); empty if the card has no valid counts, so that the coach works without drift monitoring."""
    try:
        rows = [[SUPPRESSED_COUNT if cell is None else float(cell) for cell in cells[name]] for name in FEATURES]
        return np.array(rows, dtype=np.float64)
    except (TypeError, ValueError, KeyError):
        return np.zeros(0)


def _shares(counts: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    filled = np.maximum(counts, SMALLEST_COUNT)
    return np.asarray(filled / filled.sum(axis=1, keepdims=True))

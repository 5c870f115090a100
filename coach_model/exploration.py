"""Randomised decisions whose probabilities are exact and whose draws replay bit for bit.

A draw needs no generator's state: lever l of the decision with seed s takes the level at which the cumulated
probabilities pass a uniform number that is read off SHA-256 of "s/l". Anyone can repeat it in any language.
"""

import hashlib

import numpy as np
import numpy.typing as npt

type Distributions = npt.NDArray[np.float64]
"""(n, l, k): a distribution over k levels for each of l levers; rows sum to 1."""


def decision_seed(decision_id: str) -> str:
    """The pre-draw seed of a decision: 32 hex characters derived from its id."""
    return hashlib.sha256(f"seed/{decision_id}".encode()).hexdigest()[:32]


def uniform(seed: str, label: int | str) -> float:
    """A number in [0, 1) with 53 bits, read off the seed and a label."""
    return (int.from_bytes(hashlib.sha256(f"{seed}/{label}".encode()).digest()[:8]) >> 11) * 2.0**-53


def draw(seeds: list[str], distributions: Distributions) -> npt.NDArray[np.int64]:
    """(n, l): one level for each lever, drawn independently."""
    levers = distributions.shape[1]
    numbers = np.array([[uniform(seed, lever) for lever in range(levers)] for seed in seeds]).reshape(-1, levers)
    cumulated = distributions.cumsum(axis=2)
    drawn = (numbers[:, :, None] >= cumulated).sum(axis=2)
    last = distributions.shape[2] - 1 - (distributions[:, :, ::-1] > 0).argmax(axis=2)
    return np.minimum(drawn, last)  # a sum of 1 - 1e-16 must not draw a level of probability 0


def one_hot(levels: npt.NDArray[np.int64], count: int) -> Distributions:
    """(n, l, k): the deterministic distributions that put all mass on `levels` (n, l)."""
    return np.eye(count)[levels]


def explored(
    distributions: Distributions, eligible: npt.NDArray[np.bool_], epsilon: float | npt.NDArray[np.float64]
) -> Distributions:
    """Each lever mixed with uniform noise over its eligible levels: (1 - ε) π + ε / |E|; ε may be (n, 1, 1)."""
    return (1 - epsilon) * distributions + epsilon * eligible / eligible.sum(axis=2, keepdims=True)


def joint_probability(distributions: Distributions, levels: npt.NDArray[np.int64]) -> npt.NDArray[np.float64]:
    """(n,): the product of the levers' probabilities of `levels` (n, l)."""
    chosen = np.take_along_axis(distributions, levels[:, :, None], axis=2)[:, :, 0]
    return np.asarray(chosen.prod(axis=1))

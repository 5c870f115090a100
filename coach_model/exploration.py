"""Randomised decisions with exact probabilities. Every draw can be repeated bit for bit.

A draw does not depend on the state of a random generator. Lever l of the decision with seed s takes the level at which
the cumulative probabilities pass a uniform number, computed from the SHA-256 of "s/l". A program in any language can
repeat it.
"""

import hashlib

import numpy as np
import numpy.typing as npt

type Distributions = npt.NDArray[np.float64]
"""(n, l, k) float64: a distribution over k levels for each of l levers; the last axis sums to 1."""


def decision_seed(decision_id: str) -> str:
    """The pre-draw seed of a decision: 32 hex characters derived from its id."""
    return hashlib.sha256(f"seed/{decision_id}".encode()).hexdigest()[:32]


def uniform(seed: str, label: int | str) -> float:
    """A number in [0, 1) with 53 random bits, computed from the seed and a label."""
    return (int.from_bytes(hashlib.sha256(f"{seed}/{label}".encode()).digest()[:8]) >> 11) * 2.0**-53


def draw(seeds: list[str], distributions: Distributions) -> npt.NDArray[np.int64]:
    """(n, l): one level for each lever, drawn independently from `distributions` (n, l, k)."""
    levers = distributions.shape[1]
    numbers = np.array([[uniform(seed, lever) for lever in range(levers)] for seed in seeds]).reshape(-1, levers)
    cumulative = distributions.cumsum(axis=2)
    drawn = (numbers[:, :, None] >= cumulative).sum(axis=2)
    last = distributions.shape[2] - 1 - (distributions[:, :, ::-1] > 0).argmax(axis=2)
    return np.minimum(drawn, last)  # if the sum is 1 - 1e-16, a level of probability 0 must not be drawn


def one_hot(levels: npt.NDArray[np.int64], count: int) -> Distributions:
    """(n, l, k): the distributions that give `levels` (n, l) the probability 1, for `count` levels."""
    return np.eye(count)[levels]


def explored(
    distributions: Distributions, eligible: npt.NDArray[np.bool_], epsilon: float | npt.NDArray[np.float64]
) -> Distributions:
    """(n, l, k): `distributions` mixed with uniform noise over the eligible levels: (1 - ε) π + ε / |E|.

    `eligible` is (n, l, k); ε is one number or (n, 1, 1).
    """
    return (1 - epsilon) * distributions + epsilon * eligible / eligible.sum(axis=2, keepdims=True)


def joint_probability(distributions: Distributions, levels: npt.NDArray[np.int64]) -> npt.NDArray[np.float64]:
    """(n,): the joint probability of `levels` (n, l), the product over the levers."""
    chosen = np.take_along_axis(distributions, levels[:, :, None], axis=2)[:, :, 0]
    return np.asarray(chosen.prod(axis=1))

"""Missing outcomes that depend on their own values: how far they could change a difference between two policies.

Weighting by the probability of being observed corrects for missingness that contexts explain. It cannot see whether bad
weeks are reported less often than good ones of the same context, and it may be the good weeks under the other policy:
then the observed shares are equal, and the observed outcomes of both policies still mislead. So the selection is
assumed to be adversarial in each arm separately, up to a stated odds ratio Γ: within an arm, the odds of being observed
differ by a factor of at most Γ between any two outcomes of one context. Under this marginal sensitivity model the
distribution of the missing residuals is that of the observed ones, weighted by an unknown h with max h / min h ≤ Γ.
Their most unfavourable mean has h = Γ on one side of a threshold and 1 on the other.

Tan (2006), JASA 101(476); Zhao, Small, Bhattacharya (2019), JRSS B 81(4). Without any assumption the bounds are those
of Manski (1990), American Economic Review 80(2), for rewards in [0, 1].
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from data.logs.bandit import Column, Index
from data.logs.budget import BudgetLog
from training.ope.estimators import Distribution, Matrix, dm, probability_ratio
from training.ope.intervals import Interval

STATED_ODDS_RATIO = 2.0
"""The default of Γ. 25 % of the bad weeks missing and 15 % of the good ones is an odds ratio of 1.9."""
CURVE = (1.0, 1.25, 1.5, 1.75, 2.0, 2.5, 3.0, 4.0, 6.0, 10.0)
"""Odds ratios of the sensitivity curve."""
LARGEST = 1000.0
"""No larger odds ratio is tried: it is nearly selection by a threshold."""
STEPS = 24
"""Halvings of the search for the odds ratio that overturns a verdict: six digits."""

type ToInterval = Callable[[Column], Interval]
"""The interval of the mean of values per round."""


@dataclass(frozen=True)
class Selection:
    """What missing outcomes could hide: the difference candidate - reference under adversarial selection."""

    odds_ratio: float
    """The stated Γ."""
    candidate_observed: float
    reference_observed: float
    """Share of outcomes observed under each policy, in the rounds in which the policies differ."""
    difference: Interval
    """The least difference that selection up to the stated Γ allows."""
    overturned_at: float | None
    """The smallest Γ at which the lower bound is not above zero; 1 if it never is, None if it is up to `LARGEST`."""
    curve: tuple[tuple[float, float, float], ...]
    """The sensitivity curve: Γ, least difference, and its lower bound."""
    without_assumption: tuple[Interval, Interval]
    """Manski's bounds: the least and the largest difference for any values of the missing rewards in [0, 1]."""


def selection(
    log: BudgetLog,
    policies: tuple[Distribution, Distribution],
    expected_reward: Matrix,
    observation: Column,
    interval: ToInterval,
    odds_ratio: float = STATED_ODDS_RATIO,
) -> Selection:
    """The sensitivity of the doubly robust difference of the `policies`, candidate and reference, both (n, 3, 5), to
    selection. `expected_reward` is the cross-fitted q̂ (n, 3, 5), `observation` (n,) the probability of being observed
    by context, and `interval` that of the gate. Raises ValueError for an odds ratio below 1.
    """
    if not 1 <= odds_ratio < np.inf:
        raise ValueError(f"an odds ratio of being observed is at least 1, not {odds_ratio}")
    candidate, reference = policies
    differ = np.abs(candidate - reference).max(axis=(1, 2)) > 0
    predicted = np.take_along_axis(expected_reward, log.action[:, :, None], axis=2).sum(axis=(1, 2))
    modelled = dm(log, candidate, expected_reward) - dm(log, reference, expected_reward)
    ratios = [np.where(differ, probability_ratio(log, policy), 0) for policy in policies]
    residual = np.where(log.observed, log.reward - predicted, 0)
    known = modelled + (ratios[0] - ratios[1]) * residual
    unseen = log.observed * (1 - observation) / observation
    ours, theirs = (
        _Arm.of(ratio * unseen, residual, lowest=lowest) for ratio, lowest in zip(ratios, (True, False), strict=True)
    )

    def least(gamma: float) -> Interval:
        return interval(known + ours.missing(gamma) - theirs.missing(gamma))

    stated = least(odds_ratio)
    worst, best = (
        interval(
            modelled
            + ratios[0] * (np.where(log.observed, log.reward, filled) - predicted)
            - ratios[1] * (np.where(log.observed, log.reward, 1 - filled) - predicted)
        )
        for filled in (0.0, 1.0)
    )
    curve = [(gamma, least(gamma)) for gamma in sorted({*CURVE, odds_ratio})]
    return Selection(
        odds_ratio,
        _observed_share(ratios[0], log),
        _observed_share(ratios[1], log),
        stated,
        _overturned_at(least),
        tuple((gamma, found.estimate, found.low) for gamma, found in curve),
        (worst, best),
    )


def _observed_share(ratio: Column, log: BudgetLog) -> float:
    return float(ratio[log.observed].sum() / ratio.sum()) if ratio.any() else 0.0


@dataclass(frozen=True)
class _Arm:
    """The missing outcomes of a policy. Each observed round stands for some of them."""

    mass: Column  # (n,) for how many, in rounds of the policy; 0 in rounds that are not observed
    residual: Column  # (n,)
    order: Index  # the rounds with mass, the most unfavourable residual first
    masses: Column  # their cumulative mass
    sums: Column  # and the cumulative sum of mass times residual
    lowest: bool  # whether low residuals are the unfavourable ones

    @classmethod
    def of(cls, mass: Column, residual: Column, *, lowest: bool) -> "_Arm":
        rounds = np.flatnonzero(mass)
        order = rounds[np.argsort(residual[rounds] if lowest else -residual[rounds], kind="stable")]
        masses, sums = np.cumsum(mass[order]), np.cumsum(mass[order] * residual[order])
        return cls(mass, residual, order, masses, sums, lowest)

    def missing(self, gamma: float) -> Column:
        """(n,): values whose mean is the share of missing outcomes times their most unfavourable mean residual, each
        with its influence, so that their spread is that of the estimate. With Γ = 1: mass times residual."""
        if not len(self.order):
            return np.zeros_like(self.mass)
        more = gamma - 1
        means = (self.sums[-1] + more * self.sums) / (self.masses[-1] + more * self.masses)
        place = int(np.argmin(means) if self.lowest else np.argmax(means))
        weight = self.mass.copy()
        weight[self.order[: place + 1]] *= gamma
        mean = means[place]
        return self.mass * mean + self.mass.mean() / weight.mean() * weight * (self.residual - mean)


def _overturned_at(least: Callable[[float], Interval]) -> float | None:
    """The smallest odds ratio whose lower bound is not above zero; the bound falls with the ratio."""
    if least(1.0).low <= 0:
        return 1.0
    if least(LARGEST).low > 0:
        return None
    low, high = 0.0, float(np.log(LARGEST))
    for _ in range(STEPS):
        middle = (low + high) / 2
        low, high = (middle, high) if least(float(np.exp(middle))).low > 0 else (low, middle)
    return float(np.exp(high))

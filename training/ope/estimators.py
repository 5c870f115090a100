"""Off-policy estimators as array functions. Each returns a value per round; the mean of the values is the estimate.

Every estimator takes a log, the target policy's `action_distribution` and `expected_reward` q̂ of the same shape, and
returns (n,) values:

- in a joint action space, `action` is (n,), and distributions and q̂ are (n, k);
- in a factored one, `action` is (n, l) and distributions are (n, l, k). The policy is the product of the l
  distributions, and the expected reward is the sum of q̂ (n, l, k) over the levers. No array has the size kˡ.

A round without an observed reward contributes through its context only. `observation` (n,) is the probability that a
reward is observed; observed rounds are weighted by its inverse. Without it all observed rounds have the same weight.

Self-normalised estimators return the linearisation V̂ + w (r - V̂) / w̄. It has the same mean as w r / w̄ and the right
variance.

Dudík, Erhan, Langford, Li (2014), Statistical Science 29(4); Swaminathan, Joachims (2015), NeurIPS; Wang, Agarwal,
Dudík (2017), ICML (switch); Su, Dimakopoulou, Krishnamurthy, Dudík (2020), ICML (optimistic shrinkage).
"""

import numpy as np
import numpy.typing as npt

from data.logs.bandit import Column, LoggedBanditData
from data.logs.budget import BudgetLog

type Matrix = npt.NDArray[np.float64]
CROSSFIT_FOLDS = 5

type Distribution = npt.NDArray[np.floating]
"""(n, k), or (n, l, k) for a product of l levers; rows sum to 1."""

SUM_TOLERANCE = 1e-6


class InvalidDistribution(ValueError):
    """The target policy's probabilities or q̂ do not fit the log; the message says why."""


def checked(log: LoggedBanditData, action_distribution: Distribution) -> Distribution:
    """Returns `action_distribution`. Raises InvalidDistribution unless it is a distribution over the log's actions."""
    shape = (*log.action.shape, action_distribution.shape[-1])
    if action_distribution.shape != shape:
        raise InvalidDistribution(f"the action distribution has shape {action_distribution.shape}, expected {shape}")
    if not (action_distribution >= 0).all():  # NaN fails the comparison
        raise InvalidDistribution("the action distribution has values that are no probabilities")
    sums = action_distribution.sum(axis=-1)
    if np.abs(sums - 1).max() > SUM_TOLERANCE:
        raise InvalidDistribution(f"the action distribution sums to {sums.min():.6g} … {sums.max():.6g}, expected 1")
    if log.action.max() >= shape[-1]:
        raise InvalidDistribution(f"action {log.action.max()} was taken, the distribution has {shape[-1]} actions")
    return action_distribution


def probability_ratio(log: LoggedBanditData, action_distribution: Distribution) -> Column:
    """(n,): π(a | x) / p of every round, whether its reward was observed or not. The expected mean is 1."""
    probability = _of_the_action(log, checked(log, action_distribution))
    if log.action.ndim > 1:
        probability = probability.prod(axis=1)
    return np.asarray(probability / log.propensity)


def importance_weight(
    log: LoggedBanditData, action_distribution: Distribution, observation: Column | None = None
) -> Column:
    """(n,): π(a | x) / p, divided by the probability that the reward is observed; 0 where it was not observed.

    Without `observation` it is divided by the share of observed rewards. The expected mean is 1 if that probability is
    the same in every round.
    """
    seen = log.observed / (log.observed.mean() if observation is None else observation)
    return np.asarray(probability_ratio(log, action_distribution) * seen)


def ipw(
    log: LoggedBanditData,
    action_distribution: Distribution,
    expected_reward: Distribution | None = None,  # noqa: ARG001 - all estimators take the same
    *,
    observation: Column | None = None,
) -> Column:
    """Inverse propensity weighting: w r. Unbiased; the variance grows with that of the weights. Does not use q̂."""
    return importance_weight(log, action_distribution, observation) * _observed_reward(log)


def snipw(
    log: LoggedBanditData,
    action_distribution: Distribution,
    expected_reward: Distribution | None = None,  # noqa: ARG001 - all estimators take the same
    *,
    observation: Column | None = None,
) -> Column:
    """Self-normalised inverse propensity weighting: Σ w r / Σ w. The estimate lies within the range of the rewards; the
    bias is O(1/n). Does not use q̂."""
    return _ratio(importance_weight(log, action_distribution, observation), _observed_reward(log))


def dm(
    log: LoggedBanditData,
    action_distribution: Distribution,
    expected_reward: Distribution | None = None,
    *,
    observation: Column | None = None,  # noqa: ARG001 - all estimators take the same
) -> Column:
    """Direct method: Σ_a π(a | x) q̂(x, a). Its bias is that of q̂, which the interval does not include, so the gate
    does not use it."""
    q = _required(action_distribution, expected_reward)
    axes = tuple(range(1, q.ndim))
    return np.asarray((checked(log, action_distribution) * q).sum(axis=axes))


def dr(
    log: LoggedBanditData,
    action_distribution: Distribution,
    expected_reward: Distribution | None = None,
    *,
    observation: Column | None = None,
) -> Column:
    """Doubly robust: dm + w (r - q̂(x, a)). With right propensities it is unbiased for any q̂."""
    weight = importance_weight(log, action_distribution, observation)
    return dm(log, action_distribution, expected_reward) + weight * _residual(log, expected_reward)


def sndr(
    log: LoggedBanditData,
    action_distribution: Distribution,
    expected_reward: Distribution | None = None,
    *,
    observation: Column | None = None,
) -> Column:
    """Self-normalised doubly robust: dm + Σ w (r - q̂) / Σ w."""
    weight = importance_weight(log, action_distribution, observation)
    return dm(log, action_distribution, expected_reward) + _ratio(weight, _residual(log, expected_reward))


def switch_dr(
    log: LoggedBanditData,
    action_distribution: Distribution,
    expected_reward: Distribution | None = None,
    *,
    observation: Column | None = None,
    threshold: float = 10.0,
) -> Column:
    """Doubly robust where w ≤ `threshold`, direct method elsewhere. Biased, but with bounded weights."""
    weight = importance_weight(log, action_distribution, observation)
    kept = np.where(weight <= threshold, weight, 0)
    return dm(log, action_distribution, expected_reward) + kept * _residual(log, expected_reward)


def dr_os(
    log: LoggedBanditData,
    action_distribution: Distribution,
    expected_reward: Distribution | None = None,
    *,
    observation: Column | None = None,
    shrinkage: float = 100.0,
) -> Column:
    """Doubly robust with optimistic shrinkage: the weight becomes λ w / (w² + λ), where λ is `shrinkage`. λ = 0 gives
    the direct method, λ = ∞ the doubly robust estimator."""
    weight = importance_weight(log, action_distribution, observation)
    shrunk = weight if np.isinf(shrinkage) else shrinkage * weight / (weight**2 + shrinkage)
    return dm(log, action_distribution, expected_reward) + shrunk * _residual(log, expected_reward)


ESTIMATORS = {"ipw": ipw, "snipw": snipw, "dm": dm, "dr": dr, "sndr": sndr, "switch_dr": switch_dr, "dr_os": dr_os}
"""Name to estimator; all have the same first three parameters."""


def factored_dr(
    log: BudgetLog,
    action_distribution: Distribution,
    expected_reward: Distribution | None = None,
    *,
    observation: Column | None = None,
) -> Column:
    """Doubly robust for additive effects of the levers; each lever is weighted by its own probability:

        dm + (Σ_l π_l(a_l) / p_l(a_l) - (L - 1)) (r - q̂(x, a))

    Its variance is much smaller than that of `dr`. It is unbiased only when levers do not interact and were drawn
    independently. It is used for training and sensitivity analyses, not in the gate.
    """
    ratios = _of_the_action(log, checked(log, action_distribution)) / _of_the_action(log, log.distributions)
    seen = log.observed / (log.observed.mean() if observation is None else observation)
    weight = (ratios.sum(axis=1) - (ratios.shape[1] - 1)) * seen
    return dm(log, action_distribution, expected_reward) + weight * _residual(log, expected_reward)


def _of_the_action(log: LoggedBanditData, values: Distribution) -> Column:
    """(n,) or (n, l): the value of the taken action; in a factored space, of each lever's level."""
    return np.asarray(np.take_along_axis(values, log.action[..., None], axis=-1)[..., 0])


def _observed_reward(log: LoggedBanditData) -> Column:
    return np.where(log.observed, log.reward, 0)


def _residual(log: LoggedBanditData, expected_reward: Distribution | None) -> Column:
    """(n,): the reward minus q̂ of the taken action; 0 where the reward was not observed."""
    assert expected_reward is not None  # noqa: S101 - `dm` has checked it before
    predicted = _of_the_action(log, expected_reward)
    if predicted.ndim > 1:
        predicted = predicted.sum(axis=1)
    return np.where(log.observed, log.reward - predicted, 0)


def _ratio(weight: Column, value: Column) -> Column:
    """(n,): the linearisation of Σ w v / Σ w, with this mean. All NaN when the sum of the weights is zero."""
    mean = weight.mean()
    if mean == 0:
        return np.full(len(weight), np.nan)
    ratio = (weight * value).mean() / mean
    return np.asarray(ratio + weight * (value - ratio) / mean)


def _required(action_distribution: Distribution, expected_reward: Distribution | None) -> Distribution:
    if expected_reward is None:
        raise InvalidDistribution("this estimator needs expected_reward")
    if expected_reward.shape != action_distribution.shape:
        shapes = f"{expected_reward.shape}, the action distribution {action_distribution.shape}"
        raise InvalidDistribution(f"expected_reward has shape {shapes}")
    if not np.isfinite(expected_reward).all():
        raise InvalidDistribution("expected_reward is not finite everywhere")
    return expected_reward

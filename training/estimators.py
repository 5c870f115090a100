"""Off-policy estimators as plain array functions: a value per round first, the mean and its interval last.

All take a log, the target policy's `action_distribution` and, where they use one, `expected_reward` q̂ in the same
shape, and return (n,) values per round whose mean is the estimate:

- a joint action space has `action` (n,), distributions and q̂ are (n, k);
- a factored one has `action` (n, l), distributions are (n, l, k), their product is the policy, and q̂ is the sum over
  levers of (n, l, k). Nothing of size kˡ is ever made.

Rounds whose reward was not observed count with their context only. Where `observation` (n,) is given, the probability
with which a reward is observed, the observed ones stand for them; without it they are weighted alike.

Self-normalised estimators return their linearisation, V̂ + w (r - V̂) / w̄: it has the same mean as w r / w̄, and
unlike it the right variance.

Dudík, Erhan, Langford, Li (2014), Statistical Science 29(4); Swaminathan, Joachims (2015), NeurIPS; Wang, Agarwal,
Dudík (2017), ICML (switch); Su, Dimakopoulou, Krishnamurthy, Dudík (2020), ICML (optimistic shrinkage).
"""

import numpy as np
import numpy.typing as npt

from data.budget_log import BudgetLog
from data.logged import Column, LoggedBanditData

type Distribution = npt.NDArray[np.floating]
"""(n, k), or (n, l, k) for a product of l levers; rows sum to 1."""

SUM_TOLERANCE = 1e-6


class InvalidDistribution(ValueError):
    """The target policy's probabilities or q̂ do not fit the log; the message says where."""


def checked(log: LoggedBanditData, action_distribution: Distribution) -> Distribution:
    """Raises InvalidDistribution unless it is a distribution over actions that the log's are among."""
    shape = (*log.action.shape, action_distribution.shape[-1])
    if action_distribution.shape != shape:
        raise InvalidDistribution(f"the action distribution has shape {action_distribution.shape}, expected {shape}")
    if not (action_distribution >= 0).all():  # NaN is not
        raise InvalidDistribution("the action distribution has values that are no probabilities")
    sums = action_distribution.sum(axis=-1)
    if np.abs(sums - 1).max() > SUM_TOLERANCE:
        raise InvalidDistribution(f"the action distribution sums to {sums.min():.6g} … {sums.max():.6g}, expected 1")
    if log.action.max() >= shape[-1]:
        raise InvalidDistribution(f"action {log.action.max()} was taken, the distribution has {shape[-1]} actions")
    return action_distribution


def importance_weight(
    log: LoggedBanditData, action_distribution: Distribution, observation: Column | None = None
) -> Column:
    """(n,): π(a | x) / p, over the probability of being observed; 0 where the reward was not observed, and without
    `observation` divided by the share that was, so that the mean is 1 in expectation."""
    probability = _of_the_action(log, checked(log, action_distribution))
    if log.action.ndim > 1:
        probability = probability.prod(axis=1)
    seen = log.observed / (log.observed.mean() if observation is None else observation)
    return np.asarray(probability / log.propensity * seen)


def ipw(
    log: LoggedBanditData,
    action_distribution: Distribution,
    expected_reward: Distribution | None = None,  # noqa: ARG001 - all estimators take the same
    *,
    observation: Column | None = None,
) -> Column:
    """Inverse propensity weighting: w r. Unbiased, and as variable as its weights; q̂ is not used."""
    return importance_weight(log, action_distribution, observation) * _seen_reward(log)


def snipw(
    log: LoggedBanditData,
    action_distribution: Distribution,
    expected_reward: Distribution | None = None,  # noqa: ARG001 - all estimators take the same
    *,
    observation: Column | None = None,
) -> Column:
    """Self-normalised: Σ w r / Σ w. Stays within the rewards' range, biased by O(1/n); q̂ is not used."""
    return _ratio(importance_weight(log, action_distribution, observation), _seen_reward(log))


def dm(
    log: LoggedBanditData,
    action_distribution: Distribution,
    expected_reward: Distribution | None = None,
    *,
    observation: Column | None = None,  # noqa: ARG001 - all estimators take the same
) -> Column:
    """Direct method: Σ_a π(a | x) q̂(x, a). As right as q̂ is, which no interval knows: no gate uses it."""
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
    """Doubly robust: dm + w (r - q̂(x, a)). Unbiased whatever q̂ says, where propensities are right."""
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
    """Doubly robust where w ≤ `threshold`, direct method beyond: gives up unbiasedness for a bounded weight."""
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
    """Doubly robust with optimistic shrinkage: the weight becomes λ w / (w² + λ), λ being `shrinkage`. 0 is the direct
    method, infinity is doubly robust."""
    weight = importance_weight(log, action_distribution, observation)
    shrunk = weight if np.isinf(shrinkage) else shrinkage * weight / (weight**2 + shrinkage)
    return dm(log, action_distribution, expected_reward) + shrunk * _residual(log, expected_reward)


ESTIMATORS = {"ipw": ipw, "snipw": snipw, "dm": dm, "dr": dr, "sndr": sndr, "switch_dr": switch_dr, "dr_os": dr_os}
"""By name; all have the same first three parameters."""


def factored_dr(
    log: BudgetLog,
    action_distribution: Distribution,
    expected_reward: Distribution | None = None,
    *,
    observation: Column | None = None,
) -> Column:
    """Doubly robust for effects that add up over levers, each lever weighted by its own probability:

        dm + (Σ_l π_l(a_l) / p_l(a_l) - (L - 1)) (r - q̂(x, a))

    Far less variable than `dr`, unbiased only where levers do not interact and were drawn independently: for learning
    and for sensitivity, not for gates.
    """
    ratios = _of_the_action(log, checked(log, action_distribution)) / _of_the_action(log, log.distributions)
    seen = log.observed / (log.observed.mean() if observation is None else observation)
    weight = (ratios.sum(axis=1) - (ratios.shape[1] - 1)) * seen
    return dm(log, action_distribution, expected_reward) + weight * _residual(log, expected_reward)


def _of_the_action(log: LoggedBanditData, values: Distribution) -> Column:
    """(n,) or (n, l): the value of the action that was taken, of each lever's level where there are levers."""
    return np.asarray(np.take_along_axis(values, log.action[..., None], axis=-1)[..., 0])


def _seen_reward(log: LoggedBanditData) -> Column:
    return np.where(log.observed, log.reward, 0)


def _residual(log: LoggedBanditData, expected_reward: Distribution | None) -> Column:
    """(n,): reward less q̂ of the action that was taken, 0 where the reward was not observed."""
    assert expected_reward is not None  # noqa: S101 - `dm` has refused before
    predicted = _of_the_action(log, expected_reward)
    if predicted.ndim > 1:
        predicted = predicted.sum(axis=1)
    return np.where(log.observed, log.reward - predicted, 0)


def _ratio(weight: Column, value: Column) -> Column:
    """(n,) with mean Σ w v / Σ w, linearised. NaN where there is no weight at all: then nothing can be said."""
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

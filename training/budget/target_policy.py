"""The target policy: the trained policy of the budget coach, with parameters that fit into a small graph.

Each lever has a score for each level, linear in the standardised context, and takes the best eligible level. Three
things keep it close to the rules where data are few: effects are shrunk to zero (`reward_model`), the rules' level gets
a bonus of `RULES_MARGIN`, and outside the support of the training contexts the rules decide.
"""

from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from coach_model.budget.actions import LEVELS, Levels, eligible_levels, previous_levels
from coach_model.budget.context import FEATURES, Contexts
from coach_model.budget.rules import rules_levels
from coach_model.exploration import one_hot
from training.budget.reward_model import DEMAND, RewardModel, Standardisation

type Floats = npt.NDArray[np.float32]

RULES_MARGIN = 0.01
"""A level is preferred to the rules' level only when its score is higher by more than this, in units of reward."""
TEMPERATURE = 0.02
"""Temperature of the softmax of the scores, in units of reward."""
SUPPORT_QUANTILE = 0.995
"""Share of the training contexts within the support."""
WEIGHT_DECIMALS = 4
"""Weights are rounded to this many decimals, so that the same data give the same bytes on every processor."""
INELIGIBLE = np.float32(-1e9)


@dataclass(frozen=True)
class TargetPolicy:
    """The parameters of the policy, float32 and rounded, in units of the context.

    The score of a level is `bias` (3, 5), its score in the mean context, plus `weights` (3, 5, 10) times the difference
    from the `centre` (10,). `stay` (3,) is added to the score of the level in force. `whiten` (10, 10) transforms the
    difference to uncorrelated components with unit variance.
    """

    centre: Floats
    bias: Floats
    weights: Floats
    stay: Floats
    whiten: Floats
    support_threshold: np.float32
    rules_margin: np.float32

    def distances(self, contexts: Contexts) -> Floats:
        """(n,): squared Mahalanobis distance from the training contexts."""
        whitened = (contexts - self.centre) @ self.whiten
        return np.asarray((whitened * whitened).sum(axis=1))

    def supported(self, contexts: Contexts) -> npt.NDArray[np.bool_]:
        """(n,): True where the context lies within the support."""
        return self.distances(contexts) <= self.support_threshold

    def scores(self, contexts: Contexts) -> Floats:
        """(n, 3, 5): the scores; the highest is the best. An ineligible level has the score `INELIGIBLE`."""
        linear = (contexts - self.centre) @ self.weights.reshape(-1, len(FEATURES)).T + self.bias.reshape(-1)
        in_force = one_hot(previous_levels(contexts), len(LEVELS)).astype(np.float32) * self.stay[:, None]
        by_rules = one_hot(rules_levels(contexts), len(LEVELS)).astype(np.float32) * self.rules_margin
        scores = linear.reshape(-1, *self.bias.shape) + (in_force + by_rules)
        return np.where(eligible_levels(contexts), scores, INELIGIBLE)

    def distributions(self, contexts: Contexts) -> Floats:
        """(n, 3, 5): the softmax of the scores; the last axis sums to 1."""
        scores = self.scores(contexts) / np.float32(TEMPERATURE)
        weights = np.exp(scores - scores.max(axis=2, keepdims=True))
        return np.asarray(weights / weights.sum(axis=2, keepdims=True))

    def levels(self, contexts: Contexts) -> Levels:
        """(n, 3): the levels that are served: the best eligible level within the support, the rules' level outside."""
        best = self.scores(contexts).argmax(axis=2)
        return np.where(self.supported(contexts)[:, None], best, rules_levels(contexts))


def fit_target_policy(model: RewardModel, contexts: Contexts) -> TargetPolicy:
    """The policy that is greedy with respect to `model`. Its support is that of `contexts` (n, 10), the training
    data."""
    policy = greedy_policy(model.standardise, model.effects, RULES_MARGIN)
    covariance = np.cov(model.standardise(contexts), rowvar=False)
    whiten = np.linalg.cholesky(np.linalg.inv(covariance)) / model.standardise.scale[:, None]
    policy = replace(policy, whiten=_rounded(whiten))
    threshold = np.quantile(policy.distances(contexts), SUPPORT_QUANTILE)
    return replace(policy, support_threshold=np.float32(np.round(threshold, 1)))


def greedy_policy(standardise: Standardisation, effects: npt.NDArray[np.float64], rules_margin: float) -> TargetPolicy:
    """The policy that is greedy with respect to `effects` (3, 13) of `RewardModel`, with unlimited support."""
    main, curvature, moderators, change = (effects[:, part] for part in (0, 1, slice(2, -1), -1))
    return TargetPolicy(
        centre=_rounded(standardise.mean),
        bias=_rounded(np.outer(main, DEMAND) + np.outer(curvature, DEMAND**2)),
        weights=_rounded(DEMAND[None, :, None] * (moderators / standardise.scale)[:, None, :]),
        stay=_rounded(-change),
        whiten=np.zeros((len(FEATURES), len(FEATURES)), dtype=np.float32),
        support_threshold=np.float32(np.inf),
        rules_margin=np.float32(rules_margin),
    )


def _rounded(values: npt.NDArray[np.float64]) -> Floats:
    # Adding zero turns -0.0 into 0.0, because their bytes differ.
    return (np.round(values, WEIGHT_DECIMALS) + 0.0).astype(np.float32)

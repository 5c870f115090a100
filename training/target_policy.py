"""The target policy: what the learned coach would do, as numbers that fit into a small graph.

Each lever scores its levels, linear in the standardised context, and takes the best eligible one. Three things keep
it to the rules where data are thin: effects are shrunk to zero (`reward_model`), the rules' own level gets a head
start of `RULES_MARGIN`, and outside the support of its training contexts the policy does not speak at all.
"""

from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from coach_model.budget.actions import LEVELS, Levels, eligible_levels, previous_levels
from coach_model.budget.context import FEATURES, Contexts
from coach_model.budget.rules import rules_levels
from coach_model.exploration import one_hot
from training.reward_model import DEMAND, RewardModel, Standardisation

type Floats = npt.NDArray[np.float32]

RULES_MARGIN = 0.01
"""Reward by which a level must seem better than the rules' level before it is preferred."""
TEMPERATURE = 0.02
"""Reward over which the softmax of the scores turns from one level to the next."""
SUPPORT_QUANTILE = 0.995
"""Share of the training contexts that lie within the support."""
WEIGHT_DECIMALS = 4
"""Weights are rounded, so that the same data give the same bytes on every processor."""
INELIGIBLE = np.float32(-1e9)


@dataclass(frozen=True)
class TargetPolicy:
    """All float32, rounded, in units of the context.

    A level's score is `bias` (3, 5), its score in the mean context, plus `weights` (3, 5, 10) times the distance from
    the `centre` (10,); `stay` (3,) is added to the level in force. `whiten` (10, 10) turns that distance into
    independent unit variances.
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
        """(n,): where the policy may speak."""
        return self.distances(contexts) <= self.support_threshold

    def scores(self, contexts: Contexts) -> Floats:
        """(n, 3, 5): the higher the better; `INELIGIBLE` where a level may not be taken."""
        linear = (contexts - self.centre) @ self.weights.reshape(-1, len(FEATURES)).T + self.bias.reshape(-1)
        in_force = one_hot(previous_levels(contexts), len(LEVELS)).astype(np.float32) * self.stay[:, None]
        by_rules = one_hot(rules_levels(contexts), len(LEVELS)).astype(np.float32) * self.rules_margin
        scores = linear.reshape(-1, *self.bias.shape) + (in_force + by_rules)
        return np.where(eligible_levels(contexts), scores, INELIGIBLE)

    def distributions(self, contexts: Contexts) -> Floats:
        """(n, 3, 5): softmax of the scores; rows sum to 1."""
        scores = self.scores(contexts) / np.float32(TEMPERATURE)
        weights = np.exp(scores - scores.max(axis=2, keepdims=True))
        return np.asarray(weights / weights.sum(axis=2, keepdims=True))

    def levels(self, contexts: Contexts) -> Levels:
        """(n, 3): the deployed composite: the best eligible level, and the rules' outside the support."""
        best = self.scores(contexts).argmax(axis=2)
        return np.where(self.supported(contexts)[:, None], best, rules_levels(contexts))


def fit_target_policy(model: RewardModel, contexts: Contexts) -> TargetPolicy:
    """The policy that is greedy with respect to `model`, supported where `contexts` (n, 10), its training data, lie."""
    policy = greedy_policy(model.standardise, model.effects, RULES_MARGIN)
    covariance = np.cov(model.standardise(contexts), rowvar=False)
    whiten = np.linalg.cholesky(np.linalg.inv(covariance)) / model.standardise.scale[:, None]
    policy = replace(policy, whiten=_rounded(whiten))
    threshold = np.quantile(policy.distances(contexts), SUPPORT_QUANTILE)
    return replace(policy, support_threshold=np.float32(np.round(threshold, 1)))


def greedy_policy(standardise: Standardisation, effects: npt.NDArray[np.float64], rules_margin: float) -> TargetPolicy:
    """The policy that is greedy with respect to `effects` (3, 13) of `RewardModel`, everywhere supported."""
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
    # Adding zero turns -0.0, whose bytes differ, into 0.0.
    return (np.round(values, WEIGHT_DECIMALS) + 0.0).astype(np.float32)

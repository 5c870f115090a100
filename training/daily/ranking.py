"""Fits the probability that a family does a shown activity: a logistic model of the candidates' features.

Only shown candidates have an outcome. They were selected by features and at random; this does not bias the model,
because it conditions on the same features.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from sklearn.linear_model import LogisticRegression

from coach_model.daily.candidates import COLUMN, FEATURES, Features
from data.logs.daily import DailyLog

PENALTY = 1.0
"""Inverse strength of the ridge penalty, scikit-learn's C. In simulated households the ranking hardly depends on it."""
DECIMALS = 4
"""Decimals of the weights: more than their accuracy, and few enough that every BLAS gives the same bytes."""
SUPPORT_QUANTILE = 0.99
FEWEST_SHOWN = 200
NO_SPREAD = 1e-3
"""A feature with a smaller standard deviation counts as constant."""
PRODUCTS = (
    ("done_rate", "shown_days"),
    ("done_rate", "unseen_days"),
    ("done_rate", "area_rate"),
    ("weekend", "done_rate"),
    ("overdue", "done_rate"),
)
"""Pairs of features that interact: for example, a rate has more weight when it comes from many showings."""
PAIRS = np.array([[COLUMN[left], COLUMN[right]] for left, right in PRODUCTS])

type Matrix = npt.NDArray[np.float64]


class TooLittle(ValueError):
    """The log is too small for training."""


@dataclass(frozen=True)
class Ranking:
    """p(done | shown) = sigmoid(weights · [x, products of x] + bias), supported for x near the training candidates."""

    weights: Matrix  # (16 + pairs,)
    bias: float
    centre: Matrix  # (16,)
    whitening: Matrix  # (16, 16)
    support_threshold: float

    def probability(self, features: Features) -> Matrix:
        """(n,): the probability of being done when shown."""
        return np.asarray(1 / (1 + np.exp(-(expanded(features) @ self.weights + self.bias))))

    def supported(self, features: Features) -> npt.NDArray[np.bool_]:
        """(n,): whether the candidate lies within the support of the training candidates."""
        return np.asarray(self.distance(features) <= self.support_threshold)

    def distance(self, features: Features) -> Matrix:
        """(n,): squared Mahalanobis distance from the mean candidate."""
        return np.asarray((((features - self.centre) @ self.whitening) ** 2).sum(axis=1))


def expanded(features: Features) -> Matrix:
    """(n, 16 + pairs): the features and the products of PAIRS."""
    wide = features.astype(np.float64)
    return np.hstack([wide, wide[:, PAIRS[:, 0]] * wide[:, PAIRS[:, 1]]])


def learn_ranking(log: DailyLog) -> Ranking:
    """Fit the model to the shown candidates. Its support covers all candidates of `log`. Raises TooLittle."""
    shown = log.where(log.chosen)
    if len(shown) < FEWEST_SHOWN or len(np.unique(shown.done)) < 2:  # noqa: PLR2004 - both done and not done
        raise TooLittle(f"{len(shown)} showings, {int(np.nansum(shown.done))} of them done: too little to learn from")
    model = LogisticRegression(C=PENALTY, max_iter=1000, tol=1e-8).fit(expanded(shown.features), shown.done)
    centre = log.features.astype(np.float64).mean(axis=0)
    covariance = np.cov(log.features.astype(np.float64), rowvar=False) + 1e-3 * np.eye(len(FEATURES))
    values, vectors = np.linalg.eigh(covariance)
    whitening = (vectors / np.sqrt(values)) @ vectors.T  # symmetric: does not depend on the signs of eigenvectors
    constant = log.features.std(axis=0) < NO_SPREAD  # a constant feature does not count in the distance
    whitening[constant, :] = whitening[:, constant] = 0.0
    rounded = Ranking(
        np.round(model.coef_[0], DECIMALS),
        round(float(model.intercept_[0]), DECIMALS),
        np.round(centre, DECIMALS),
        np.round(whitening, DECIMALS),
        0.0,
    )
    threshold = round(float(np.quantile(rounded.distance(log.features), SUPPORT_QUANTILE)), 2)
    return Ranking(rounded.weights, rounded.bias, rounded.centre, rounded.whitening, threshold)

"""The reward model q̂(x, a): the expected reward of a week in context x under levels a.

It is the sum of a baseline m̂(x, history), which does not depend on the levers, and an effect of each lever, which is
linear in the standardised context. The effects are identified by the randomisation: the reward is centred by the
baseline and the levers by their logged probabilities, so that a wrong baseline does not bias the effects (weighted and
centred least squares, Boruvka et al. 2018; the R-learner, Nie and Wager 2021). A ridge penalty shrinks them to zero; it
is chosen by cross-validation over participants.

The effect of a lever with demand u in {-1, -½, 0, ½, 1} in context z is

    u (β₀ + β·z) + u² γ + 1{level ≠ previous} δ.

Hold has an effect of zero, except for the cost δ of a change.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from joblib import Parallel, delayed
from sklearn.linear_model import Ridge
from sklearn.model_selection import GroupKFold
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import StandardScaler

from coach_model.budget.actions import LEVELS, LEVERS, Levels, previous_levels
from coach_model.budget.context import FEATURES, Contexts
from coach_model.exploration import Distributions, one_hot
from data.logs.bandit import Column
from data.logs.budget import BudgetRounds
from training.ope.estimators import CROSSFIT_FOLDS, Matrix

DEMAND = (LEVELS.astype(np.float64) - 0.5) * 2
"""The demand of each level: -1 is -20 %, 1 is +20 %."""
COLUMNS_PER_LEVER = 3 + len(FEATURES)
PENALTIES = (10.0, 20.0, 40.0, 80.0, 160.0, 320.0, 640.0)
"""The ridge penalties to choose from. With columns of about unit size, a penalty is a number of pseudo-observations of
a zero effect."""
BASELINE_PENALTY = 30.0
BASELINE_FOLDS = 5
FLAT = 1e-12
"""Standard deviation of a column, relative to its mean, below which the column has one value."""
PENALTY_FOLDS = 10


@dataclass(frozen=True)
class Standardisation:
    """z = (x - mean) / scale, both (10,)."""

    mean: Column
    scale: Column

    def __call__(self, contexts: Contexts) -> Matrix:
        return (contexts - self.mean) / self.scale


@dataclass(frozen=True)
class RewardModel:
    """A fitted q̂. `effects` is (3, 13): β₀, γ, β (10), δ of each lever."""

    standardise: Standardisation
    baseline: Pipeline
    effects: Matrix
    penalty: float
    explained: float
    """Share of the reward's variance that the cross-fitted baseline explains."""

    def baseline_rewards(self, log: BudgetRounds) -> Column:
        """(n,): the baseline m̂."""
        return np.asarray(self.baseline.predict(baseline_columns(log, self.standardise(log.context))))

    def lever_effects(self, contexts: Contexts) -> Matrix:
        """(n, 3, 5): the effect of each level of each lever."""
        main, curvature, moderators, change = (self.effects[:, part] for part in (0, 1, slice(2, -1), -1))
        of_demand = main + self.standardise(contexts) @ moderators.T  # (n, 3)
        changes = np.arange(len(LEVELS)) != previous_levels(contexts)[:, :, None]
        effects = of_demand[:, :, None] * DEMAND + curvature[:, None] * DEMAND**2 + changes * change[:, None]
        return np.asarray(effects)

    def expected_reward(self, log: BudgetRounds) -> Matrix:
        """(n, 3, 5): q̂. The sum of the chosen levels' values over the levers is the expected reward.

        The baseline is the mean reward *under the behavior policy*, so the average effect of that policy's levels is
        subtracted.
        """
        z, previous = self.standardise(log.context), previous_levels(log.context)
        logged = effect_columns(z, previous, log.behavior) * self.effects
        shared = (self.baseline_rewards(log) - logged.sum(axis=(1, 2))) / len(LEVERS)
        return self.lever_effects(log.context) + shared[:, None, None]


def fit_reward_model(log: BudgetRounds) -> RewardModel:
    """Fit q̂ on the observed rows of `log`; folds never split a participant. Raises ValueError with too few
    participants."""
    rows = log.rounds.where(log.observed)
    if len(np.unique(rows.participant)) < PENALTY_FOLDS:
        raise ValueError(
            f"{len(np.unique(rows.participant))} participants with outcomes; at least {PENALTY_FOLDS} are needed"
        )
    mean, spread = log.context.mean(axis=0, dtype=np.float64), log.context.std(axis=0, dtype=np.float64)
    standardise = Standardisation(mean.round(4), np.maximum(spread, 0.01).round(4))
    z = standardise(rows.context)

    baseline = make_pipeline(StandardScaler(), Ridge(BASELINE_PENALTY))
    columns = baseline_columns(rows, z)
    residual = rows.reward - crossfitted_baseline(columns, rows.reward, rows.participant)

    previous = previous_levels(rows.context)
    centred = effect_columns(z, previous, one_hot(rows.action, len(LEVELS)))
    centred -= effect_columns(z, previous, rows.behavior)
    centred = centred.reshape(len(rows), -1)
    penalty = best_penalty(centred, residual, rows.participant)
    effects = Ridge(penalty).fit(centred, residual).coef_.reshape(len(LEVERS), COLUMNS_PER_LEVER)
    explained = 1 - residual.var() / rows.reward.var()
    return RewardModel(standardise, baseline.fit(columns, rows.reward), effects, penalty, float(explained))


def crossfitted_reward(log: BudgetRounds, *, folds: int = CROSSFIT_FOLDS, jobs: int = 1) -> Matrix:
    """(n, 3, 5): q̂ cross-fitted by participant: the model of a row was fitted without its participant. `jobs` is the
    number of threads, which share the log; the linear algebra runs without the interpreter's lock."""
    rounds = log.rounds
    parts = list(GroupKFold(folds).split(log.context, groups=log.participant))
    fitted = Parallel(n_jobs=jobs, prefer="threads")(
        delayed(_fit_and_predict)(rounds, learn, judge) for learn, judge in parts
    )
    expected = np.empty((len(log), len(LEVERS), len(LEVELS)))
    for (_, judge), predicted in zip(parts, fitted, strict=True):
        expected[judge] = predicted
    return expected


def _fit_and_predict(log: BudgetRounds, learn: npt.NDArray[np.int64], judge: npt.NDArray[np.int64]) -> Matrix:
    return fit_reward_model(log.where(learn)).expected_reward(log.where(judge))


def past_rewards(log: BudgetRounds) -> Column:
    """(n,): the mean of the participant's observed rewards before the row; NaN when there is none.

    Rows must be sorted by participant, then by week, as `budget_log` returns them.
    """
    reward, seen = np.nan_to_num(log.reward), log.observed.astype(float)
    first = np.r_[True, log.participant[1:] != log.participant[:-1]]
    start = np.flatnonzero(first)[np.cumsum(first) - 1]
    before = [np.concatenate([[0.0], np.cumsum(column)]) for column in (reward, seen)]
    total, count = (sums[:-1] - sums[start] for sums in before)
    return np.divide(total, count, out=np.full(len(log), np.nan), where=count > 0)


def baseline_columns(log: BudgetRounds, z: Matrix) -> Matrix:
    """(n, 23): the inputs of the baseline: context z (n, 10), its squares, the mean of past rewards and whether it is
    unknown, and the week."""
    past = past_rewards(log)
    unknown = np.isnan(past)
    centred = np.where(unknown, 0, past - np.float64(0.5))
    return np.column_stack([z, z**2, centred, unknown, log.week])


def effect_columns(z: Matrix, previous: Levels, distributions: Distributions) -> npt.NDArray[np.float64]:
    """(n, 3, 13): the columns of the effect model, as expected values under `distributions` (n, 3, 5)."""
    columns = np.empty((len(z), len(LEVERS), COLUMNS_PER_LEVER))
    columns[:, :, 0] = distributions @ DEMAND
    columns[:, :, 1] = distributions @ DEMAND**2
    np.multiply(columns[:, :, :1], z[:, None, :], out=columns[:, :, 2:-1])
    stays = np.take_along_axis(distributions, previous[:, :, None], axis=2)[:, :, 0]
    columns[:, :, -1] = 1 - stays
    return columns


def crossfitted_baseline(columns: Matrix, reward: Column, participant: npt.NDArray[np.int64]) -> Column:
    """(n,): the reward that a ridge regression on the standardised columns predicts, cross-fitted by participant."""
    predicted = np.empty(len(reward))
    for judge, learn in _folds(columns, reward, participant, BASELINE_FOLDS):
        spread = np.sqrt(np.diag(learn.spread) / learn.count)
        spread[spread < FLAT * np.maximum(np.abs(learn.centre), 1)] = 1  # a column with one value explains nothing
        products = learn.spread / np.outer(spread, spread) + BASELINE_PENALTY * np.eye(len(spread))
        slopes = np.linalg.solve(products, learn.together / spread) / spread
        predicted[judge] = learn.level + (columns[judge] - learn.centre) @ slopes
    return predicted


def best_penalty(columns: Matrix, residual: Column, participant: npt.NDArray[np.int64]) -> float:
    """The value of `PENALTIES` with the smallest cross-validated error. One eigendecomposition per fold serves all."""
    errors = np.zeros(len(PENALTIES))
    for judge, learn in _folds(columns, residual, participant, PENALTY_FOLDS):
        values, vectors = np.linalg.eigh(learn.spread)
        projected = vectors.T @ learn.together
        coefficients = vectors @ (projected[:, None] / (values[:, None] + np.array(PENALTIES)))
        predicted = learn.level + (columns[judge] - learn.centre) @ coefficients
        errors += ((residual[judge][:, None] - predicted) ** 2).sum(axis=0)
    return PENALTIES[int(np.argmin(errors))]


@dataclass(frozen=True)
class _Moments:
    """Of some rows of columns x and a response y: what a ridge regression needs."""

    count: int
    centre: Column  # (d,) the mean of x
    level: float
    """The mean of y."""
    spread: Matrix  # (d, d) Σ (x - centre) (x - centre)ᵀ
    together: Column  # (d,) Σ (x - centre) (y - level)


def _folds(
    columns: Matrix, response: Column, participant: npt.NDArray[np.int64], folds: int
) -> Iterator[tuple[npt.NDArray[np.int64], _Moments]]:
    """The rows of each fold, and the moments of all other rows: those of all rows less those of the fold. So no fold
    copies the rows that it learns from. Sums are around the mean of all rows, which keeps their digits."""
    centre, level = columns.mean(axis=0), float(response.mean())
    parts = []
    for _, judge in GroupKFold(folds).split(columns, groups=participant):
        x, y = columns[judge] - centre, response[judge] - level
        parts.append((judge, (len(judge), x.sum(axis=0), y.sum(), x.T @ x, x.T @ y)))
    for place, (judge, _) in enumerate(parts):
        others = zip(*(sums for other, (_, sums) in enumerate(parts) if other != place), strict=True)
        size, x, y, products, by_response = (np.sum(kind, axis=0) for kind in others)
        count, total = int(size), float(y)
        spread = products - np.outer(x, x) / count
        yield judge, _Moments(count, centre + x / count, level + total / count, spread, by_response - x * total / count)

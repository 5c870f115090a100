"""Missing outcomes: the probability that an outcome is observed, and the difference in missingness between two
policies. Missing outcomes are never imputed. `training.budget.selection` asks what they could hide."""

import numpy as np
import numpy.typing as npt
from joblib import Parallel, delayed
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GroupKFold
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from data.logs.bandit import Column, Index
from data.logs.budget import BudgetLog
from training.budget.reward_model import DEMAND, Standardisation, baseline_columns
from training.ope.estimators import CROSSFIT_FOLDS, Distribution, Matrix, probability_ratio
from training.ope.intervals import Interval, clustered_t

SMALLEST_OBSERVATION = 0.05
"""Lower limit for probabilities of being observed, so that a round has at most twenty times its weight."""


def observation_probability(log: BudgetLog, *, jobs: int = 1) -> Column:
    """(n,): the probability that a round's reward is observed, by a logistic regression on context, history and levels,
    cross-fitted by participant. All ones when every reward was observed. `jobs` is the number of threads."""
    observed = log.observed
    if observed.all():
        return np.ones(len(log))
    columns = _columns(log)
    folds = list(GroupKFold(CROSSFIT_FOLDS).split(columns, groups=log.participant))
    fitted = Parallel(n_jobs=jobs, prefer="threads")(
        delayed(_probability)(columns, observed, learn, judge) for learn, judge in folds
    )
    found = np.empty(len(log))
    for (_, judge), predicted in zip(folds, fitted, strict=True):
        found[judge] = predicted
    return np.maximum(found, SMALLEST_OBSERVATION)


def _probability(columns: Matrix, observed: npt.NDArray[np.bool_], learn: Index, judge: Index) -> Column:
    """The probabilities of the rows `judge`, by the rows `learn`."""
    if observed[learn].all():
        return np.ones(len(judge))
    model = make_pipeline(StandardScaler(copy=False), LogisticRegression(max_iter=200))
    return np.asarray(model.fit(columns[learn], observed[learn]).predict_proba(columns[judge])[:, 1])


def missing_difference(
    log: BudgetLog, candidate: Distribution, reference: Distribution, confidence: float = 0.95
) -> Interval:
    """The share of missing outcomes under the candidate minus the share under the reference, clustered by
    participant."""
    missing = np.where(log.observed, 0.0, 1.0)
    ours, theirs = (probability_ratio(log, policy) for policy in (candidate, reference))
    return clustered_t((ours - theirs) * missing, log.participant, confidence)


def _columns(log: BudgetLog) -> Matrix:
    z = Standardisation(log.context.mean(axis=0, dtype=float), np.maximum(log.context.std(axis=0, dtype=float), 0.01))
    return np.column_stack([baseline_columns(log, z(log.context)), DEMAND[log.action]])

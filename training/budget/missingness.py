"""Missing outcomes: the probability that an outcome is observed, the difference in missingness between two policies,
and a worst-case bound for its effect. Missing outcomes are never imputed."""

from dataclasses import dataclass

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


@dataclass(frozen=True)
class WorstCase:
    """The difference in the worst case: the missing outcomes are as unfavourable for the candidate as possible."""

    candidate_observed: float
    reference_observed: float
    """Share of outcomes observed under each policy, in the rounds in which the policies differ."""
    trimmed_share: float
    """Share of outcomes that is removed from the policy that is observed more often: those most favourable for the
    candidate."""
    estimate: float
    """The difference without the removed outcomes."""


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


def worst_case(
    log: BudgetLog, candidate: Distribution, reference: Distribution, residual: Column, modelled: float
) -> WorstCase:
    """Lee's bound (2009, Review of Economic Studies 76(3)) on the residuals r - q̂ (n,). `modelled` is the mean
    difference of q̂.

    One policy may have more observed outcomes because of weeks that the other policy would have left unobserved. The
    excess share of its outcomes is removed, those most favourable for the candidate first. With equal shares the
    difference does not change.
    """
    differ = np.abs(candidate - reference).max(axis=(1, 2)) > 0
    arms = [np.where(differ, probability_ratio(log, policy), 0) for policy in (candidate, reference)]
    seen = log.observed
    ours, theirs = (float(arm[seen].sum() / arm.sum()) if arm.sum() else 0.0 for arm in arms)
    excess = ours - theirs
    trimmed = abs(excess) / max(ours, theirs) if max(ours, theirs) else 0.0
    means = []
    for arm, sign, has_more in zip(arms, (-1, 1), (excess > 0, excess < 0), strict=True):
        weight, value = arm[seen], residual[seen]
        means.append(_trimmed_mean(value, weight, trimmed if has_more else 0.0, lowest=sign > 0))
    estimate = modelled + float(differ.mean()) * (means[0] - means[1])
    return WorstCase(ours, theirs, trimmed, estimate)


def _trimmed_mean(value: Column, weight: Column, share: float, *, lowest: bool) -> float:
    """The weighted mean without the given share of the weight, removed from the lowest or the highest values."""
    order = np.argsort(value if lowest else -value)
    value, weight = value[order], weight[order]
    gone = np.minimum(weight, np.maximum(share * weight.sum() - (np.cumsum(weight) - weight), 0))
    kept = weight - gone
    return float((kept * value).sum() / kept.sum()) if kept.sum() else 0.0


def _columns(log: BudgetLog) -> Matrix:
    z = Standardisation(log.context.mean(axis=0, dtype=float), np.maximum(log.context.std(axis=0, dtype=float), 0.01))
    return np.column_stack([baseline_columns(log, z(log.context)), DEMAND[log.action]])

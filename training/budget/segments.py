"""Harm to a part of the participants: in segments that are named beforehand, and in those that the data themselves
name, by a model of the effect."""

from dataclasses import dataclass, replace

import numpy as np
from scipy import stats
from sklearn.ensemble import ExtraTreesRegressor
from sklearn.model_selection import GroupKFold

from coach_model.budget.context import COLUMN
from data.logs.bandit import Column
from data.logs.budget import BudgetLog
from training.budget.reward_model import past_rewards
from training.ope.estimators import Matrix
from training.ope.intervals import Interval, clustered_t, holm
from training.ope.overlap import SMALLEST_EFFECTIVE_SAMPLE

LEVEL = 0.025
"""One-sided error level of the first look at a study. Harm to segments is tested at this level at every look, so that
further looks do not make harm harder to find."""
SMALLEST_SEGMENT = 20
"""Participants. A smaller segment is reported as undetermined."""
LEARNED = "expected difference"
"""The division by a cross-fitted model of the difference."""
WORST, BEST = "lowest fifth", "highest fifth"
FOLDS = 5
TREES = {"n_estimators": 50, "min_samples_leaf": 100, "max_features": None, "random_state": 0}
"""Of a few methods that were tried, these found a harmed fifth of 1,200 people most often (docs/science.md)."""
LEARN_FROM = 50_000
"""The most rounds that a model of the difference learns from."""


@dataclass(frozen=True)
class SegmentResult:
    """The difference in a segment of the participants; None when the segment is too small."""

    by: str
    name: str
    participants: int
    difference: Interval | None
    harm_p_value: float | None
    """One-sided p-value of no harm, Holm-adjusted over all segments."""
    harmed: bool


def segments_of(log: BudgetLog, per_round: Column) -> tuple[SegmentResult, ...]:
    """The difference (n,) in each segment, and whether it is harmed: the Holm-adjusted p-value is below `LEVEL`. The
    named segments are one family of tests, the learned ones another."""
    named = _tested(log, per_round, _memberships(log))
    return (*named, *_tested(log, per_round, {LEARNED: expected_fifths(log, per_round)}))


def expected_fifths(log: BudgetLog, per_round: Column) -> list[str]:
    """For each round `WORST` or `BEST` if its expected difference is among the lowest or highest fifth, else "".

    The expected difference is a forest's prediction of the doubly robust differences (n,) from context, past rewards,
    income range and profile. It is cross-fitted by participant, so that no outcome decides where it belongs.
    Chernozhukov, Demirer, Duflo, Fernández-Val (2018), NBER working paper 24678 (sorted groups).
    """
    columns, names = _moderators(log), np.full(len(log), "", dtype=object)
    if len(np.unique(log.participant)) < FOLDS:
        return list(names)
    rng = np.random.default_rng(0)
    for learn, judge in GroupKFold(FOLDS).split(columns, groups=log.participant):
        rows = rng.choice(learn, LEARN_FROM, replace=False) if len(learn) > LEARN_FROM else learn
        expected = ExtraTreesRegressor(**TREES).fit(columns[rows], per_round[rows]).predict(columns[judge])
        low, high = np.quantile(expected, [0.2, 0.8])
        if low < high:
            names[judge[expected <= low]], names[judge[expected >= high]] = WORST, BEST
    return list(names)


def _moderators(log: BudgetLog) -> Matrix:
    profile = np.unique(log.user_profile.astype(str), return_inverse=True)[1]
    unknown = [np.nan_to_num(column, nan=-1) for column in (past_rewards(log), log.income_range)]
    return np.column_stack([log.context, *unknown, profile])


def _tested(log: BudgetLog, per_round: Column, memberships: dict[str, list[str]]) -> tuple[SegmentResult, ...]:
    groups = [(by, name, rows) for by, names in memberships.items() for name, rows in _by_name(names)]
    found: list[SegmentResult] = []
    for by, name, rows in groups:
        people = len(np.unique(log.participant[rows]))
        if people < SMALLEST_SEGMENT or rows.sum() < SMALLEST_EFFECTIVE_SAMPLE:
            found.append(SegmentResult(by, name, people, None, None, harmed=False))
            continue
        difference = clustered_t(per_round[rows], log.participant[rows], 1 - 2 * LEVEL)
        p_value = 1.0
        if difference.error > 0:
            p_value = float(stats.t.cdf(difference.estimate / difference.error, difference.clusters - 1))
        found.append(SegmentResult(by, name, people, difference, p_value, harmed=False))
    tested = [index for index, one in enumerate(found) if one.harm_p_value is not None]
    adjusted = holm(np.array([found[index].harm_p_value for index in tested], dtype=float))
    for index, p_value in zip(tested, adjusted.tolist(), strict=True):
        found[index] = replace(found[index], harm_p_value=p_value, harmed=p_value < LEVEL)
    return tuple(found)


def _memberships(log: BudgetLog) -> dict[str, list[str]]:
    """Name of a division into segments to the segment of each round; "" where it is not known."""
    risk = log.context[:, COLUMN["risk_profile"]]
    edges = np.quantile(risk, [1 / 3, 2 / 3])
    return {
        "income range": ["" if np.isnan(value) else f"{value:.0f}" for value in log.income_range],
        "profile": list(log.user_profile),
        "attitude to risk": [("cautious", "middling", "daring")[int(place)] for place in np.digitize(risk, edges)],
    }


def _by_name(names: list[str]) -> list[tuple[str, np.ndarray]]:
    array = np.array(names, dtype=str)
    return [(name, array == name) for name in sorted(set(names) - {""})]

"""The bounds of adversarial selection, against brute force and by their properties."""

from itertools import pairwise
from types import SimpleNamespace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from scipy.optimize import linprog

from coach_model.budget.actions import LEVELS, LEVERS
from coach_model.exploration import one_hot
from data.logs.bandit import Column
from tests.science.candidates import CONFIRM, scenarios
from tests.science.trials import logged
from training.budget.missingness import observation_probability
from training.budget.reward_model import crossfitted_reward
from training.budget.selection import LARGEST, Selection, _Arm, selection
from training.ope.estimators import dr
from training.ope.intervals import Interval, clustered_t

ROUNDS = 12


def least_mean(mass: Column, residual: Column, gamma: float) -> float:
    """The least mean of the missing residuals, by a linear program over h: with k = min h, k ≤ h ≤ Γ k, Σ mass h = Σ
    mass."""
    kept = mass > 0
    v, r = mass[kept], residual[kept]
    count = len(v)
    above = np.column_stack([-np.eye(count), np.ones(count)])
    below = np.column_stack([np.eye(count), np.full(count, -gamma)])
    found = linprog(
        np.append(v * r, 0) / v.sum(),
        A_ub=np.vstack([above, below]),
        b_ub=np.zeros(2 * count),
        A_eq=[np.append(v, 0)],
        b_eq=[v.sum()],
    )
    return float(found.fun)


@settings(deadline=None)
@given(
    mass=hnp.arrays(float, ROUNDS, elements=st.sampled_from([0, 0.1, 0.5, 1, 7])).filter(lambda mass: mass.any()),
    residual=hnp.arrays(float, ROUNDS, elements=st.floats(-1, 1, width=16)),
    gamma=st.sampled_from([1.0, 1.3, 2.0, 10.0, 1000.0]),
)
def test_the_least_mean_is_that_of_a_linear_program(mass: Column, residual: Column, gamma: float) -> None:
    low, high = (
        _Arm.of(mass, residual, lowest=lowest).missing(gamma).mean() for lowest in (True, False)
    )  # the program is exact to 1e-6
    assert low == pytest.approx(mass.mean() * least_mean(mass, residual, gamma), abs=2e-5)
    assert high == pytest.approx(-mass.mean() * least_mean(mass, -residual, gamma), abs=2e-5)


def test_nothing_is_missing_where_nothing_stands_for_it() -> None:
    assert not _Arm.of(np.zeros(3), np.ones(3), lowest=True).missing(2.0).any()


@pytest.fixture(scope="module")
def study() -> SimpleNamespace:
    """A simulated study whose candidate is truly better, and what the gate computes of it."""
    log = logged(CONFIRM, scenarios()["better by 0.03"], seed=7)
    candidate, rules = (one_hot(levels, len(LEVELS)) for levels in (log.candidate, log.rules))
    q, seen = crossfitted_reward(log), observation_probability(log)
    assert candidate.shape[1:] == (len(LEVERS), len(LEVELS))
    return SimpleNamespace(log=log, policies=(candidate, rules), q=q, seen=seen)


def of(study: SimpleNamespace, odds_ratio: float) -> Selection:
    def interval(per_round: Column) -> Interval:
        return clustered_t(per_round, study.log.participant)

    return selection(study.log, study.policies, study.q, study.seen, interval, odds_ratio)


def test_without_selection_it_is_the_doubly_robust_difference(study: SimpleNamespace) -> None:
    ours, theirs = (dr(study.log, policy, study.q, observation=study.seen) for policy in study.policies)
    plain, found = clustered_t(ours - theirs, study.log.participant), of(study, 1.0).difference
    assert (found.estimate, found.error) == pytest.approx((plain.estimate, plain.error))


def test_more_selection_allows_less_and_never_less_than_manski(study: SimpleNamespace) -> None:
    found = of(study, 2.0)
    assert all(left[1] > right[1] and left[2] > right[2] for left, right in pairwise(found.curve))
    worst, best = found.without_assumption
    assert worst.estimate < found.curve[-1][1] < found.curve[0][1] < best.estimate
    assert of(study, LARGEST).difference.estimate > worst.estimate


def test_the_verdict_is_overturned_where_the_curve_crosses_zero(study: SimpleNamespace) -> None:
    at = of(study, 2.0).overturned_at
    assert at is not None
    assert of(study, at * 1.001).difference.low < 0 < of(study, at * 0.999).difference.low


@pytest.mark.parametrize("odds_ratio", [0.5, 0.0, -2.0, float("nan"), float("inf")])
def test_a_strange_odds_ratio_is_refused(study: SimpleNamespace, odds_ratio: float) -> None:
    with pytest.raises(ValueError, match="odds ratio"):
        of(study, odds_ratio)

"""Without enough overlap no value is reported."""

from dataclasses import replace

import numpy as np
import pytest

from coach_model.exploration import one_hot
from data.logs.bandit import bandit_rounds
from data.logs.budget import BudgetLog
from tests.support.logs import hand_made
from training.budget.evidence import gather
from training.budget.gate import judge
from training.ope.estimators import importance_weight
from training.ope.overlap import calibration, overlap, weights_over
from training.registry.verdicts import INSUFFICIENT

LOG = hand_made([[1, 0, 0], [0, 0, 0], [1, 1, 1], [0, 1, 0]], [0.8, 0.5, 0.9, 0.1], [0, 0, 1, 2])
OURS = one_hot(np.array([[1, 0, 0], [1, 0, 0], [1, 0, 0], [0, 0, 0]]), 5)
THEIRS = one_hot(np.zeros((4, 3), dtype=int), 5)


def test_weights_by_hand() -> None:
    found = weights_over(LOG, np.array([3.0, 1.0, 0.0, 4.0]))
    assert found.effective_sample_size == pytest.approx(64 / 26)
    assert (found.mean, found.largest, found.largest_participant_share) == (2, 4, 0.5)
    assert weights_over(LOG, np.zeros(4)).effective_sample_size == 0


def test_only_the_rounds_where_they_differ_count() -> None:
    found = overlap(LOG, OURS, THEIRS)
    assert found.differ_share == 0.75
    # of these three rounds, the first has our levels and the second has theirs
    assert found.differing.effective_sample_size == pytest.approx(1)
    assert found.differing.largest_participant_share == 1
    assert len(found.problems) >= 2


def test_two_equal_policies_cannot_be_compared() -> None:
    assert overlap(LOG, THEIRS, THEIRS).problems == ["the policies take the same decisions everywhere"]


def many(n: int, seed: int = 0) -> BudgetLog:
    rng = np.random.default_rng(seed)
    return hand_made(rng.integers(0, 2, (n, 3)).tolist(), rng.random(n).tolist(), (np.arange(n) % 200).tolist())


def test_enough_overlap_is_sufficient() -> None:
    log = many(4_000)
    ours, theirs = (one_hot(np.tile(levels, (4_000, 1)), 5) for levels in ([1, 0, 0], [0, 0, 0]))
    found = overlap(log, ours, theirs, calibration(log))
    assert found.problems == []
    assert 400 < found.differing.effective_sample_size < 600


def test_weights_in_the_thousands_and_an_effective_sample_of_two_are_no_evidence() -> None:
    """Two rounds have all the weight and the highest rewards. The mean is +0.5, but it is no evidence."""
    log = many(4_000, seed=1)
    action = np.zeros((4_000, 3), dtype=int)
    action[:2] = 1
    propensity = np.full(4_000, 0.9995)
    propensity[:2] = 5e-4
    reward = np.full(4_000, 0.5)
    reward[:2] = 1.0
    log = replace(log, action=action, propensity=propensity, reward=reward)
    ours, theirs = (one_hot(np.full((4_000, 3), level), 5) for level in (1, 0))
    found = overlap(log, ours, theirs)
    assert found.differing.largest == pytest.approx(2_000)
    assert found.differing.effective_sample_size == pytest.approx(2)
    evidence = gather(log, ours, theirs, np.full((4_000, 3, 5), 0.5 / 3))
    assert evidence.difference is None
    assert evidence.candidate is None
    judgement = judge(evidence)
    assert judgement.verdict == INSUFFICIENT
    assert "effective sample size 2" in judgement.reasons[0]


def test_propensities_that_are_not_those_of_the_draws_are_found() -> None:
    log = many(4_000)
    skewed = np.random.default_rng(3).random((4_000, 3)) < 0.6
    wrong = replace(log, action=skewed.astype(int))
    ours, theirs = (one_hot(np.tile(levels, (4_000, 1)), 5) for levels in ([1, 0, 0], [0, 0, 0]))
    problems = overlap(wrong, ours, theirs, calibration(wrong)).problems
    assert any("wants level 1 was drawn in" in problem for problem in problems)
    assert all(one.p_value > 1e-4 for one in calibration(log))


def test_a_mean_weight_that_is_not_one_is_found() -> None:
    n = 5_000
    rng = np.random.default_rng(4)
    log = bandit_rounds(rng.integers(0, 2, n), np.full(n, 0.4), rng.random(n))  # truly 0.5
    assert any("mean weight" in problem for problem in overlap(log, np.tile([0.9, 0.1], (n, 1))).problems)


def test_outcomes_that_one_policy_loses_are_not_taken_for_wrong_propensities() -> None:
    """The weight of all rounds has the mean 1. That of the observed ones has another, when the outcomes after one level
    are missing more often, and in many rounds the difference is seen."""
    n = 200_000
    rng = np.random.default_rng(5)
    action = rng.integers(0, 2, n)
    reward = np.where(rng.random(n) < np.where(action == 1, 0.7, 0.8), rng.random(n), np.nan)
    log = bandit_rounds(action, np.full(n, 0.5), reward)
    target = np.tile([0.1, 0.9], (n, 1))
    assert importance_weight(log, target).mean() < 0.97
    assert overlap(log, target).problems == []

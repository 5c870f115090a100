"""Each estimator against numbers computed by hand, in both kinds of action space, and on a known truth."""

from dataclasses import replace

import numpy as np
import pytest

from data.logs.bandit import InvalidLog, LoggedBanditData, bandit_rounds
from tests.support.logs import hand_made
from training.ope.estimators import (
    ESTIMATORS,
    InvalidDistribution,
    dm,
    dr,
    dr_os,
    factored_dr,
    importance_weight,
    ipw,
    sndr,
    snipw,
    switch_dr,
)
from training.ope.intervals import clustered_t

# Two actions; the weights of the target are 0.8/0.5, 0.2/0.5, 0.9/0.25 and 0.1/0.75.
LOG = bandit_rounds([0, 1, 0, 1], [0.5, 0.5, 0.25, 0.75], [1.0, 0.0, 0.5, 1.0], participant=["a", "a", "b", "c"])
TARGET = np.array([[0.8, 0.2], [0.8, 0.2], [0.9, 0.1], [0.9, 0.1]])
WEIGHT = np.array([1.6, 0.4, 3.6, 0.1 / 0.75])
Q = np.array([[0.6, 0.2], [0.4, 0.3], [0.5, 0.5], [0.7, 0.9]])
DM = np.array([0.52, 0.38, 0.5, 0.72])
RESIDUAL = np.array([0.4, -0.3, 0.0, 0.1])

# A factored space of three levers with two levels each, drawn by fair coins.
LEVERS = hand_made([[1, 0, 0], [0, 0, 0], [1, 1, 1], [0, 1, 0]], [0.8, 0.5, 0.9, 0.1], [0, 0, 1, 2])
FIRST_UP = np.tile(np.eye(5)[[1, 0, 0]], (4, 1, 1))
FLAT = np.full((4, 3, 5), 0.5 / 3)


def test_weights_by_hand() -> None:
    np.testing.assert_allclose(importance_weight(LOG, TARGET), WEIGHT)
    np.testing.assert_allclose(importance_weight(LEVERS, FIRST_UP), [8, 0, 0, 0])


def test_weighting_by_hand() -> None:
    np.testing.assert_allclose(ipw(LOG, TARGET), WEIGHT * LOG.reward)
    assert snipw(LOG, TARGET).mean() == pytest.approx((WEIGHT * LOG.reward).sum() / WEIGHT.sum())


def test_doubly_robust_by_hand() -> None:
    np.testing.assert_allclose(dm(LOG, TARGET, Q), DM)
    np.testing.assert_allclose(dr(LOG, TARGET, Q), DM + WEIGHT * RESIDUAL)
    assert sndr(LOG, TARGET, Q).mean() == pytest.approx(DM.mean() + (WEIGHT * RESIDUAL).sum() / WEIGHT.sum())
    switched = np.where(WEIGHT <= 1.6, WEIGHT, 0)
    np.testing.assert_allclose(switch_dr(LOG, TARGET, Q, threshold=1.6), DM + switched * RESIDUAL)
    np.testing.assert_allclose(dr_os(LOG, TARGET, Q, shrinkage=4), DM + 4 * WEIGHT / (WEIGHT**2 + 4) * RESIDUAL)


def test_shrinkage_goes_from_the_direct_method_to_doubly_robust() -> None:
    np.testing.assert_allclose(dr_os(LOG, TARGET, Q, shrinkage=0), DM)
    np.testing.assert_allclose(dr_os(LOG, TARGET, Q, shrinkage=np.inf), dr(LOG, TARGET, Q))
    np.testing.assert_allclose(switch_dr(LOG, TARGET, Q, threshold=np.inf), dr(LOG, TARGET, Q))


def test_levers_by_hand() -> None:
    # q̂ is 0.5 everywhere; only the first round has the target's levels
    np.testing.assert_allclose(dr(LEVERS, FIRST_UP, FLAT), [0.5 + 8 * 0.3, 0.5, 0.5, 0.5])
    # the ratios of the three levers add up to 6, 4, 2 and 2, less two
    np.testing.assert_allclose(factored_dr(LEVERS, FIRST_UP, FLAT), [0.5 + 4 * 0.3, 0.5 + 2 * 0, 0.5, 0.5 - 0 * 0.4])


def test_a_factored_policy_is_the_same_as_its_product() -> None:
    rng = np.random.default_rng(5)
    target = rng.dirichlet(np.ones(2), (4, 3))
    target = np.concatenate([target, np.zeros((4, 3, 3))], axis=2)
    q = rng.normal(0, 0.2, (4, 3, 5))
    places = np.array(list(np.ndindex(5, 5, 5)))
    joint = np.stack([target[:, lever, places[:, lever]] for lever in range(3)]).prod(axis=0)
    joint_q = np.stack([q[:, lever, places[:, lever]] for lever in range(3)]).sum(axis=0)
    code = LEVERS.action @ [25, 5, 1]
    flat = bandit_rounds(code, LEVERS.propensity, LEVERS.reward, participant=LEVERS.participant)
    for name, estimator in ESTIMATORS.items():
        np.testing.assert_allclose(estimator(LEVERS, target, q), estimator(flat, joint, joint_q), err_msg=name)


def test_a_round_without_a_reward_contributes_its_context_only() -> None:
    missing = replace(LOG, reward=np.array([1.0, np.nan, 0.5, 1.0]))
    seen = np.array([1, 0, 1, 1]) / 0.75
    np.testing.assert_allclose(importance_weight(missing, TARGET), WEIGHT * seen)
    np.testing.assert_allclose(dr(missing, TARGET, Q), DM + WEIGHT * seen * RESIDUAL)
    likely = np.array([0.5, 0.5, 1.0, 0.8])
    np.testing.assert_allclose(
        dr(missing, TARGET, Q, observation=likely), DM + WEIGHT * np.array([2, 0, 1, 1.25]) * RESIDUAL
    )
    for name, estimator in ESTIMATORS.items():
        assert np.isfinite(estimator(missing, TARGET, Q)).all(), name


def test_observation_weights_correct_rewards_missing_at_random() -> None:
    rng = np.random.default_rng(3)
    n = 200_000
    bad_week = rng.random(n) < 0.5
    action = rng.integers(0, 2, n)
    reward = np.where(bad_week, 0.2, 0.6) + 0.1 * action * bad_week
    likely = np.where(bad_week, 0.4, 0.9)
    reward[rng.random(n) > likely] = np.nan
    log = bandit_rounds(action, np.full(n, 0.5), reward)
    target, q = np.tile([0.0, 1.0], (n, 1)), np.zeros((n, 2))
    assert dr(log, target, q, observation=likely).mean() == pytest.approx(0.45, abs=0.01)
    assert dr(log, target, q).mean() > 0.49


def test_both_doubly_robust_estimators_are_unbiased_for_a_wrong_q() -> None:
    rng = np.random.default_rng(0)
    n = 100_000
    levels = rng.integers(0, 2, (n, 3))
    reward = 0.3 + levels @ [0.2, -0.1, 0.05] + rng.normal(0, 0.1, n)
    log = hand_made(levels.tolist(), reward.tolist(), list(range(n)))
    ours, theirs = np.tile(np.eye(5)[[1, 1, 0]], (n, 1, 1)), np.tile(np.eye(5)[[0, 0, 0]], (n, 1, 1))
    q = np.full((n, 3, 5), 0.3)
    for estimator in (dr, factored_dr):
        interval = clustered_t(estimator(log, ours, q) - estimator(log, theirs, q), log.participant)
        assert interval.low < 0.1 < interval.high
        assert interval.error < 0.02


def test_where_two_policies_agree_their_difference_is_exactly_zero() -> None:
    theirs = FIRST_UP.copy()
    theirs[0] = np.eye(5)[[0, 0, 0]]
    difference = dr(LEVERS, FIRST_UP, FLAT) - dr(LEVERS, theirs, FLAT)
    assert (difference[1:] == 0).all()
    assert difference[0] != 0


@pytest.mark.parametrize("estimator", ESTIMATORS.values(), ids=list(ESTIMATORS))
@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        (TARGET[:2], "shape"),
        (np.full((4, 2), 0.6), "sums to 1.2"),
        (np.array([[1.5, -0.5]] * 4), "no probabilities"),
        (np.full((4, 2), np.nan), "no probabilities"),
        (np.ones((4, 1)), "action 1 was taken"),
    ],
)
def test_an_invalid_action_distribution_is_refused(estimator: object, wrong: np.ndarray, message: str) -> None:
    with pytest.raises(InvalidDistribution, match=message):
        estimator(LOG, wrong, np.zeros(wrong.shape))  # type: ignore[operator]


def test_q_must_fit_and_be_finite() -> None:
    for q, message in ((None, "needs expected_reward"), (Q[:2], "shape"), (np.full((4, 2), np.nan), "not finite")):
        with pytest.raises(InvalidDistribution, match=message):
            dr(LOG, TARGET, q)


@pytest.mark.parametrize(
    ("action", "propensity", "reward", "message"),
    [
        ([0, 1.5], [0.5, 0.5], [1, 1], "no index"),
        ([0, -1], [0.5, 0.5], [1, 1], "no index"),
        ([0, 1], [0.5, 0.0], [1, 1], "propensity"),
        ([0, 1], [0.5, 1.5], [1, 1], "propensity"),
        ([0, 1], [0.5, np.nan], [1, 1], "propensity"),
        ([0, 1], [0.5, 0.5], [1, np.inf], "infinite"),
        ([0, 1], [0.5], [1, 1], "rows"),
        ([], [], [], "no rounds"),
    ],
)
def test_an_invalid_log_is_refused(
    action: list[float], propensity: list[float], reward: list[float], message: str
) -> None:
    with pytest.raises(InvalidLog, match=message):
        bandit_rounds(action, propensity, reward)


def test_rows_of_a_log_can_be_selected() -> None:
    few = LOG.where(np.array([True, False, False, True]))
    assert isinstance(few, LoggedBanditData)
    assert few.action.tolist() == [0, 1]
    assert few.participant.tolist() == [0, 2]

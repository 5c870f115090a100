import numpy as np
import pytest

from data.logged import LoggedBanditData
from training.estimators import clustered_interval, dr_difference, factored_dr_difference, overlap

TWO = np.array([0.5, 0.5, 0, 0, 0])


def hand_made(levels: list[list[int]], reward: list[float], participant: list[int]) -> LoggedBanditData:
    """Two levels of each lever, a fair coin for each."""
    n = len(levels)
    return LoggedBanditData(
        contexts=np.full((n, 10), 0.5, dtype=np.float32),
        eligible=np.tile(TWO > 0, (n, 3, 1)),
        levels=np.array(levels),
        distributions=np.tile(TWO, (n, 3, 1)),
        propensity=np.full(n, 0.125),
        reward=np.array(reward),
        participant=np.array(participant),
        week=np.arange(n),
        learns=np.zeros(n, dtype=bool),
        phase=np.full(n, "confirm"),
    )


LOG = hand_made([[1, 0, 0], [0, 0, 0], [1, 1, 1], [0, 1, 0]], [0.8, 0.5, 0.9, 0.1], [0, 0, 1, 2])
OURS = np.array([[1, 0, 0], [1, 0, 0], [1, 0, 0], [0, 0, 0]])
THEIRS = np.zeros((4, 3), dtype=int)
Q_LOG, Q_OURS, Q_THEIRS = np.full(4, 0.5), np.full(4, 0.6), np.array([0.5, 0.5, 0.5, 0.6])


def test_joint_dr_by_hand() -> None:
    # 0.1 + 8·0.3;  0.1 - 8·0;  0.1;  0 where the policies agree
    rounds = dr_difference(LOG, OURS, THEIRS, Q_LOG, Q_OURS, Q_THEIRS)
    np.testing.assert_allclose(rounds, [0.1 + 8 * 0.3, 0.1, 0.1, 0])


def test_factored_dr_by_hand() -> None:
    # only the first lever differs: +2 or -2 on the residual, whatever the other levers did
    rounds = factored_dr_difference(LOG, OURS, THEIRS, Q_LOG, Q_OURS, Q_THEIRS)
    np.testing.assert_allclose(rounds, [0.1 + 2 * 0.3, 0.1 - 2 * 0.0, 0.1 + 2 * 0.4, 0])


def test_both_are_unbiased_on_a_known_truth_whatever_q_says() -> None:
    rng = np.random.default_rng(0)
    n = 200_000
    levels = rng.integers(0, 2, (n, 3))
    reward = 0.3 + levels @ [0.2, -0.1, 0.05] + rng.normal(0, 0.1, n)
    log = hand_made(levels.tolist(), reward.tolist(), list(range(n)))
    ours, theirs = np.tile([1, 1, 0], (n, 1)), np.zeros((n, 3), dtype=int)
    q = [np.full(n, value) for value in (0.35, 0.9, 0.1)]  # nonsense for ours and theirs...
    q[1] = q[2] = np.full(n, 0.35)  # ...but the same, as the logged one
    for estimator in (dr_difference, factored_dr_difference):
        interval = clustered_interval(estimator(log, ours, theirs, *q), log.participant)
        assert interval.low < 0.1 < interval.high
        assert interval.error < 0.01


def test_overlap_by_hand() -> None:
    found = overlap(LOG, OURS, THEIRS)
    # three of four rounds differ; ours was taken in one of them
    assert found.differ_share == 0.75
    assert found.effective_sample_size == pytest.approx(1)
    assert found.largest_participant_share == 1
    assert not found.sufficient
    assert overlap(LOG, THEIRS, THEIRS).effective_sample_size == 0


def test_huge_weights_are_no_overlap_whatever_the_mean_says() -> None:
    n = 5_000
    log = hand_made([[0, 0, 0]] * n, [1.0] * n, list(range(n)))
    propensity = np.full(n, 0.5)
    propensity[:2] = 1e-4
    log = LoggedBanditData(**{**log.__dict__, "propensity": propensity})
    ours = np.ones((n, 3), dtype=int)
    ours[:100] = 0
    found = overlap(log, ours, np.full((n, 3), 2))
    assert found.effective_sample_size < 3
    assert not found.sufficient


def test_the_clustered_interval_by_hand() -> None:
    # participants (0.2, 0.4), (0.6), (0.0): mean 0.3; sums of deviations 0, 0.3, -0.3
    interval = clustered_interval(np.array([0.2, 0.4, 0.6, 0.0]), np.array([0, 0, 1, 2]))
    error = np.sqrt(3 / 2 * (0.3**2 + 0.3**2)) / 4
    assert interval.estimate == pytest.approx(0.3)
    assert interval.error == pytest.approx(error)
    assert interval.high == pytest.approx(0.3 + 4.30265273 * error)
    assert interval.clusters == 3
    with pytest.raises(ValueError, match="two participants"):
        clustered_interval(np.array([0.2, 0.4]), np.array([0, 0]))


def test_the_clustered_interval_covers_where_the_plain_one_does_not() -> None:
    rng = np.random.default_rng(1)
    people, weeks, hits = 40, 10, 0
    participant = np.repeat(np.arange(people), weeks)
    for _ in range(1_000):
        values = np.repeat(rng.normal(0, 1, people), weeks) + rng.normal(0, 1, people * weeks)
        interval = clustered_interval(values, participant)
        hits += interval.low < 0 < interval.high
    assert 0.93 <= hits / 1_000 <= 0.97

"""Intervals by hand, and their coverage of a known truth. docs/science.md has the whole simulation."""

import numpy as np
import pytest

from training.ope.intervals import (
    Interval,
    clustered_bootstrap,
    clustered_bootstraps,
    clustered_t,
    confidence_sequence,
    empirical_bernstein,
    holm,
)

VALUES, PEOPLE = np.array([0.2, 0.4, 0.6, 0.0]), np.array([0, 0, 1, 2])


def test_the_clustered_t_interval_by_hand() -> None:
    # participants (0.2, 0.4), (0.6), (0.0): mean 0.3; sums of deviations 0, 0.3, -0.3
    interval = clustered_t(VALUES, PEOPLE)
    error = np.sqrt(3 / 2 * (0.3**2 + 0.3**2)) / 4
    assert interval.estimate == pytest.approx(0.3)
    assert interval.error == pytest.approx(error)
    assert interval.high == pytest.approx(0.3 + 4.30265273 * error)
    assert interval.clusters == 3


def test_an_invalid_sample_is_refused() -> None:
    with pytest.raises(ValueError, match="two participants"):
        clustered_t(np.array([0.2, 0.4]), np.array([0, 0]))
    with pytest.raises(ValueError, match="finite"):
        clustered_t(np.array([0.2, np.nan]), np.array([0, 1]))
    with pytest.raises(ValueError, match="outside of"):
        empirical_bernstein(np.array([0.2, 1.4]), np.array([0, 1]), bounds=(0, 1))


def test_the_bootstrap_is_the_same_in_one_thread_and_in_two() -> None:
    rng = np.random.default_rng(4)
    values, people = rng.normal(0, 1, 400), rng.integers(0, 60, 400)
    one, two = (clustered_bootstrap(values, people, seed=7, jobs=jobs) for jobs in (1, 2))
    assert one == two
    assert one.error == pytest.approx(clustered_t(values, people).error, rel=0.15)
    assert clustered_bootstrap(values, people, seed=8) != one


def test_several_columns_share_the_draws_of_one() -> None:
    """Participants are drawn once for all estimators; each of them would have drawn the same ones."""
    rng = np.random.default_rng(5)
    people = rng.permutation(np.repeat(np.arange(0, 180, 3), 7))  # some numbers have no rounds
    columns = [rng.normal(place, 1, len(people)) for place in range(3)]
    together = clustered_bootstraps(columns, people, resamples=250, seed=3)
    alone = [clustered_bootstrap(column, people, resamples=250, seed=3) for column in columns]
    for one, other in zip(together, alone, strict=True):
        assert vars(one) == pytest.approx(vars(other))


def test_a_resample_is_the_mean_of_participants_drawn_with_replacement() -> None:
    rng = np.random.default_rng(6)
    values, people = rng.normal(0, 1, 300), rng.integers(0, 40, 300)
    _, index = np.unique(people, return_inverse=True)
    totals, rounds = np.bincount(index, values), np.bincount(index)
    means = []
    for start in (0, 100):  # a seed for each hundred
        times = np.random.default_rng([9, start]).multinomial(40, np.full(40, 1 / 40), 100)
        means += [float(row @ totals / (row @ rounds)) for row in times]
    found = clustered_bootstrap(values, people, resamples=200, seed=9)
    assert (found.low, found.high) == pytest.approx(tuple(np.quantile(means, [0.025, 0.975])))
    assert found.error == pytest.approx(np.std(means, ddof=1))


def test_only_clustered_intervals_cover_when_participants_differ() -> None:
    rng = np.random.default_rng(1)
    people, weeks = 60, 10
    participant, hits = np.repeat(np.arange(people), weeks), np.zeros(4)
    alone = 0
    for seed in range(1_000):
        values = np.repeat(rng.uniform(-1, 1, people), weeks) + rng.uniform(-1, 1, people * weeks)
        found = [
            clustered_t(values, participant),
            clustered_bootstrap(values, participant, resamples=200, seed=seed),
            confidence_sequence(values, participant, planned_rounds=people * weeks),
            empirical_bernstein(values, participant, bounds=(-2, 2)),
        ]
        hits += [interval.low < 0 < interval.high for interval in found]
        plain = clustered_t(values, np.arange(people * weeks))
        alone += plain.low < 0 < plain.high
    t, bootstrap, sequence, bernstein = hits / 1_000
    assert 0.93 <= t <= 0.97
    assert 0.92 <= bootstrap <= 0.97
    assert sequence > 0.97
    assert bernstein > 0.99
    assert alone < 800


def test_a_confidence_sequence_holds_over_all_looks_and_a_t_interval_does_not() -> None:
    rng = np.random.default_rng(2)
    people, looks = 400, 12
    ever = np.zeros(2)
    for _ in range(400):
        weeks = rng.normal(0, 1, (looks, people))
        missed = np.zeros(2, dtype=bool)
        for look in range(1, looks + 1):
            values, who = weeks[:look].ravel(), np.tile(np.arange(people), look)
            found = (
                clustered_t(values, who),
                confidence_sequence(values, who, planned_rounds=people * looks),
            )
            missed |= [not interval.low < 0 < interval.high for interval in found]
        ever += missed
    t, sequence = ever / 400
    assert t > 0.12
    assert sequence <= 0.05


def test_bernstein_is_very_wide_with_large_weights() -> None:
    values = np.zeros(100)
    values[0] = 1_000
    interval = empirical_bernstein(values, np.arange(100), bounds=(0, 1_000))
    assert interval.low < 0
    assert interval.high > 100


def test_holm_by_hand() -> None:
    np.testing.assert_allclose(holm(np.array([0.01, 0.04, 0.03])), [0.03, 0.06, 0.06])
    assert holm(np.array([])).tolist() == []
    assert isinstance(clustered_t(VALUES, PEOPLE), Interval)

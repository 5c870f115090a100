import numpy as np

from coach_model.exploration import decision_seed, draw, explored, joint_probability, one_hot, uniform

LEVELS = np.array([[0, 2, 4], [1, 1, 1]])
ELIGIBLE = np.array([[[1, 1, 0, 0, 0], [0, 1, 1, 1, 0], [0, 0, 0, 1, 1]], [[0, 1, 0, 0, 0]] * 3], dtype=bool)


def test_a_seed_and_its_numbers_are_the_same_everywhere_and_forever() -> None:
    assert decision_seed("syn-2026-00000-w000") == "f2b78def49c11023b8a7e7d395dc58e3"
    assert uniform("0" * 32, 0) == 0.734299285707463
    assert uniform("0" * 32, "component") == 0.17936312517703168


def test_noise_is_shared_among_eligible_levels_only() -> None:
    mixed = explored(one_hot(LEVELS, 5), ELIGIBLE, 0.4)
    assert np.allclose(mixed.sum(axis=2), 1)
    assert (mixed[~ELIGIBLE] == 0).all()
    assert np.allclose(mixed[0, 0], [0.8, 0.2, 0, 0, 0])
    assert np.allclose(mixed[0, 1], [0, 0.4 / 3, 0.6 + 0.4 / 3, 0.4 / 3, 0])
    assert np.allclose(joint_probability(mixed, LEVELS), [0.8 * (0.6 + 0.4 / 3) * 0.8, 1])


def test_draws_follow_the_distribution_and_never_leave_it() -> None:
    mixed = np.repeat(explored(one_hot(LEVELS[:1], 5), ELIGIBLE[:1], 0.4), 20_000, axis=0)
    drawn = draw([decision_seed(str(i)) for i in range(len(mixed))], mixed)
    for lever in range(3):
        shares = np.bincount(drawn[:, lever], minlength=5) / len(drawn)
        assert np.abs(shares - mixed[0, lever]).max() < 4 * np.sqrt(0.25 / len(drawn))
        assert (shares[~ELIGIBLE[0, lever]] == 0).all()
    correlation = np.corrcoef(drawn[:, 0], drawn[:, 1])[0, 1]
    assert abs(correlation) < 4 / np.sqrt(len(drawn))  # levers are drawn independently

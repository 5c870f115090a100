import numpy as np
import pytest

from data.logged import LoggedBanditData
from training.reward_model import RewardModel, fit_reward_model, past_rewards
from training.target_policy import TargetPolicy


def test_past_rewards_by_hand(log: LoggedBanditData) -> None:
    few = log.where(np.arange(5))
    few = LoggedBanditData(
        **{**few.__dict__, "reward": np.array([0.2, np.nan, 0.6, 0.9, 0.1]), "participant": np.array([0, 0, 0, 1, 1])}
    )
    np.testing.assert_allclose(past_rewards(few), [np.nan, 0.2, 0.2, np.nan, 0.9])


def test_hold_without_a_change_has_no_effect(learned: tuple[RewardModel, TargetPolicy], log: LoggedBanditData) -> None:
    holds = log.where((log.contexts[:, 6:9] == 0.5).all(axis=1))
    assert np.abs(learned[0].lever_effects(holds.contexts)[:, :, 2]).max() == 0


def test_expected_rewards_are_baseline_plus_effects(
    learned: tuple[RewardModel, TargetPolicy], log: LoggedBanditData
) -> None:
    model = learned[0]
    effects = model.lever_effects(log.contexts)
    by_hand = model.baseline_rewards(log).copy()
    for lever in range(3):
        by_hand += effects[np.arange(len(log)), lever, log.levels[:, lever]]
    np.testing.assert_allclose(model.expected_rewards(log, log.levels), by_hand)


def test_effects_that_were_put_in_are_found_again(log: LoggedBanditData) -> None:
    """The real contexts, levels and probabilities, with rewards that follow the model exactly but for noise."""
    rng = np.random.default_rng(2)
    demand = (log.levels / 4 - 0.5) * 2
    slope = 0.2 * (log.contexts[:, 9] - 0.5) + 0.05
    reward = 0.5 + slope * demand[:, 0] - 0.04 * demand[:, 2] ** 2 + rng.normal(0, 0.02, len(log))
    model = fit_reward_model(LoggedBanditData(**{**log.__dict__, "reward": reward}))
    truth = np.stack([slope * level for level in (-1, -0.5, 0, 0.5, 1)], axis=1)
    assert np.abs(model.lever_effects(log.contexts)[:, 0] - truth).mean() < 0.01
    assert np.abs(model.lever_effects(log.contexts)[:, 1, 1:4]).mean() < 0.01


def test_too_few_people_are_refused(log: LoggedBanditData) -> None:
    with pytest.raises(ValueError, match="participants"):
        fit_reward_model(log.where(log.participant < 5))

import itertools

import numpy as np
import pytest
from sklearn.linear_model import Ridge
from sklearn.model_selection import GroupKFold, cross_val_predict
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from coach_model.budget.actions import previous_levels
from coach_model.exploration import joint_probability, one_hot
from data.logs.budget import BudgetLog
from training.budget.reward_model import (
    BASELINE_FOLDS,
    BASELINE_PENALTY,
    PENALTIES,
    PENALTY_FOLDS,
    RewardModel,
    best_penalty,
    crossfitted_baseline,
    effect_columns,
    fit_reward_model,
    past_rewards,
)
from training.budget.target_policy import TargetPolicy


def test_past_rewards_by_hand(log: BudgetLog) -> None:
    few = log.where(np.arange(5))
    few = BudgetLog(
        **{**few.__dict__, "reward": np.array([0.2, np.nan, 0.6, 0.9, 0.1]), "participant": np.array([0, 0, 0, 1, 1])}
    )
    np.testing.assert_allclose(past_rewards(few), [np.nan, 0.2, 0.2, np.nan, 0.9])


def test_hold_without_a_change_has_no_effect(learned: tuple[RewardModel, TargetPolicy], log: BudgetLog) -> None:
    holds = log.where((log.context[:, 6:9] == 0.5).all(axis=1))
    assert np.abs(learned[0].lever_effects(holds.context)[:, :, 2]).max() == 0


def test_expected_rewards_average_to_the_baseline_under_the_behavior_policy(
    learned: tuple[RewardModel, TargetPolicy], log: BudgetLog
) -> None:
    model, rows = learned[0], log.where(np.arange(400))
    average, q = np.zeros(len(rows)), model.expected_reward(rows)
    for action in itertools.product(range(5), repeat=3):
        levels = np.tile(action, (len(rows), 1))
        expected = np.take_along_axis(q, levels[:, :, None], axis=2).sum(axis=(1, 2))
        average += joint_probability(rows.distributions, levels) * expected
    np.testing.assert_allclose(average, model.baseline_rewards(rows), atol=1e-9)


def test_expected_rewards_are_right_on_average(learned: tuple[RewardModel, TargetPolicy], log: BudgetLog) -> None:
    seen = log.where(log.observed & log.learns)
    q = learned[0].expected_reward(seen)
    error = seen.reward - np.take_along_axis(q, seen.action[:, :, None], axis=2).sum(axis=(1, 2))
    assert abs(error.mean()) < 0.01
    assert (error**2).mean() < ((seen.reward - learned[0].baseline_rewards(seen)) ** 2).mean()


def test_effects_of_simulated_rewards_are_estimated(log: BudgetLog) -> None:
    """Contexts, levels and probabilities of the log, with rewards that follow the model plus noise."""
    rng = np.random.default_rng(2)
    demand = (log.action / 4 - 0.5) * 2
    slope = 0.2 * (log.context[:, 9] - 0.5) + 0.05
    reward = 0.5 + slope * demand[:, 0] - 0.04 * demand[:, 2] ** 2 + rng.normal(0, 0.02, len(log))
    model = fit_reward_model(BudgetLog(**{**log.__dict__, "reward": reward}))
    truth = np.stack([slope * level for level in (-1, -0.5, 0, 0.5, 1)], axis=1)
    assert np.abs(model.lever_effects(log.context)[:, 0] - truth).mean() < 0.01
    assert np.abs(model.lever_effects(log.context)[:, 1, 1:4]).mean() < 0.01


def test_too_few_people_are_refused(log: BudgetLog) -> None:
    with pytest.raises(ValueError, match="participants"):
        fit_reward_model(log.where(log.participant < 5))


def test_the_penalty_is_the_one_of_fitting_nine_tenths_of_the_rows() -> None:
    """The penalty comes from sums of the folds. Here each fold is fitted by scikit-learn."""
    rng = np.random.default_rng(8)
    for strength in (0.0, 0.02, 0.3):
        columns, people = rng.normal(0.4, 1, (900, 6)), np.repeat(np.arange(90), 10)
        residual = columns @ (strength * rng.normal(0, 1, 6)) + rng.normal(0, 1, 900)
        errors = np.zeros(len(PENALTIES))
        for learn, judge in GroupKFold(PENALTY_FOLDS).split(columns, groups=people):
            for place, penalty in enumerate(PENALTIES):
                model = Ridge(penalty).fit(columns[learn], residual[learn])
                errors[place] += ((residual[judge] - model.predict(columns[judge])) ** 2).sum()
        assert best_penalty(columns, residual, people) == PENALTIES[int(np.argmin(errors))]


def test_the_cross_fitted_baseline_is_that_of_scikit_learn() -> None:
    rng = np.random.default_rng(9)
    columns, people = rng.normal([0, 5, -300], [1, 0.1, 40], (600, 3)), np.repeat(np.arange(60), 10)
    columns = np.column_stack([columns, np.full(600, 7.0)])  # and one that never changes
    reward = columns[:, 0] - 2 * columns[:, 1] + 0.01 * columns[:, 2] + rng.normal(0, 1, 600)
    model = make_pipeline(StandardScaler(), Ridge(BASELINE_PENALTY))
    expected = cross_val_predict(model, columns, reward, groups=people, cv=GroupKFold(BASELINE_FOLDS))
    np.testing.assert_allclose(crossfitted_baseline(columns, reward, people), expected, rtol=1e-9)


def test_the_effect_of_each_level_is_that_of_its_columns(
    learned: tuple[RewardModel, TargetPolicy], log: BudgetLog
) -> None:
    model = learned[0]
    z, previous = model.standardise(log.context), previous_levels(log.context)
    for level in range(5):
        taken = one_hot(np.full((len(log), 3), level), 5)
        expected = (effect_columns(z, previous, taken) * model.effects).sum(axis=2)
        np.testing.assert_allclose(model.lever_effects(log.context)[:, :, level], expected, atol=1e-12)

import numpy as np
import pytest

from data.rewards.reward import REWARD, Outcome, RewardSpec, reward_of


def reward(**changes: float) -> dict[str, float]:
    """One week: 10 % of the budget spent and 9 % of the goal saved in 10 % of the cycle, 7 days logged."""
    week = {
        "spent_share": 0.1,
        "saved_share": 0.09,
        "elapsed_share": 0.1,
        "budget_used_up": 0.0,
        "goal_reached": 0.0,
        "logging_days": 7.0,
    } | changes
    scored = reward_of(Outcome(**{name: np.array([value]) for name, value in week.items()}))
    return {name: float(getattr(scored, name)[0]) for name in ("budget_pace", "savings_pace", "logging", "reward")}


def test_a_week_by_hand() -> None:
    # spending 1.0 of plan: (1.4 - 1.0) / 0.6; saving 0.9 of plan: 0.9 / 1.2
    expected = {"budget_pace": 2 / 3, "savings_pace": 0.75, "logging": 1.0}
    assert reward() == pytest.approx(expected | {"reward": 0.4 * 2 / 3 + 0.4 * 0.75 + 0.2})


@pytest.mark.parametrize(("spent", "score"), [(-0.05, 1), (0.0, 1), (0.08, 1), (0.11, 0.5), (0.14, 0), (0.3, 0)])
def test_budget_pace_is_linear_between_best_and_worst(spent: float, score: float) -> None:
    assert reward(spent_share=spent)["budget_pace"] == pytest.approx(score)


def test_low_spending_with_few_logging_days_scores_zero() -> None:
    assert reward(spent_share=0.0, logging_days=2)["budget_pace"] == 0
    assert reward(spent_share=0.0, logging_days=3)["budget_pace"] == 1


def test_a_budget_used_up_scores_nothing_and_a_goal_reached_scores_all() -> None:
    assert reward(spent_share=0.0, budget_used_up=1)["budget_pace"] == 0
    assert reward(saved_share=0.0, goal_reached=1)["savings_pace"] == 1


@pytest.mark.parametrize("name", ["spent_share", "saved_share", "elapsed_share", "logging_days"])
def test_a_missing_part_makes_the_reward_missing(name: str) -> None:
    assert np.isnan(reward(**{name: np.nan})["reward"])


def test_the_weights_add_up_and_keep_the_reward_in_bounds() -> None:
    assert REWARD.budget_weight + REWARD.savings_weight + REWARD.logging_weight == pytest.approx(1)
    assert RewardSpec() == REWARD
    assert reward(spent_share=0, saved_share=1)["reward"] == pytest.approx(1)

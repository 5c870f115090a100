from dataclasses import replace

import numpy as np
import pytest

from coach_model.budget.actions import LEVELS, LEVERS, eligible_levels
from coach_model.budget.context import FEATURES
from coach_model.budget.rules import rules_levels
from coach_model.exploration import draw, joint_probability
from data.synthetic.people import INCOME_RANGES, SAVING_GOALS, SPENDING_SHARES, draw_people, take
from data.synthetic.study import Study, StudyConfig, simulate
from data.synthetic.truth import (
    ACTIONS,
    action_values,
    decision_rewards,
    v_decision,
    v_decision_difference,
    v_rollout,
)
from data.synthetic.world import contexts_of, cycle_position, draw_noise, first_state, live_a_week

CONFIG = StudyConfig(participants=200, explore_weeks=8, seed=77)


@pytest.fixture(scope="module")
def study() -> Study:
    return simulate(CONFIG)


def probabilities(study: Study) -> np.ndarray:
    decisions = study.tables["decisions"]
    return np.array([[decisions[f"prob_{lever}_{k}"] for k in range(len(LEVELS))] for lever in LEVERS]).transpose(
        2, 0, 1
    )


def taken(study: Study) -> np.ndarray:
    return np.stack([study.tables["decisions"][f"level_{lever}"] for lever in LEVERS], axis=1)


def test_the_same_seed_gives_the_same_study_and_another_gives_another(study: Study) -> None:
    again, other = simulate(CONFIG), simulate(replace(CONFIG, seed=78))
    for name, columns in study.tables.items():
        for column, values in columns.items():
            np.testing.assert_array_equal(values, again.tables[name][column])
    assert len(other.rounds) != len(study.rounds) or (other.rounds.contexts() != study.rounds.contexts()).any()


def test_logged_propensities_are_exact_and_draws_replay_bit_for_bit(study: Study) -> None:
    distributions, levels = probabilities(study), taken(study)
    assert (draw(study.tables["decisions"]["seed"].tolist(), distributions) == levels).all()
    np.testing.assert_array_equal(joint_probability(distributions, levels), study.tables["decisions"]["propensity"])


def test_the_explore_phase_is_the_rules_with_the_promised_noise(study: Study) -> None:
    contexts = study.rounds.contexts()
    eligible, rules = eligible_levels(contexts), rules_levels(contexts)
    count = eligible.sum(axis=2)
    by_rules = np.take_along_axis(probabilities(study), rules[:, :, None], axis=2)[:, :, 0]
    np.testing.assert_allclose(by_rules, np.where(count == 1, 1, 0.6 + 0.4 / count))
    agrees = (taken(study) == rules).mean(axis=0)
    assert np.abs(agrees - by_rules.mean(axis=0)).max() < 4 * np.sqrt(0.25 / len(contexts))


def test_the_confirm_phase_mixes_rules_and_candidate() -> None:
    def cautious(contexts: np.ndarray) -> np.ndarray:
        return eligible_levels(contexts).argmax(axis=2)

    study = simulate(replace(CONFIG, explore_weeks=0, confirm_weeks=8), cautious, "budget/test")
    decisions, contexts = study.tables["decisions"], study.rounds.contexts()
    assert set(decisions["phase"]) == {"confirm"}
    by_candidate = decisions["component"] == "candidate"
    assert abs(by_candidate.mean() - 0.5) < 4 * np.sqrt(0.25 / len(contexts))
    assert set(decisions["policy_id"][by_candidate]) == {"budget/test"}
    eligible, levels = eligible_levels(contexts), taken(study)
    mixed = np.zeros(len(levels))
    for chosen in (rules_levels(contexts), cautious(contexts)):
        component = 0.9 * np.eye(5)[chosen] + 0.1 * eligible / eligible.sum(axis=2, keepdims=True)
        mixed = mixed + joint_probability(component, levels) / 2
    np.testing.assert_allclose(decisions["propensity"], mixed)
    with pytest.raises(ValueError, match="candidate"):
        simulate(replace(CONFIG, confirm_weeks=1))


def test_people_are_anchored_in_the_published_shares() -> None:
    people = draw_people(60_000, np.random.default_rng(0))
    for income in range(INCOME_RANGES):
        rows = people.income_range == income
        spent = people.shares[rows]
        shares = (spent / spent.sum(axis=1, keepdims=True)).mean(axis=0)
        assert np.abs(shares - SPENDING_SHARES[income]).max() < 0.02
        assert abs(np.median(people.goal[rows]) - SAVING_GOALS[income]) < 0.005


def test_contexts_are_what_an_app_may_send(study: Study) -> None:
    contexts = study.rounds.contexts()
    assert contexts.dtype == np.float32
    assert ((contexts >= 0) & (contexts <= 1)).all()
    logged = np.stack([study.tables["decisions"][name] for name in FEATURES], axis=1)
    np.testing.assert_array_equal(logged.astype(np.float32), contexts)


def test_outcomes_are_missing_more_often_after_bad_weeks_and_then_have_no_reward() -> None:
    study = simulate(replace(CONFIG, participants=3000))
    outcomes = study.tables["outcomes"]
    observed = outcomes["status"] == "observed"
    assert (np.isnan(outcomes["reward"]) == ~observed).all()
    again = decision_rewards(study.rounds, taken(study), np.random.default_rng(0), replications=8).mean(axis=1)
    uploads = np.isin(outcomes["status"], ["observed", "no_summary", "no_next_context"]) & ~np.isnan(again)
    low, high = again < np.nanquantile(again, 0.3), again > np.nanquantile(again, 0.7)
    assert observed[uploads & low].mean() < observed[uploads & high].mean() - 0.02


def test_people_drop_out_for_good(study: Study) -> None:
    decisions, outcomes = study.tables["decisions"], study.tables["outcomes"]
    left = dict(zip(outcomes["participant_id"], outcomes["status"] == "left_study", strict=True))
    last = {name: decisions["study_week"][decisions["participant_id"] == name].max() for name in set(left)}
    for name, week, status in zip(outcomes["participant_id"], decisions["study_week"], outcomes["status"], strict=True):
        if status == "left_study":
            assert week == last[name]


def test_fatigue_lowers_logging_when_everything_changes() -> None:
    rng = np.random.default_rng(4)
    people = draw_people(20_000, rng)
    state, noise = first_state(people, rng), draw_noise(20_000, rng)
    date = np.full(20_000, np.datetime64("2026-03-02"))
    calm, _ = live_a_week(people, state, state.levels, date, noise)
    _, tired = live_a_week(people, replace(state, levels=state.levels + 1), state.levels, date, noise)
    worn, _ = live_a_week(people, replace(state, fatigue=tired.fatigue), state.levels, date, noise)
    assert tired.fatigue.min() > 0
    assert worn.outcome.logging_days.mean() < calm.outcome.logging_days.mean()


def test_without_effect_no_policy_is_better_than_another(study: Study) -> None:
    rounds = study.rounds
    loose = 4 - eligible_levels(rounds.contexts())[:, :, ::-1].argmax(axis=2)
    difference = v_decision_difference(rounds, loose, rules_levels(rounds.contexts()), effect=0)
    assert difference.value == 0
    with_effect = v_decision_difference(rounds, loose, rules_levels(rounds.contexts()))
    assert abs(with_effect.value) > 10 * with_effect.error


def test_both_ways_to_the_true_value_agree(study: Study) -> None:
    rounds = take(study.rounds, np.arange(0, len(study.rounds), 3))
    rules = rules_levels(rounds.contexts())
    values = action_values(rounds, seed=1, replications=48)
    row = np.flatnonzero(~np.isnan(values).all(axis=1))
    column = (rules @ [25, 5, 1])[row]
    assert (ACTIONS[column] == rules[row]).all()
    direct = v_decision(rounds, rules, seed=2, replications=256)
    assert abs(np.nanmean(values[row, column]) - direct.value) < 5 * direct.error * np.sqrt(1 + 256 / 48)


def test_a_rollout_includes_the_fatigue_that_a_single_decision_does_not() -> None:
    def restless(contexts: np.ndarray) -> np.ndarray:
        eligible = eligible_levels(contexts)
        previous = np.searchsorted([0.125, 0.375, 0.625, 0.875], contexts[:, 6:9], side="right")
        other = np.where(previous == 2, 1, 2)[:, :, None]
        return np.where(np.take_along_axis(eligible, other, axis=2)[:, :, 0], other[:, :, 0], previous)

    config = replace(CONFIG, participants=400)
    assert v_rollout(restless, config).value < v_rollout(rules_levels, config).value - 0.02


def test_the_budget_cycle_by_hand() -> None:
    dates = np.array(["2026-02-14", "2026-02-15", "2026-03-14", "2026-01-01"], dtype="datetime64[D]")
    elapsed, days = cycle_position(dates, np.array([15, 15, 15, 1]))
    assert days.tolist() == [30, 0, 27, 0]
    np.testing.assert_allclose(elapsed, [30 / 31, 0, 27 / 28, 0])


def test_a_context_does_not_depend_on_the_other_people() -> None:
    rng = np.random.default_rng(9)
    people = draw_people(50, rng)
    state = first_state(people, rng)
    alone = contexts_of(take(people, np.array([7])), take(state, np.array([7])))
    assert (contexts_of(people, state)[7] == alone[0]).all()

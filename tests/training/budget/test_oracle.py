"""The main claim: a policy trained on one study is truly better than the rules and has most of the possible gain."""

import statistics

import pytest

from data.synthetic.study import StudyConfig
from training.budget import oracle

pytestmark = pytest.mark.long

SEEDS = range(1, 21)


def test_the_learned_policy_beats_the_rules_for_every_seed_and_has_most_of_the_possible_gain() -> None:
    config = StudyConfig(participants=300, explore_weeks=16, explore_epsilon=0.4)
    yardstick = oracle.yardstick(config)
    reached = [oracle.reach(StudyConfig(seed=seed), yardstick) for seed in SEEDS]
    assert all(result.gain > 5 * result.gain_error for result in reached), reached
    assert statistics.median(result.closed for result in reached) >= 0.6, reached


def test_without_effects_nothing_is_gained_and_nothing_lost() -> None:
    config = StudyConfig(effect=0.0, seed=3)
    yardstick = oracle.yardstick(config)
    assert yardstick.reachable == 0
    assert oracle.reach(config, yardstick).gain == 0
